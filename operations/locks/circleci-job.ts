/** The CircleCI job that runs this process. */
export interface CircleciJob {
  /** UUID of this run of the job. A rerun has a different UUID. */
  readonly id: string;
  /** The job's serial group. CircleCI runs the jobs of a group one after another. */
  readonly serialGroup: string;
  /** URL of the job's page. Empty if the URL is unknown. */
  readonly url: string;
}

/**
 * Returns the CircleCI job of this process, if the job's serial group proves that every earlier job
 * of the group has ended. A job without a serial group proves nothing. A job that was rerun with
 * SSH proves nothing either, because a person can run any command in such a job.
 *
 * @returns undefined without this proof, for example on a laptop, or if CIRCLE_WORKFLOW_JOB_ID or
 * CIRCLE_OIDC_TOKEN_V2 is missing.
 * @see https://circleci.com/docs/reference/variables/#built-in-environment-variables
 */
export function circleciJob(
  env: Readonly<Record<string, string | undefined>>,
): CircleciJob | undefined {
  const {
    CIRCLECI,
    CIRCLE_BUILD_URL: url = "",
    CIRCLE_OIDC_TOKEN_V2: token = "",
    CIRCLE_WORKFLOW_JOB_ID: id = "",
    // Our pipelines set this variable, because CircleCI has no variable for the serial group.
    SERIAL_GROUP: serialGroup = "",
  } = env;
  if (CIRCLECI !== "true" || id === "" || serialGroup === "") return undefined;
  return claimsOf(token)["oidc.circleci.com/ssh-rerun"] === false
    ? { id, serialGroup, url }
    : undefined;
}

/**
 * Reads the claims about the job in CircleCI's OIDC token. This function does not check the token's
 * signature. CircleCI sets the token as an environment variable, and this project trusts all
 * environment variables that CircleCI sets.
 *
 * @see https://circleci.com/docs/guides/permissions-authentication/openid-connect-tokens/
 */
function claimsOf(token: string): Readonly<Record<string, unknown>> {
  try {
    const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8");
    return JSON.parse(payload) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
