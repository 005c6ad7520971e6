import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const entry = JSON.stringify(join(__dirname, "..", "..", "program", "entry.cjs"));

describe("the process of the program", () => {
  /** Runs the program with a function that reads the settings. Returns the output. */
  function printedWith(readSettings: string): string {
    // Like Pulumi, the script adds its listener before the program.
    const script = `
      process.on("unhandledRejection", ({ stack }) => {
        console.log(stack);
        process.exit();
      });
      const readSettings = ${readSettings};
      require(${entry})({ readSettings }).catch(({ message }) => {
        console.log(message);
        process.exit();
      });
    `;
    return execFileSync(process.execPath, ["-e", script], { encoding: "utf8", timeout: 60_000 });
  }

  it("names the TypeScript files in the stack of an unexpected error", () => {
    const printed = printedWith('() => { throw new Error("oops"); }');
    assert.match(
      printed,
      /unexpected error:\nError: oops\n[^]*at program \(\S*\/index\.ts:\d+:\d+\)/,
    );
  });

  it("names the TypeScript files in the stack of an error that no code catches", () => {
    const printed = printedWith(
      '() => { Promise.reject(new Error("lost")); return new Promise(() => {}); }',
    );
    assert.match(printed, /^Error: lost\n[^]*at program \(\S*\/index\.ts:\d+:\d+\)/);
  });

  it("ends when no process reads its output, as after a kill of Pulumi's engine", async function () {
    this.timeout(60_000);
    // Pulumi's SDK also writes a message for each error that no code has caught.
    const script = `
      process.on("uncaughtException", (error) => console.error(error.message));
      require(${entry});
      setInterval(() => console.error("a message of the program"), 10);
    `;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "pipe"] });
    const limit = setTimeout(() => child.kill("SIGKILL"), 30_000);
    try {
      await once(child.stderr, "data");
      child.stdout.destroy();
      child.stderr.destroy();
      const [code] = (await once(child, "exit")) as [number | null];
      assert.equal(code, 1);
    } finally {
      clearTimeout(limit);
    }
  });
});
