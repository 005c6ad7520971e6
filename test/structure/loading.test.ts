import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Modules that the commands of people and of CI jobs load. */
const loaded = ["main.ts", "operations.ts", "branches.ts"]
  .map((file) => readFileSync(join("cli", file), "utf8"))
  .flatMap((code) => [...code.matchAll(/import\("([^"]+)"\)/g)].map(([, path = ""]) => path))
  .filter((path) => path === "./local" || /^\.\.\/(?:operations|sandbox)\//.test(path));

describe("a command", () => {
  it("does not load Pulumi's packages, which take longer than most commands", () => {
    assert.ok(loaded.length > 10, loaded.join(", "));
    const modules = [...new Set(loaded)].map(
      (path) => pathToFileURL(join(process.cwd(), "cli", `${path}.ts`)).href,
    );
    const code = `
      import { createRequire } from "node:module";
      for (const path of ${JSON.stringify(modules)}) await import(path);
      const { cache } = createRequire(import.meta.url);
      console.log(JSON.stringify(Object.keys(cache)));
    `;
    const args = ["--import", "tsx", "--input-type=module", "--eval", code];
    const files = JSON.parse(
      execFileSync(process.execPath, args, { encoding: "utf8" }),
    ) as readonly string[];
    const heavy = files.filter((file) => /node_modules\/(?:@pulumi|typescript)\//.test(file));
    assert.deepEqual(heavy.slice(0, 3), []);
  });
});
