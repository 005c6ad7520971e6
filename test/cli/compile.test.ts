import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { platform, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { project } from "../../lib/project";

const compiler = pathToFileURL(join(project, "cli", "compile.mjs")).href;

describe("the compiled code of the commands", function () {
  this.timeout(60_000);
  let directory: string;
  let cache: string;

  beforeEach(() => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), "services-orders-compile-")));
    cache = join(directory, "node_modules", ".cache", "services-orders");
    mkdirSync(join(directory, "node_modules"));
    write("lib/word.ts", 'export const word: string = "one";\n');
    write(
      "cli/main.ts",
      'import { word } from "../lib/word";\nconst late = await import("./late");\nconsole.log(word, late.here);\n',
    );
    write("cli/late.ts", "export const here = [import.meta.dirname, import.meta.url];\n");
  });
  afterEach(() => {
    rmSync(directory, { force: true, recursive: true });
  });

  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), text);
  };
  /** Runs the command line of a directory as `cli/entry.mjs` does, and returns what it prints. */
  const run = (env: Readonly<Record<string, string>> = {}, of = directory): string => {
    const code = `
      process.setSourceMapsEnabled(true);
      const { compiled } = await import(${JSON.stringify(compiler)});
      await import(await compiled(${JSON.stringify(of)}));
    `;
    const { stderr, stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
      encoding: "utf8",
      env: { ...process.env, ...env },
    });
    return stdout + stderr;
  };

  it("is used again until the code changes", () => {
    assert.match(run(), /^one /);
    const [first = ""] = readdirSync(cache);
    // The test changes the compiled code, to see that the next command uses it.
    write(`node_modules/.cache/services-orders/${first}/main.mjs`, 'console.log("used again");\n');
    assert.equal(run(), "used again\n");

    write("lib/word.ts", 'export const word: string = "two";\n');
    assert.match(run(), /^two /);
    assert.equal(readdirSync(cache).length, 2);
  });

  it("is not that of another project whose node_modules is the same directory", () => {
    run();
    const other = realpathSync(mkdtempSync(join(tmpdir(), "services-orders-compile-")));
    try {
      for (const name of ["cli", "lib"]) {
        execFileSync("cp", ["-R", join(directory, name), join(other, name)]);
      }
      symlinkSync(join(directory, "node_modules"), join(other, "node_modules"));
      assert.ok(run({}, other).includes(`'${join(other, "cli")}'`));
    } finally {
      rmSync(other, { recursive: true });
    }
  });

  it("knows the directory and the URL of each TypeScript file", () => {
    const file = join(directory, "cli", "late.ts");
    const printed = run();
    assert.ok(printed.includes(`'${dirname(file)}'`), printed);
    assert.ok(printed.includes(`'${pathToFileURL(file).href}'`), printed);
  });

  it("names the TypeScript file and its line in the stack of an error", () => {
    write("cli/late.ts", 'interface Nothing {}\n\nthrow new Error("oops");\n');
    assert.match(run(), /Error: oops\n +at .*cli\/late\.ts:3:7/);
  });

  it("does not exist after an error of esbuild, which names file and line", () => {
    write("lib/word.ts", "export const word = ;\n");
    assert.match(run(), /\[ERROR\] Unexpected ";"\n\n +lib\/word\.ts:1:20:/);
    assert.deepEqual(readdirSync(cache), []);
  });

  it("can be used by each user, and is compiled again for a user who cannot read it", () => {
    run();
    const [first = ""] = readdirSync(cache);
    assert.equal(statSync(join(cache, first)).mode & 0o777, 0o755);
    // Root can read each file, so the file is missing instead.
    rmSync(join(cache, first, "main.mjs"));
    assert.match(run(), /^one /);
    assert.deepEqual(readdirSync(cache), [first]);
  });

  it("is not used if the command that compiled it was killed", () => {
    write("node_modules/.cache/services-orders/new-killed/main.mjs", 'console.log("wrong");\n');
    assert.match(run(), /^one /);
  });

  it("is removed by the next compilation if no command has used it for a day", () => {
    run();
    const [first = ""] = readdirSync(cache);
    const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000);
    const age = (): void => {
      utimesSync(join(cache, first), yesterday, yesterday);
    };
    const change = (text: string): void => {
      write("lib/word.ts", `export const word = "${text}";\n`);
      run();
    };
    age();
    write("lib/word.ts", 'export const word: string = "one";\n');
    run();
    change("two");
    assert.ok(existsSync(join(cache, first)), "the second command has used it");
    age();
    change("three");
    assert.ok(!existsSync(join(cache, first)));
  });

  it("is temporary if the user cannot write to the project, and finds the npm packages", () => {
    write("node_modules/thing/package.json", '{"name":"thing","main":"index.js"}');
    write("node_modules/thing/index.js", 'exports.thing = "a package";\n');
    write("cli/main.ts", 'import { thing } from "thing";\nconsole.log(thing);\n');
    // No user can write to this directory, not even root.
    const closed = platform() === "darwin" ? "/System" : "/sys";
    symlinkSync(closed, join(directory, "node_modules", ".cache"));
    mkdirSync(join(directory, "tmp"));
    assert.equal(run({ TMPDIR: join(directory, "tmp") }), "a package\n");
    assert.deepEqual(readdirSync(join(directory, "tmp")), []);
  });

  it("says so if it would not notice a change to a file", () => {
    write("docs/word.ts", 'export const word = "one";\n');
    write("cli/main.ts", 'import { word } from "../docs/word";\nconsole.log(word);\n');
    assert.match(run(), /cli\/compile\.mjs does not notice changes to docs\/word\.ts/);
  });
});

describe("the commands", function () {
  this.timeout(60_000);

  // tsx and TypeScript accept more imports of CommonJS packages than Node.js does.
  it("import only names that Node.js finds in the npm packages", () => {
    const code = `
      import { readdirSync } from "node:fs";
      import { dirname } from "node:path";
      import { fileURLToPath } from "node:url";
      const { compiled } = await import(${JSON.stringify(compiler)});
      const main = await compiled(${JSON.stringify(project)});
      const directory = dirname(fileURLToPath(main));
      const files = readdirSync(directory).filter((name) => /(?<!^main)\\.mjs$/.test(name));
      for (const name of files) await import(new URL(name, main).href);
      console.log(files.length > 100);
    `;
    const args = ["--input-type=module", "-e", code];
    assert.equal(
      execFileSync(process.execPath, args, { cwd: project, encoding: "utf8" }),
      "true\n",
    );
  });
});
