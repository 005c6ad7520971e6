import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { contentHash, imageInputs } from "../components/conventions/content-hash";
import type { Identity, Release } from "../components/conventions/labels";
import { service } from "../components/conventions/stacks";
import {
  type Environment,
  environments,
  parseStack,
  slugOf,
  stackForms,
  traitsOf,
} from "../environments";
import { identityOf } from "./identity";
import type { Setting, Surroundings } from "./row";
import { type Values, table } from "./table";
import type { EksCluster } from "./values";

/** What git knows about the code that is here. */
export interface Git {
  /** `unknown` outside a repository and where a commit is checked out without a branch. */
  readonly branch: string;
  /** Last commit that touched the image's inputs, with `-dirty.<hash>` where they are uncommitted. */
  readonly commit: string;
}

/** All that settings are made from: the only way from outside into the program. */
export interface Outside {
  /** Config of the stack, keys with their namespace, values as text or JSON. */
  readonly config: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly git: Git;
  readonly stack: string;
}

/** Everything that differs between stacks. */
export interface Settings extends Omit<
  Values,
  "branch" | "domain" | "eksCluster" | "hostPattern" | "ingressPreset" | "releaseCommit"
> {
  readonly eksCluster: EksCluster | undefined;
  readonly host: string;
  readonly identity: Identity;
  readonly ingressPreset: "eks-alb" | undefined;
  readonly environment: Environment;
  readonly release: Release;
  readonly slug: string;
  readonly stack: string;
}

const project = service;

/** Number of single-character edits between two words; finds the key that was meant. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function unknownKeys(config: Outside["config"]): readonly string[] {
  return Object.keys(config)
    .filter(
      (key) =>
        key.startsWith(`${project}:`) && !Object.hasOwn(table, key.slice(project.length + 1)),
    )
    .map((key) => {
      const word = key.slice(project.length + 1).toLowerCase();
      const far = (known: string) => distance(word, known.toLowerCase());
      const [nearest = ""] = Object.keys(table).sort((a, b) => far(a) - far(b));
      return `${key} is no setting; the nearest is ${project}:${nearest}`;
    });
}

function readValue(
  key: string,
  setting: Setting<unknown>,
  outside: Outside,
  surroundings: Surroundings,
  faults: string[],
): unknown {
  const configured = outside.config[`${project}:${key}`];
  const fromEnv = setting.env === undefined ? undefined : outside.env[setting.env];
  // An empty variable is an unset one, as in a shell.
  const given = configured ?? (fromEnv === "" ? undefined : fromEnv);
  if (given === undefined) return setting.default(surroundings);
  const value = setting.parse(given);
  if (value === undefined) {
    const where =
      configured === undefined ? `${String(setting.env)} (${key})` : `${project}:${key}`;
    faults.push(`${where} must be ${setting.allowed}, got ${JSON.stringify(given)}`);
  }
  return value;
}

/**
 * Settings of a stack, from nothing but what is passed in.
 *
 * @throws pulumi.RunError with every fault in one message: the stack's name, unknown keys with the
 * nearest known one, and wrong values with what is allowed.
 */
export function settingsFrom(outside: Outside): Settings {
  const { config, env, git, stack } = outside;
  const parsed = parseStack(stack);
  if (parsed === undefined) {
    throw new pulumi.RunError(`Stack "${stack}" is none of ${stackForms}.`);
  }
  const { environment, slug } = parsed;
  const { settingsOf } = environments[environment];
  const surroundings = { env, environment: settingsOf, gitBranch: git.branch, slug };
  const faults = [...unknownKeys(config)];
  const entries = Object.entries(table).map(([key, setting]) => [
    key,
    readValue(key, setting as Setting<unknown>, outside, surroundings, faults),
  ]);
  const values = Object.fromEntries(entries) as Values;
  faults.push(...combinationFaults(values, environment, slug, faults.length === 0));
  if (faults.length > 0) {
    throw new pulumi.RunError(`Stack "${stack}" cannot be used:\n- ${faults.join("\n- ")}`);
  }
  const { branch, domain = "", eksCluster, hostPattern, ingressPreset, ...rest } = values;
  const { releaseCommit = git.commit } = values;
  return {
    ...rest,
    eksCluster: eksCluster === "none" ? undefined : eksCluster,
    host: hostPattern.replaceAll("{slug}", slug).replaceAll("{domain}", domain),
    identity: identityOf(environment, slug),
    ingressPreset: ingressPreset === "none" ? undefined : ingressPreset,
    environment,
    release: { branch, commit: releaseCommit },
    slug,
    stack,
  };
}

