import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { contentHash, imageInputs } from "../components/conventions/content-hash";
import type { Identity, Release } from "../components/conventions/labels";
import { service as project } from "../config/service";
import { type Environment, environments, parseStack, slugOf, stackForms } from "../environments";
import { type Config, configOf } from "./config";
import { identityOf } from "./identity";
import { type Setting, readTable } from "./setting";
import { type Values, table } from "./table";

export { configOf };

/** Branch and commit of the working directory. */
export interface Git {
  /** `unknown` outside a repository, or if someone has checked out a commit without a branch. */
  readonly branch: string;
  /**
   * Last commit that changed the image's inputs, or `unknown`. Ends in `-dirty.<hash>` if these
   * inputs have changes that are not committed.
   */
  readonly commit: string;
}

/** Everything that the settings depend on. */
export interface Outside {
  readonly config: Config;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly git: Git;
  readonly stack: string;
}

/** Settings of a stack: everything that differs between stacks. */
export interface Settings extends Omit<
  Values,
  "branch" | "domain" | "eksCluster" | "hostPattern" | "ingressPreset" | "releaseCommit"
> {
  readonly eksCluster: Exclude<Values["eksCluster"], "none"> | undefined;
  readonly host: string;
  readonly identity: Identity;
  readonly ingressPreset: "eks-alb" | undefined;
  readonly environment: Environment;
  readonly release: Release;
  readonly slug: string;
  readonly stack: string;
}

/**
 * Error for an unknown stack, or for settings that the program cannot use. The message contains
 * every issue that the function `settingsFrom` has found.
 */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/**
 * Returns the settings of a stack. The function reads no files or environment variables itself: the
 * settings depend only on the argument `outside`. This file does not import Pulumi's packages. The
 * commands of `npm run` also load this file, and the import of Pulumi's packages takes longer than
 * most of these commands.
 *
 * @throws SettingsError if the stack is unknown, or if settings are wrong. One message contains all
 * issues of single settings: unknown keys with the most similar known key, secrets, and wrong
 * values with the allowed values. If single settings have no issue, the message contains all wrong
 * combinations of values.
 */
export function settingsFrom(outside: Outside): Settings {
  const { config, env, git, stack } = outside;
  const parsed = parseStack(stack);
  if (parsed === undefined) {
    throw new SettingsError(`Unknown stack "${stack}". Expected one of: ${stackForms}.`);
  }
  const { environment, slug } = parsed;
  const { canaryOf, settingsOf } = environments[environment];
  // A canary has no committed stack settings file, so the canary uses the file of the stack
  // `canaryOf`.
  const file = `Pulumi.${canaryOf ?? stack}.yaml`;
  const surroundings = { env, environment: settingsOf, gitBranch: git.branch, slug };
  const { issues, values } = readTable(table, { config, env, file, project }, surroundings);
  const all = issues.length > 0 ? issues : combinationIssues(values, environment, slug);
  if (all.length > 0) {
    throw new SettingsError(`Stack "${stack}" cannot be used:\n- ${all.join("\n- ")}`);
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

/** Returns an issue for each wrong combination of values. Each of these values alone is valid. */
function combinationIssues(
  values: Values,
  environment: Environment,
  slug: string,
): readonly string[] {
  const { branch, databaseHost, domain, hostPattern, imageRef, imageRepository } = values;
  const issues: string[] = [];
  const { data, perBranch } = environments[environment];
  if (data === "given" && databaseHost === undefined) {
    issues.push(`${project}:databaseHost must be set: this stack does not create a database`);
  }
  if (domain === undefined && hostPattern.includes("{domain}")) {
    issues.push(`${project}:domain must be set: ${project}:hostPattern contains {domain}`);
  }
  if (imageRef === undefined && imageRepository === undefined) {
    issues.push(
      `${project}:imageRepository, ${project}:imageRef or the variable SANDBOX_REGISTRY must be set`,
    );
  }
  if (values.exportRoleArn !== undefined && values.exportOutput === undefined) {
    issues.push(
      `${project}:exportOutput must be set: ${project}:exportRoleArn is the role that writes there`,
    );
  }
  if (perBranch && branch !== "unknown") issues.push(...branchIssues(branch, slug));
  return issues;
}

/**
 * Returns an issue if the review stack belongs to another branch, because two branches must never
 * share a stack.
 */
function branchIssues(branch: string, slug: string): readonly string[] {
  try {
    const own = slugOf(branch);
    if (own === slug) return [];
    return [
      `${project}:branch must be the branch of this stack, got "${branch}" (stack review-${own})`,
    ];
  } catch (error) {
    return [(error as Error).message];
  }
}

const run = promisify(execFile);

/**
 * Runs git and returns the output of git. Returns undefined if git fails, for example outside a
 * repository. This function never runs git in a shell, because the name of a branch can contain a
 * shell command.
 */
async function gitAnswer(root: string, args: readonly string[]): Promise<string | undefined> {
  const answer = await run("git", [...args], { cwd: root }).catch(() => undefined);
  return answer?.stdout.trim();
}

/** Reads branch and commit of the repository in a directory. */
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

/**
 * Returns the configuration of a canary: production's configuration, without the keys that a canary
 * sets itself, such as the image and the number of pods.
 */
export function canaryConfig(production: Config): Config {
  const own = Object.entries<Setting>(table).filter(([, { ownOfCanary }]) => ownOfCanary === true);
  const keys = new Set(own.map(([key]) => `${project}:${key}`));
  return Object.fromEntries(Object.entries(production).filter(([key]) => !keys.has(key)));
}
