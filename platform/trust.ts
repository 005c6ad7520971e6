import { type CiRoleName, mainBranch } from "../components/conventions/ci-roles";
import type { CircleCi } from "./settings";

/**
 * A UUID, character by character. `*` would match slashes too, and a branch's name may look like
 * the rest of a subject: `x/vcs-origin/github.com/acme/orders/vcs-ref/refs/heads/main` would be
 * main.
 */
const anyUser = "????????-????-????-????-????????????";

/** Issuer of CircleCI's tokens, without scheme, as IAM writes it. */
export function issuer({ organizationId }: CircleCi): string {
  return `oidc.circleci.com/org/${organizationId}`;
}

/** The branches whose jobs may assume a role. */
export function branchesOf(ciRole: CiRoleName): string {
  return ciRole === "preview" || ciRole === "review" ? "*" : mainBranch;
}

/**
 * The trust policy of a role. It trusts a job of this organization, this project, this repository,
 * on these branches. Tokens of pipelines that custom webhooks started name no branch, so they are
 * refused.
 *
 * Contexts are not a condition here, because IAM knows only the claims `aud`, `sub` and
 * `project-id` of CircleCI. CircleCI itself restricts which jobs may use a context.
 */
export function trustPolicy(circleci: CircleCi, providerArn: string, branches: string) {
  const { organizationId, projectId, vcsOrigin } = circleci;
  const claim = (name: string) => `${issuer(circleci)}:${name}`;
  const subject = `org/${organizationId}/project/${projectId}/user/${anyUser}`;
  return {
    Statement: [
      {
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: {
          StringEquals: {
            [claim("aud")]: organizationId,
            [claim("oidc.circleci.com/project-id")]: projectId,
          },
          StringLike: {
            [claim("sub")]: `${subject}/vcs-origin/${vcsOrigin}/vcs-ref/refs/heads/${branches}`,
          },
        },
        Effect: "Allow",
        Principal: { Federated: providerArn },
      },
    ],
    Version: "2012-10-17",
  };
}
