import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { type Environment, traitsOf } from "../environments";
import { type Config, configOf } from "./config";
import { type Settings, SettingsError, canaryConfig, readGit, settingsFrom } from "./index";

/**
 * Returns the configuration of the running stack. Pulumi passes secrets to the program in plain
 * text, and also passes a list of the secrets' keys. This function replaces each secret with a
 * placeholder, so that no message can print a secret.
 */
export function runtimeConfig(): Config {
  const secretKeys: unknown = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]");
  const secrets = (Array.isArray(secretKeys) ? secretKeys : []).map((key: unknown) => [
    String(key),
    JSON.stringify({ secure: "" }),
  ]);
  return { ...pulumi.runtime.allConfig(), ...(Object.fromEntries(secrets) as Config) };
}

/**
 * Returns the configuration that a canary inherits from the stack settings file of the environment
 * `from`. A canary has no committed stack settings file.
 */
async function inheritedConfig(root: string, from: Environment): Promise<Config> {
  const { parse } = await import("yaml");
  const text = readFileSync(join(root, `Pulumi.${from}.yaml`), "utf8");
  return canaryConfig(configOf(parse(text) as { config?: unknown } | null));
}

/**
 * Returns the configuration of the running stack, including what a canary inherits. `root` is the
 * directory of the repository.
 */
export async function readConfig(root: string): Promise<Config> {
  const canaryOf = traitsOf(pulumi.getStack())?.canaryOf;
  const inherited = canaryOf === undefined ? {} : await inheritedConfig(root, canaryOf);
  return { ...inherited, ...runtimeConfig() };
}

/**
 * Returns the settings of the running stack. Call this function only in index.ts.
 *
 * @throws pulumi.RunError with the message of the {@link SettingsError}. Pulumi prints the message
 * without a stack trace.
 */
export async function readSettings(): Promise<Settings> {
  const stack = pulumi.getStack();
  const [config, git] = await Promise.all([readConfig("."), readGit(".")]);
  try {
    return settingsFrom({ config, env: process.env, git, stack });
  } catch (error) {
    throw error instanceof SettingsError ? new pulumi.RunError(error.message) : error;
  }
}
