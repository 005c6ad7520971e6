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

  it("says where a syntax error is, in an error without a stack, which Pulumi prints", () => {
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

  // The joined code loads npm packages with `require`, and handles each package as Node.js handles
  // a CommonJS package in an ES module. So the default import of an ES module would be the whole
  // module.
  it("meets no default import of an ES module", () => {
    const wrong = joinedFiles().flatMap(([file, code]) =>
      [...code.matchAll(defaultImport)]
        .map(([, name = ""]) => [file, name] as const)
        .filter(([, name]) => isEsModule(name)),
    );
    assert.deepEqual(wrong, []);
    // The first of these packages is an ES module, and the second package is a CommonJS module.
    assert.deepEqual([isEsModule("p-retry"), isEsModule("typescript")], [true, false]);
  });

  it("meets the directory of a file only where it is the right one", () => {
    const uses = joinedFiles().filter(([, code]) =>
      /\bimport\.meta\b|\b__(?:dir|file)name\b/.test(code),
    );
    assert.deepEqual(
      uses.map(([file]) => file),
      ["policy/index.ts"],
    );
  });
});

/** Returns the path and the code of each file that esbuild may include in the joined code. */
function joinedFiles(): readonly (readonly [file: string, code: string])[] {
  const all = execFileSync(
    "git",
    ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts"],
    {
      cwd: project,
      encoding: "utf8",
    },
  );
  const files = all
    .trim()
    .split("\n")
    .filter((file) => joined.test(file) && existsSync(join(project, file)));
  assert.ok(files.includes("components/index.ts") && files.includes("jobs.ts"));
  return files.map((file) => [file, readFileSync(join(project, file), "utf8")]);
}

/** The rooms of the programs and of the policy pack. */
const joined = /^(?:(?:components|config|platform|policy|program|settings)\/|[^/]+$)/;

const defaultImport =
  /^import (?:(?!type )\w+(?:, \{[^}]*\})?|\{[^}]*\bdefault as [^}]*\}) from "((?:@[\w-]+\/)?[a-z][\w.-]*)/gm;

function isEsModule(name: string): boolean {
  const text = readFileSync(join(project, "node_modules", name, "package.json"), "utf8");
  return (JSON.parse(text) as { type?: string }).type === "module";
}
