import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { project } from "../../../lib/project";
import { command } from "../../../lib/command";
import { withLabels } from "../../../operations/clients/kubectl";
import { platformLabels } from "../../../platform/labels";
import { environment } from "../../../sandbox/environment";
import { kubectl } from "../support/commands";
import type { Moto } from "./moto";

type Config = Readonly<Record<string, unknown>>;

const platform = join(project, "platform");
/**
 * Name of the stack. The repository has no stack settings file for this name. Pulumi creates the
 * file, and then `init` removes the file.
 */
const name = "rehearsal";
/** Kinds of the cluster-scoped objects that the platform creates. */
const clusterScoped = [
  "clusterrolebindings",
  "clusterroles",
  "validatingadmissionpolicies",
  "validatingadmissionpolicybindings",
];

/**
 * Fixture: a stack of the Pulumi project `platform` with a separate state. The stack uses the
 * sandbox's cluster, and moto instead of AWS. The fixture runs `pulumi` itself, not the project's
 * commands. The settings come from Pulumi.shared.yaml, except for the keys in `overrides`.
 */
export class PlatformStack {
  readonly config: Config;
  /** Directory of the stack's settings file and state. */
  readonly directory = mkdtempSync(join(tmpdir(), "services-orders-platform-"));
  private readonly configFile: string;
  /**
   * Environment variables with which commands connect to the stack's state, the cluster and moto.
   */
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

  /**
   * Creates the stack. First deletes the objects that a killed run left in the cluster, because the
   * state of the new stack does not contain these objects.
   *
   * Pulumi writes the encryption key into a settings file in platform/. This method moves the key
   * into the settings file of the fixture.
   */
  async init(): Promise<void> {
    await kubectl(["delete", clusterScoped.join(","), ...withLabels(platformLabels)]);
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

  /**
   * Copies the stack settings file into a copy of the project, so that commands in the copy can use
   * the stack.
   */
  settle(copy: string): void {
    cpSync(this.configFile, join(copy, "platform", `Pulumi.${name}.yaml`));
  }

  run(what: "destroy" | "preview" | "up", ...args: string[]): Promise<string> {
    // `destroy` must not skip its preview. If a resource is protected, the preview fails before
    // Pulumi deletes any resource.
    const quick = what === "up" ? ["--skip-preview"] : [];
    const yes = what === "preview" ? [] : ["--yes", ...quick];
    const config = ["--stack", name, "--config-file", this.configFile];
    return this.pulumi(what, ...config, ...yes, ...args);
  }

  async outputs(): Promise<Readonly<Record<string, unknown>>> {
    const text = await this.pulumi("stack", "output", "--stack", name, "--json");
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  }

  /** Destroys all resources, including protected resources, and deletes the state. */
  async remove(): Promise<void> {
    await this.pulumi("state", "unprotect", "--stack", name, "--all", "--yes");
    await this.run("destroy");
    rmSync(this.directory, { force: true, recursive: true });
  }
}
