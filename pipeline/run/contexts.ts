import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";

/** Variables that a job has from a context alone: what the person's own shell has of them stays there. */
const fromContextsOnly =
  /^(?:AWS_|CIRCLE|GITHUB_|SLACK_|GIT_|BASH_ENV$|REVIEW_|CANARY_|PULL_REQUEST$)/;

/** The variables that a job starts with, of the person's own. */
export function inherited(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !fromContextsOnly.test(name)));
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
