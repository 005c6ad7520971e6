import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import assert from "node:assert/strict";
import { until } from "../cluster";

/** The debugger of the JDK, `jdb`, connected to a JVM on this machine. */
export class Jdb {
  readonly #child: ChildProcessWithoutNullStreams;
  #printed = "";

  private constructor(port: number) {
    this.#child = spawn("jdb", ["-attach", `127.0.0.1:${String(port)}`]);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        this.#printed += chunk.toString("utf8");
      });
    }
  }

  static async attached(port: number): Promise<Jdb> {
    const jdb = new Jdb(port);
    await jdb.#prints(/Initializing jdb/);
    return jdb;
  }

  /** Runs a command of jdb, and returns what jdb prints until this output matches `answer`. */
  async does(command: string, answer: RegExp): Promise<string> {
    this.#printed = "";
    this.#child.stdin.write(`${command}\n`);
    return this.prints(answer);
  }

  /** Waits until the output since the last command matches `text`, and returns the output. */
  async prints(text: RegExp): Promise<string> {
    await this.#prints(text);
    return this.#printed;
  }

  /** Ends jdb. The JVM continues. */
  async quit(): Promise<void> {
    this.#child.stdin.write("quit\n");
    if (this.#child.exitCode === null) await once(this.#child, "exit");
  }

  async #prints(text: RegExp): Promise<void> {
    await until(
      `${String(text)} by jdb`,
      () => {
        assert.equal(this.#child.exitCode, null, this.#printed);
        return Promise.resolve(text.test(this.#printed));
      },
      30,
    );
  }
}
