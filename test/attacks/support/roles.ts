import { ciRoles, type CiRoleName } from "../../../components/conventions/ci-roles";
import { issuer, trustPolicy } from "../../../platform/trust";
import { mayAssume } from "../../support/iam-evaluator";
import { settings } from "../../support/platform";
import { type JobRun, tokenOf } from "./circleci-stand-in";

/** Returns the roles that AWS gives to a job's token. The trust policies are the real ones. */
export function rolesOf(run: JobRun, circleci = settings.circleci): readonly CiRoleName[] {
  const from = issuer(circleci);
  const provider = `arn:aws:iam::111122223333:oidc-provider/${from}`;
  const token = tokenOf(run);
  return ciRoles.filter((ciRole) =>
    mayAssume(trustPolicy(circleci, provider, ciRole), from, token),
  );
}
