import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { project } from "../../lib/project";

describe("loading TypeScript with esbuild", () => {
  const directory = mkdtempSync(join(tmpdir(), "services-orders-load-"));
  after(() => {
    rmSync(directory, { recursive: true });
  });

  /** Loads `code` in a new process, and returns what the process prints. */
  function load(code: string): string {
    writeFileSync(join(directory, "given.ts"), code);
    const loader = JSON.stringify(join(project, "lib", "load-typescript.cjs"));
    const script = `require(${loader})(${JSON.stringify(join(directory, "given.ts"))})`;
    const { stderr, stdout } = spawnSync("node", ["-e", script], { encoding: "utf8" });
    return stdout + stderr;
  }

  it("names the TypeScript file and its line in the stack of an error", () => {
    writeFileSync(
      join(directory, "other.ts"),
      'interface Nothing {}\n\nexport const fail = (_: Nothing): never => {\n  throw new Error("oops");\n};\n',
    );
    assert.match(
      load('import { fail } from "./other";\n\nfail({});\n'),
      /Error: oops\n +at fail \(\S*other\.ts:4:9\)\n +at .*given\.ts:3:1/,
    );
  });

  it("says where a syntax error is, and prints no stack", () => {
    const printed = load("const one = ;\n");
    assert.match(printed, /\[ERROR\] Unexpected ";"\n\n +\S*given\.ts:1:12/);
    assert.doesNotMatch(printed, /\n +at /);
  });

  it("refuses import.meta, because the joined code has only one", () => {
    assert.match(
      load("console.log(import.meta.url);\n"),
      /\[ERROR\] "import\.meta" is not available/,
    );
  });

  it("gives lib/project.ts the directory of the project", () => {
    const file = JSON.stringify(join(project, "lib", "project"));
    assert.equal(load(`import { project } from ${file};\nconsole.log(project);\n`), `${project}\n`);
  });

  // The joined code loads npm packages with `require`, as Node.js's own ES modules load CommonJS
  // packages. Then the default import of an ES module is the whole module.
  it("meets no default import of an ES module", () => {
    const folders = ["cli", "lib", "operations", "pipeline", "sandbox", "tools", "policy"];
    const files = execFileSync("git", ["ls-files", ...folders.map((name) => `${name}/**/*.ts`)], {
      cwd: project,
      encoding: "utf8",
    });
    const wrong = files
      .trim()
      .split("\n")
      .filter((file) => existsSync(join(project, file)))
      .flatMap((file) =>
        [...readFileSync(join(project, file), "utf8").matchAll(defaultImport)].map(
          ([, name = ""]) => [file, name] as const,
        ),
      )
      .filter(([, name]) => isEsModule(name));
    assert.deepEqual(wrong, []);
    // The test of the packages works: these two are of the two kinds.
    assert.deepEqual([isEsModule("p-retry"), isEsModule("typescript")], [true, false]);
  });
});

const defaultImport = /^import (?!type )\w+(?:, \{[^}]*\})? from "((?:@[\w-]+\/)?[a-z][\w.-]*)"/gm;

function isEsModule(name: string): boolean {
  const text = readFileSync(join(project, "node_modules", name, "package.json"), "utf8");
  return (JSON.parse(text) as { type?: string }).type === "module";
}
