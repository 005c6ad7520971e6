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

/** The roles that every branch's own code may have. */
export const ofBranches: readonly CiRoleName[] = ["preview", "review"];

/** Jobs that a role trusts: of a project, on branches, started by a user. Each may be a pattern. */
interface Trusted {
  readonly branches: string;
  readonly projectId: string;
  readonly users: readonly string[];
}

/**
 * Only previews and review stacks trust the service's own project: anyone who can push can rerun
 * any of its jobs with SSH, also those of main. The others trust the deploy project.
 *
 * Without a deploy project they trust main of the service's project. That is not a boundary: see
 * docs/trust.md.
 */
function trustedBy(ciRole: CiRoleName, circleci: CircleCi): readonly Trusted[] {
  const { approverIds, deployProjectId, projectId } = circleci;
  const approved = ciRole === "prod" && approverIds.length > 0 ? approverIds : [anyUser];
  const main = (users: readonly string[]): Trusted => ({
    branches: mainBranch,
    projectId: deployProjectId ?? projectId,
    users,
  });
  if (!ofBranches.includes(ciRole)) return [main(approved)];
  const branches: Trusted = { branches: "*", projectId, users: [anyUser] };
  // The deploy project previews and tests, too. It deploys no review stack.
  return ciRole === "preview" && deployProjectId !== undefined
    ? [branches, main([anyUser])]
    : [branches];
}

/** The jobs that a role trusts, for people who read the list of roles. */
export function trustedText(ciRole: CiRoleName, circleci: CircleCi): string {
  return trustedBy(ciRole, circleci)
    .map(({ branches, projectId }) => {
      const where = projectId === circleci.projectId ? "" : " of the deploy project";
      return `${branches === "*" ? "every branch" : branches}${where}`;
    })
    .join(" and ");
}

/**
 * The trust policy of a role. It trusts a job of this organization, of one project, this
 * repository, on these branches. Tokens of pipelines that custom webhooks started name no branch,
 * so they are refused.
 *
 * Contexts are not a condition here, because IAM knows only the claims `aud`, `sub` and
 * `project-id` of CircleCI. CircleCI itself restricts which jobs may use a context.
 */
export function trustPolicy(circleci: CircleCi, providerArn: string, ciRole: CiRoleName) {
  const { organizationId, vcsOrigin } = circleci;
  const claim = (name: string) => `${issuer(circleci)}:${name}`;
  return {
    Statement: trustedBy(ciRole, circleci).map(({ branches, projectId, users }) => {
      const subjects = users.map(
        (user) =>
          `org/${organizationId}/project/${projectId}/user/${user}/vcs-origin/${vcsOrigin}/vcs-ref/refs/heads/${branches}`,
      );
      return {
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: {
          StringEquals: {
            [claim("aud")]: organizationId,
            [claim("oidc.circleci.com/project-id")]: projectId,
          },
          StringLike: { [claim("sub")]: subjects.length === 1 ? (subjects[0] ?? "") : subjects },
        },
        Effect: "Allow",
        Principal: { Federated: providerArn },
      };
    }),
    Version: "2012-10-17",
  };
}
