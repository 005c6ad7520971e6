/** The CircleCI job that runs this process. */
export interface CircleciJob {
  /** UUID. Every run of a job has another one, also a rerun. */
  readonly id: string;
  /** Jobs of one group run one after another. */
  readonly serialGroup: string;
  /** Page of the job. Empty if it is unknown. */
  readonly url: string;
}

/**
 * The job, if its serial group proves that every earlier job of the group has ended. That is false
 * for a job without a group, and for one that a person has rerun with SSH: they also work in it by
 * hand.
 *
 * @returns undefined on a laptop, and if one of CircleCI's variables is missing.
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
    // The pipelines set it: CircleCI has no variable for it.
    SERIAL_GROUP: serialGroup = "",
  } = env;
  if (CIRCLECI !== "true" || id === "" || serialGroup === "") return undefined;
  return claimsOf(token)["oidc.circleci.com/ssh-rerun"] === false
    ? { id, serialGroup, url }
    : undefined;
}

/**
 * What CircleCI says about the job in its OIDC token. The signature is not checked: the token comes
 * from CircleCI, as the other variables do.
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
