import { branchRoles, type CiRoleName, mainBranch } from "../components/conventions/ci-roles";
import type { CircleCi } from "./settings";

/**
 * Pattern for the UUID of any user, with one `?` for each hexadecimal digit. The pattern is not
 * `*`, because `*` matches slashes, too. The name of a branch may contain slashes, and may look
 * like the end of a token's subject (`sub`). For example, with `*`, AWS would treat a branch
 * `x/vcs-origin/github.com/acme/orders/vcs-ref/refs/heads/main` as main.
 */
const anyUser = "????????-????-????-????-????????????";

/**
 * Returns the issuer of CircleCI's tokens, without `https://`, because IAM uses the issuer in this
 * form.
 */
export function issuer({ organizationId }: CircleCi): string {
  return `oidc.circleci.com/org/${organizationId}`;
}

/**
 * Jobs that a role trusts: jobs of one project, on these branches, that these users started.
 * The branches and the users may be patterns.
 */
interface Trusted {
  readonly branches: string;
  readonly projectId: string;
  readonly users: readonly string[];
}

/**
 * Returns the jobs that a role trusts. With a deploy project, only the roles for previews and
 * review stacks trust jobs of the service's own project. Anyone who can push can rerun any job of
 * that project with SSH, including the jobs of main. So the other roles trust only jobs of the
 * deploy project.
 *
 * Without a deploy project, the other roles trust jobs of main in the service's own project. In
 * this case, only `approverIds` protects production from people who can push: see docs/trust.md.
 */
function trustedBy(ciRole: CiRoleName, circleci: CircleCi): readonly Trusted[] {
  const { approverIds, deployProjectId, projectId } = circleci;
  const approved = ciRole === "prod" && approverIds.length > 0 ? approverIds : [anyUser];
  const main = (users: readonly string[]): Trusted => ({
    branches: mainBranch,
    projectId: deployProjectId ?? projectId,
    users,
  });
  if (!branchRoles.includes(ciRole)) return [main(approved)];
  const branches: Trusted = { branches: "*", projectId, users: [anyUser] };
  // The deploy project runs previews and smoke tests with the role `preview`. The deploy project
  // has no job with the role `review`.
  return ciRole === "preview" && deployProjectId !== undefined
    ? [branches, main([anyUser])]
    : [branches];
}

/**
 * Returns a text with the jobs that a role trusts, for people who read the list of roles in AWS.
 */
export function trustedText(ciRole: CiRoleName, circleci: CircleCi): string {
  return trustedBy(ciRole, circleci)
    .map(({ branches, projectId }) => {
      const where = projectId === circleci.projectId ? "" : " of the deploy project";
      return `${branches === "*" ? "every branch" : branches}${where}`;
    })
    .join(" and ");
}

/**
 * Returns the trust policy of a role. The role trusts the jobs that `trustedBy` returns, if these
 * jobs belong to this organization and this repository. If a custom webhook started a pipeline, the
 * tokens of its jobs contain no branch, so AWS refuses these tokens.
 *
 * The trust policy has no condition for contexts, because IAM supports only the claims `aud`, `sub`
 * and `project-id` of CircleCI's tokens. CircleCI itself restricts which jobs may use a context.
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
