import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";

/**
 * Matches variables that a job gets only from CircleCI, from contexts or from the job's own
 * configuration. A job never gets the values that these variables have in the user's shell.
 */
const fromContextsOnly =
  /^(?:AWS_|CIRCLE|GITHUB_|SLACK_|GIT_|BASH_ENV$|REVIEW_|CANARY_|RECOVER_|PULL_REQUEST$)/;

/**
 * Variables that prevent AWS clients from reading ~/.aws and from using the machine's own role. The
 * settings of staging and production contain real clusters and registries. A local run must not
 * change them, even if the user has the permissions to do so.
 */
const noIdentity = {
  AWS_CONFIG_FILE: "/dev/null",
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
};

/**
 * Returns the environment variables that a job inherits from the user's shell. These variables
 * contain no AWS identity. If a job needs an identity, a context must provide the identity.
 */
export function inherited(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const own = Object.entries(env).filter(([name]) => !fromContextsOnly.test(name));
  return { ...Object.fromEntries(own), ...noIdentity };
}

/**
 * Returns the variables of contexts. For a local run, a file `<context>.env` with `NAME=value`
 * lines replaces a context.
 */
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
