import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { tool, toolEnvironment } from "../../../sandbox/install/debian";

// In these tests, a closed room is a separate network namespace with a separate mount namespace.
// Commands in the room cannot find or change the sandbox that runs on this machine.

/**
 * Port of the only program in the room. This program accepts every connection, and never answers.
 */
export const TAKEN_PORT = 18080;
/** A port of the room on which nothing listens. */
export const CLOSED_PORT = 18081;

const silentServer = `require("node:net").createServer(() => undefined)
  .listen(${String(TAKEN_PORT)}, "127.0.0.1", () => console.log("open"));`;

/** Fixture: a network namespace and a mount namespace, which exist until {@link close}. */
export class ClosedRoom {
  readonly #first: ChildProcess;

  private constructor(first: ChildProcess) {
    this.#first = first;
  }

  static async open(): Promise<ClosedRoom> {
    const furnish = 'mount -t sysfs sysfs /sys; "$1" link set lo up; shift; exec "$@"';
    const first = spawn(
      "unshare",
      [
        ...["--net", "--mount", "--propagation", "private", "--"],
        ...["sh", "-euc", furnish, "sh", tool("ip"), process.execPath, "-e", silentServer],
      ],
      { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...toolEnvironment } },
    );
    const [said] = (await Promise.race([
      once(first.stdout, "data"),
      once(first, "exit").then(() => ["it ended"]),
    ])) as [Buffer | string];
    if (String(said).trim() !== "open") {
      throw new Error(`the room could not be opened: ${String(said)}`);
    }
    return new ClosedRoom(first);
  }

  /** The first words of a command line that runs a program in the room. */
  get enter(): readonly string[] {
    return ["nsenter", "--target", String(this.#first.pid), "--net", "--mount", "--"];
  }

  /**
   * Returns what a command could leave behind in the room: network interfaces, mounts and routes.
   */
  state(): Record<string, string> {
    const proc = `/proc/${String(this.#first.pid)}`;
    return {
      interfaces: readFileSync(`${proc}/net/dev`, "utf8").replace(/:.*$/gm, ""),
      mounts: readFileSync(`${proc}/mounts`, "utf8"),
      routes: readFileSync(`${proc}/net/route`, "utf8"),
    };
  }

  async close(): Promise<void> {
    const ended = once(this.#first, "exit");
    this.#first.kill("SIGKILL");
    await ended;
  }
}
