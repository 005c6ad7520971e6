import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { project } from "../../lib/project";

describe("loading a Pulumi program", () => {
  const directory = mkdtempSync(join(tmpdir(), "services-orders-program-"));
  before(() => {
    symlinkSync(join(project, "node_modules"), join(directory, "node_modules"));
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });

  /** Loads a program with `code` in a new process. Returns what the process prints. */
  function load(code: string): string {
    const file = join(directory, "index.ts");
    writeFileSync(file, code);
    const loader = JSON.stringify(join(project, "lib", "load-program.cjs"));
    // Pulumi would also ignore the warnings of Node.js about the npm packages.
    const script = `require(${loader})(${JSON.stringify(file)})`;
    const args = ["--no-warnings", "-e", script];
    const { stderr, stdout } = spawnSync("node", args, { encoding: "utf8", timeout: 60_000 });
    return stdout + stderr;
  }

  const printLoaded = `
    const printLoaded = (): void => {
      const files = Object.keys(require.cache).filter((file) => require.cache[file]?.filename);
      const large = files.map((file) => /\\/(typescript|arborist)\\/lib\\//.exec(file)?.[1]);
      console.log([...new Set(large.filter((name) => name !== undefined))].join() || "nothing");
    };`;

  it("loads TypeScript and npm's tree of packages only when the SDK needs them", () => {
    const printed = load(`
      import * as pulumi from "@pulumi/pulumi";
      ${printLoaded}
      printLoaded();
      void (async () => {
        const { text } = await pulumi.runtime.serializeFunction(() => "a dynamic provider");
        console.log(text.includes("a dynamic provider"));
        printLoaded();
        const paths = await pulumi.runtime.computeCodePaths();
        console.log(paths.size > 0);
        printLoaded();
      })();
    `);
    assert.equal(printed, "nothing\ntrue\ntypescript\ntrue\ntypescript,arborist\n");
  });

  it("loads a program that uses TypeScript itself", () => {
    const code = 'import * as ts from "typescript";\nconsole.log(ts.SyntaxKind.Unknown);\n';
    assert.equal(load(code), "0\n");
  });
});
