import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { project } from "../../../lib/project";
import { command } from "../../../lib/command";
import { environment } from "../../../sandbox/environment";
import type { Moto } from "./moto";

type Config = Readonly<Record<string, unknown>>;

const platform = join(project, "platform");
/** The stack. No committed file is called so: Pulumi writes and we remove one. */
const name = "rehearsal";

/**
 * The platform on the sandbox's cluster and moto, by plain `pulumi`, with its own state.
 * The committed configuration is used unchanged, except for the keys that are given.
 */
export class PlatformStack {
  readonly config: Config;
  /** Its configuration and its state. */
  readonly directory = mkdtempSync(join(tmpdir(), "services-orders-platform-"));
  private readonly configFile: string;
  /** What commands need for its state, the cluster and moto. */
  readonly env: Readonly<Record<string, string>>;

  constructor(moto: Moto, overrides: Config) {
    const state = join(this.directory, "state");
    mkdirSync(state);
    this.env = { ...environment(), ...moto.env, PULUMI_BACKEND_URL: `file://${state}` };
    this.configFile = join(this.directory, "config.yaml");
    const committed = readFileSync(join(platform, "Pulumi.shared.yaml"), "utf8");
    const { config } = parse(committed) as { config: Config };
    const own = Object.entries(overrides).map(
      ([key, value]) => [`services-orders-platform:${key}`, value] as const,
    );
    this.config = { ...config, ...Object.fromEntries(own) };
  }

  /** Makes the stack. Pulumi writes its key next to the program: it is moved to our own config. */
  async init(): Promise<void> {
    await this.pulumi("stack", "init", name, "--no-select");
    const written = join(platform, `Pulumi.${name}.yaml`);
    const key = parse(readFileSync(written, "utf8")) as Config;
    rmSync(written);
    writeFileSync(this.configFile, stringify({ ...key, config: this.config }));
  }

  /** Runs `pulumi` in platform/. */
  private async pulumi(...args: string[]): Promise<string> {
    const where = ["--cwd", platform, "--non-interactive"];
    return command("pulumi", [...where, ...args], { env: this.env, timeout: 300_000 });
  }

  /** Gives its settings to a copy of the project, so that its commands know the stack. */
  settle(copy: string): void {
    cpSync(this.configFile, join(copy, "platform", `Pulumi.${name}.yaml`));
  }

  run(what: "destroy" | "preview" | "up", ...args: string[]): Promise<string> {
    // The preview of a destroy is what stops before anything protected, and all the rest, is gone.
    const quick = what === "up" ? ["--skip-preview"] : [];
    const yes = what === "preview" ? [] : ["--yes", ...quick];
    const config = ["--stack", name, "--config-file", this.configFile];
    return this.pulumi(what, ...config, ...yes, ...args);
  }

  async outputs(): Promise<Readonly<Record<string, unknown>>> {
    const text = await this.pulumi("stack", "output", "--stack", name, "--json");
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  }

  /** Removes everything, also what is protected, and the state. */
  async remove(): Promise<void> {
    await this.pulumi("state", "unprotect", "--stack", name, "--all", "--yes");
    await this.run("destroy");
    rmSync(this.directory, { force: true, recursive: true });
  }
}
