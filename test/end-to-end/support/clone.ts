import { appendFileSync, cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { project } from "../../../lib/project";
import { command } from "../../../lib/command";
import { environment } from "../../../sandbox/environment";
import { isRunning } from "../../../sandbox/sandbox";
import { copyOfProject, npmRun, type Run, type RunOptions } from "./commands";

/**
 * A copy of the project with its own git history, remote and Pulumi state. Commands in the copy do
 * not change the repository or the stacks of the developer.
 */
export class Clone {
  /** Directory of the copy. At the start, `main` is checked out and has one commit. */
  readonly directory: string;
  readonly remote: string;
  readonly state: string;

  private constructor(private readonly more: Readonly<Record<string, string>>) {
    this.directory = copyOfProject();
    this.remote = mkdtempSync(join(tmpdir(), "services-orders-remote-"));
    this.state = mkdtempSync(join(tmpdir(), "services-orders-state-"));
  }

  /**
   * Creates a clone, and builds the service in the clone.
   *
   * @param env additional environment variables for every command
   */
  static async make(env: Readonly<Record<string, string>> = {}): Promise<Clone> {
    // An earlier test may have stopped the sandbox, so this method starts the sandbox if necessary.
    if (!isRunning()) await npmRun(["sandbox", "up"]);
    const clone = new Clone(env);
    rmSync(join(clone.directory, ".git"), { force: true, recursive: true });
    await command("git", ["init", "--quiet", "--bare", clone.remote]);
    await clone.git("init", "--quiet", "--initial-branch=main");
    await clone.git("config", "user.name", "Ada");
    await clone.git("config", "user.email", "ada@example.com");
    await clone.git("remote", "add", "origin", clone.remote);
    // In the copy, node_modules is a link. No commit may contain this link.
    appendFileSync(join(clone.directory, ".git", "info", "exclude"), "node_modules\n");
    await clone.commit("The service");
    await clone.git("push", "--quiet", "origin", "main");
    const built = await clone.npm(["build"]);
    if (built.code !== 0) throw new Error(built.output);
    return clone;
  }

  get env(): Record<string, string> {
    return {
      ...environment(),
      PULUMI_BACKEND_URL: `file://${this.state}`,
      // The CPU and memory requests are smaller than in production, so that one machine can run
      // many stacks.
      SANDBOX_REQUESTS: JSON.stringify({ cpu: "20m", memory: "384Mi" }),
      // In CI, these variables describe the branch that CI tests. Commands in the clone must not
      // use this branch.
      CI: "",
      CIRCLE_BRANCH: "",
      CIRCLE_BUILD_NUM: "",
      CIRCLE_USERNAME: "",
      RELEASE_BRANCH: "",
      ...this.more,
    };
  }

  async git(...args: string[]): Promise<string> {
    return (await command("git", args, { cwd: this.directory })).trim();
  }

  /** Commits all changes, and returns the commit. */
  async commit(message: string): Promise<string> {
    await this.git("add", "--all");
    await this.git("commit", "--quiet", "--message", message);
    return this.git("rev-parse", "HEAD");
  }

  /** Pushes the current commit to a branch of the remote. */
  async push(branch: string): Promise<void> {
    await this.git("push", "--quiet", "--force", "origin", `HEAD:refs/heads/${branch}`);
  }

  async deleteBranch(branch: string): Promise<void> {
    await this.git("push", "--quiet", "origin", `:refs/heads/${branch}`);
  }

  async npm(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    when?: RunOptions["when"],
  ): Promise<Run> {
    const environment = { ...this.env, ...env };
    return npmRun(args, { cwd: this.directory, env: environment, ...(when && { when }) });
  }

  async pulumi(
    args: readonly string[],
    cwd = this.directory,
    env: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    return command("pulumi", ["--non-interactive", ...args], { cwd, env: { ...this.env, ...env } });
  }

  /**
   * Clones `main` of the remote into a second directory, as a colleague would. Returns the
   * directory.
   */
  async second(): Promise<string> {
    const directory = mkdtempSync(join(tmpdir(), "services-orders-second-"));
    await command("git", ["clone", "--quiet", "--branch", "main", this.remote, directory]);
    symlinkSync(join(project, "node_modules"), join(directory, "node_modules"));
    const image = join("service", "target", "image");
    cpSync(join(this.directory, image), join(directory, image), { recursive: true });
    return directory;
  }

  remove(): void {
    for (const directory of [this.directory, this.remote, this.state]) {
      rmSync(directory, { force: true, recursive: true });
    }
  }
}
