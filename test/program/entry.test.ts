import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

describe("the process of the program", () => {
  it("ends when no process reads its output, as after a kill of Pulumi's engine", async function () {
    this.timeout(60_000);
    const entry = JSON.stringify(join(__dirname, "..", "..", "program", "entry.cjs"));
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
