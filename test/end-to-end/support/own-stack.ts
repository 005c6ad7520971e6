import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrationsDirectory } from "../../../config/service";
import { command, CommandError } from "../../../lib/command";
import { options } from "../../../sandbox/layout";
import { isRunning } from "../../../sandbox/sandbox";
import { environment } from "../../../sandbox/environment";
import { copyOfProject, edit, kubectl, npmRun, pulumi, type Run, succeeded } from "./commands";
import { Load, type LoadResult } from "./load";

/**
 * Fixture: stack `local` of a copy of the project, with its own namespace, host and Pulumi state.
 * The developer's own stack `local` does not change. A test may change the copy as a developer
 * would.
 */
export class OwnStack {
  readonly namespace: string;
  readonly #copy = copyOfProject();
  readonly #host: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #state: string;

  private constructor(name: string) {
    this.namespace = `${name}-${String(process.pid)}`;
    this.#host = `${this.namespace}.localhost`;
    this.#state = mkdtempSync(join(tmpdir(), "services-orders-state-"));
    this.#env = { PULUMI_BACKEND_URL: `file://${this.#state}` };
  }

  /**
   * Deploys the project with all uncommitted changes. If the sandbox is not running, first starts
   * the sandbox.
   */
  static async deployed(name: string): Promise<OwnStack> {
    if (!isRunning()) succeeded(await npmRun(["sandbox", "up"]));
    const stack = new OwnStack(name);
    try {
      succeeded(await npmRun(["build"], { cwd: stack.#copy }));
      await stack.#pulumi("stack", "init");
      await stack.set("namespace", stack.namespace);
      await stack.set("hostPattern", stack.#host);
      // The pods have small CPU and memory requests, because the developer's own stack runs on the
      // same small node.
      const requests = JSON.stringify({ cpu: "100m", memory: "512Mi" });
      await stack.set("requests", requests);
      await stack.up();
    } catch (error) {
      await stack.removed();
      throw error;
    }
    return stack;
  }

  /**
   * Runs `pulumi up`. This command ends after the rollout. Returns the output in the same form as
   * in CI.
   */
  async up(): Promise<string> {
    return this.#pulumi("up", "--yes", "--skip-preview", "--suppress-progress");
  }

  /**
   * Deploys another release. The pods' labels contain the name of the branch, so the update
   * replaces every pod.
   */
  async release(branch: string): Promise<string> {
    await this.set("branch", branch);
    return this.up();
  }

  /** Sets a key of the stack's configuration, as a developer would. */
  async set(key: string, value: string): Promise<void> {
    await this.#pulumi("config", "set", `services-orders:${key}`, value);
  }

  /** Deploys another release, which must fail. Returns what Pulumi printed. */
  async fails(branch: string): Promise<string> {
    const release = this.release(branch.replaceAll(" ", "-"));
    return release.then(
      () => assert.fail("the release succeeded"),
      (error: unknown) =>
        error instanceof CommandError ? error.output : assert.fail(String(error)),
    );
  }

  /**
   * Deploys another release with `npm run deploy`. This command must fail. Returns the command's
   * output.
   */
  async failsToDeploy(branch: string): Promise<string> {
    await this.set("branch", branch.replaceAll(" ", "-"));
    const { code, output } = await this.npm("deploy", "local", "--yes");
    assert.equal(code, 1, output);
    return output;
  }

  /** Changes a file of the copy, as a developer would. */
  edit(file: string, from: string, to: string): void {
    edit(this.#copy, file, from, to);
  }

  /** Adds a migration to the copy, and builds the jar. */
  async addMigration(file: string, sql: string): Promise<void> {
    writeFileSync(join(this.#copy, migrationsDirectory, file), sql);
    succeeded(await npmRun(["build"], { cwd: this.#copy }));
  }

  /** Commits the changes in the copy. */
  async commit(): Promise<void> {
    const author = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
    const message = ["--quiet", "--all", "-m", "A change"];
    await command("git", ["-C", this.#copy, ...author, "commit", ...message]);
  }

  /**
   * Runs `work` while two clients send requests, and returns the result of each client. One client
   * reuses its connections. The other client opens a new connection for each request.
   *
   * @param requestsPerSecond - rate of each client
   */
  async underLoad(
    work: () => Promise<unknown>,
    requestsPerSecond = 50,
  ): Promise<Record<string, LoadResult>> {
    const client = (keepAlive: boolean): Load =>
      new Load({
        host: this.#host,
        keepAlive,
        port: options().ingressPort,
        requestsPerSecond,
      });
    const clients = { "with keep-alive": client(true), "without keep-alive": client(false) };
    const stop = async (): Promise<Record<string, LoadResult>> =>
      Object.fromEntries(
        await Promise.all(
          Object.entries(clients).map(async ([name, load]) => [name, await load.stop()] as const),
        ),
      );
    try {
      await work();
    } catch (error) {
      await stop();
      throw error;
    }
    return stop();
  }

  /**
   * Runs one of the project's commands on the stack, in the copy. When the command has printed
   * `text`, this method calls `then` with the id of the command's process group and with the output
   * so far.
   */
  async npmUntil(
    args: readonly string[],
    text: string,
    then: (pid: number, output: string) => void,
  ): Promise<Run> {
    const env = { ...environment(), ...this.#env };
    return npmRun(args, { cwd: this.#copy, env, when: { text, then } });
  }

  /** Runs one of the project's commands on the stack, in the copy. */
  async npm(...args: readonly string[]): Promise<Run> {
    return npmRun(args, { cwd: this.#copy, env: { ...environment(), ...this.#env } });
  }

  /**
   * Deletes the namespace, the state and the copy. Does not wait for the end of the namespace's
   * deletion.
   */
  async removed(): Promise<void> {
    const which = ["namespace", this.namespace, "--ignore-not-found", "--wait=false"];
    await kubectl(["delete", ...which]);
    rmSync(this.#state, { force: true, recursive: true });
    rmSync(this.#copy, { force: true, recursive: true });
  }

  async #pulumi(...args: readonly string[]): Promise<string> {
    return pulumi(args, this.#copy, this.#env);
  }
}
