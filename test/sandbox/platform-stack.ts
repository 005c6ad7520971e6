import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { project } from "../../tools/build";
import { command } from "../../tools/command";
import { environment } from "../../tools/sandbox/environment";
import type { Moto } from "./aws/moto";

type Config = Readonly<Record<string, unknown>>;

/**
 * The platform on the sandbox's cluster and moto, by plain `pulumi`, with a state of its own. The
 * committed configuration is used as it is but for the keys that are given.
 */
export class PlatformStack {
  private readonly directory = mkdtempSync(join(tmpdir(), "services-orders-platform-"));
  private readonly env: Readonly<Record<string, string>>;
  private readonly configFile = join(this.directory, "config.yaml");
  readonly config: Config;

  constructor(moto: Moto, overrides: Config) {
    const state = join(this.directory, "state");
    mkdirSync(state);
    this.env = { ...environment(), ...moto.env, PULUMI_BACKEND_URL: `file://${state}` };
    const committed = readFileSync(join(project, "platform", "Pulumi.shared.yaml"), "utf8");
    const { config } = parse(committed) as { config: Config };
    const own = Object.entries(overrides).map(([key, value]) => [
      `services-orders-platform:${key}`,
      value,
    ]);
    this.config = { ...config, ...(Object.fromEntries(own) as Config) };
    writeFileSync(this.configFile, stringify({ config: this.config }));
  }

  /** Runs `pulumi` in platform/, on the stack. */
  async pulumi(...args: string[]): Promise<string> {
    const where = ["--cwd", join(project, "platform"), "--non-interactive"];
    return command("pulumi", [...where, ...args], { env: this.env, timeout: 300_000 });
  }

  async init(): Promise<void> {
    await this.pulumi("stack", "init", "shared", "--no-select");
  }

  run(what: "destroy" | "preview" | "refresh" | "up", ...args: string[]): Promise<string> {
    const yes = what === "preview" ? [] : ["--yes", "--skip-preview"];
    const config = ["--stack", "shared", "--config-file", this.configFile];
    return this.pulumi(what, ...config, ...yes, ...args);
  }

  async outputs(): Promise<Readonly<Record<string, unknown>>> {
    const text = await this.pulumi("stack", "output", "--stack", "shared", "--json");
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  }

  /** Removes everything, also what is protected, and the state. */
  async remove(): Promise<void> {
    await this.pulumi("state", "unprotect", "--stack", "shared", "--all", "--yes");
    await this.run("destroy");
    rmSync(this.directory, { force: true, recursive: true });
  }
}