/** Faults of values that are right one by one; not looked for while one of them is wrong. */
function combinationFaults(
  values: Values,
  environment: Environment,
  slug: string,
  valid: boolean,
): readonly string[] {
  if (!valid) return [];
  const { branch, databaseHost, domain, hostPattern, imageRef, imageRepository } = values;
  const faults: string[] = [];
  const { data, perBranch } = environments[environment];
  if (data === "given" && databaseHost === undefined) {
    faults.push(`${project}:databaseHost must be set, this stack makes no database of its own`);
  }
  if (domain === undefined && hostPattern.includes("{domain}")) {
    faults.push(`${project}:domain must be set, ${project}:hostPattern contains {domain}`);
  }
  if (imageRef === undefined && imageRepository === undefined) {
    faults.push(
      `${project}:imageRepository must be set (or the variable SANDBOX_REGISTRY), or ${project}:imageRef`,
    );
  }
  if (perBranch && branch !== "unknown") faults.push(...branchFaults(branch, slug));
  return faults;
}

/** A review stack runs its own branch and no other: two branches must never share one. */
function branchFaults(branch: string, slug: string): readonly string[] {
  try {
    const own = slugOf(branch);
    if (own === slug) return [];
    return [`${project}:branch must be a branch of this stack, got "${branch}" of review-${own}`];
  } catch (error) {
    return [(error as Error).message];
  }
}

const run = promisify(execFile);

/** What git says, or undefined outside a repository. Never a shell: a branch is anybody's text. */
async function gitAnswer(root: string, args: readonly string[]): Promise<string | undefined> {
  const answer = await run("git", [...args], { cwd: root }).catch(() => undefined);
  return answer?.stdout.trim();
}

/** Reads {@link Git} of a directory. */
export async function readGit(root: string): Promise<Git> {
  const [branch, commit, changes] = await Promise.all([
    gitAnswer(root, ["symbolic-ref", "--short", "-q", "HEAD"]),
    gitAnswer(root, ["log", "-1", "--format=%H", "--", ...imageInputs]),
    gitAnswer(root, ["status", "--porcelain", "--", ...imageInputs]),
  ]);
  const known = commit === undefined || commit === "" ? "unknown" : commit;
  const clean = changes === undefined || changes === "" || known === "unknown";
  return {
    branch: branch === undefined || branch === "" ? "unknown" : branch,
    commit: clean ? known : `${known}-dirty.${contentHash(root).slice(0, 7)}`,
  };
}

/** What is a canary's own, and never production's. */
const ownOfCanary = ["branch", "imageRef", "releaseCommit", "releaseReason", "replicas"];

/** Configuration as a stack's file has it, in the form in which Pulumi hands it over. */
export function configOf(file: { readonly config?: unknown } | null): Outside["config"] {
  return Object.fromEntries(
    Object.entries(file?.config ?? {}).map(([key, value]: [string, unknown]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

/** Configuration of a canary: production's, but for what it runs and in how many pods. */
export function canaryConfig(production: Outside["config"]): Outside["config"] {
  const own = new Set(ownOfCanary.map((key) => `${project}:${key}`));
  return Object.fromEntries(Object.entries(production).filter(([key]) => !own.has(key)));
}

/** What a canary shares, from the file of its environment: it has none of its own. */
async function inheritedConfig(root: string, from: Environment): Promise<Outside["config"]> {
  const { parse } = await import("yaml");
  const text = readFileSync(join(root, `Pulumi.${from}.yaml`), "utf8");
  return canaryConfig(configOf(parse(text) as { config?: unknown } | null));
}

/** Configuration of the stack that runs, in the repository at `root`. */
export async function readConfig(root: string): Promise<Outside["config"]> {
  const canaryOf = traitsOf(pulumi.getStack())?.canaryOf;
  const inherited = canaryOf === undefined ? {} : await inheritedConfig(root, canaryOf);
  return { ...inherited, ...pulumi.runtime.allConfig() };
}

/** Settings of the stack that runs. Only index.ts calls it. */
export async function readSettings(): Promise<Settings> {
  const stack = pulumi.getStack();
  const [config, git] = await Promise.all([readConfig("."), readGit(".")]);
  return settingsFrom({ config, env: process.env, git, stack });
}
