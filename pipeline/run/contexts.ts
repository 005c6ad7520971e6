import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";

/** Variables that a job has from a context alone: what the person's own shell has of them stays there. */
const fromContextsOnly =
  /^(?:AWS_|CIRCLE|GITHUB_|SLACK_|GIT_|BASH_ENV$|REVIEW_|CANARY_|PULL_REQUEST$)/;

/**
 * AWS's clients would look into ~/.aws and ask the machine's own role: the files of staging and production name real clusters
 * and registries, and a run here must not reach them with the rights of whoever starts it.
 */
const noIdentity = {
  AWS_CONFIG_FILE: "/dev/null",
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
};

/** The variables that a job starts with, of the person's own, without an identity in AWS. A context may give one. */
export function inherited(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const own = Object.entries(env).filter(([name]) => !fromContextsOnly.test(name));
  return { ...Object.fromEntries(own), ...noIdentity };
}

/** What stand-ins for contexts hold: files `<context>.env` with `NAME=value` lines. */
export function contextVariables(
  directory: string | undefined,
  names: readonly string[],
): Record<string, string | undefined> {
  if (directory === undefined) return {};
  const files = names
    .map((name) => join(directory, `${name}.env`))
    .filter((file) => existsSync(file));
  return Object.assign({}, ...files.map((file) => parseEnv(readFileSync(file, "utf8")))) as Record<
    string,
    string
  >;
}
