import { ciRoles, type CiRoleName } from "../../../components/conventions/ci-roles";
import { issuer, trustPolicy } from "../../../platform/trust";
import { mayAssume } from "../../support/iam-evaluator";
import { settings } from "../../support/platform";
import { type JobRun, jobStart, tokenOf } from "./circleci-stand-in";

/** The claims that IAM compares (AWS's docs: condition keys for web identity federation). */
const seenByIam = ["aud", "oidc.circleci.com/project-id", "sub"];

/**
 * Returns the roles that AWS gives to a job's token. `at` is the time of the request, in seconds
 * since 1970. AWS refuses a token after the time in the token's claim `exp`. This function uses the
 * trust policies of the platform.
 */
export function rolesOf(
  run: JobRun,
  circleci = settings.circleci,
  at = jobStart + 60,
): readonly CiRoleName[] {
  const from = issuer(circleci);
  const provider = `arn:aws:iam::111122223333:oidc-provider/${from}`;
  const claims = tokenOf(run);
  if (claims["iss"] !== `https://${from}` || Number(claims["exp"]) <= at) return [];
  const token = Object.fromEntries(seenByIam.map((name) => [name, String(claims[name])]));
  return ciRoles.filter((ciRole) =>
    mayAssume(trustPolicy(circleci, provider, ciRole), from, token),
  );
}
