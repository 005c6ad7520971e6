import type { PlatformSettings } from "../../platform/settings";

const organization = "00000000-0000-4000-8000-000000000001";
export const projectId = "00000000-0000-4000-8000-000000000002";
export const deployProjectId = "00000000-0000-4000-8000-00000000000d";
export const user = "00000000-0000-4000-8000-00000000000a";

const key = (number: number) =>
  `arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-4000-8000-00000000000${String(number)}`;

export const settings: PlatformSettings = {
  circleci: {
    approverIds: [],
    deployProjectId: undefined,
    organizationId: organization,
    projectId,
    vcsOrigin: "github.com/example/services-orders",
  },
  clusters: [
    { environments: ["review", "staging"], name: "staging" },
    { environments: ["prod"], name: "prod" },
  ],
  namespaces: { prod: "services-orders", staging: "services-orders-staging" },
  productionAccountId: undefined,
  review: {
    cpu: "2",
    domain: "review.example.com",
    dnsCidrs: [],
    egressCidrs: [],
    ingressCidrs: ["10.0.0.0/20"],
    ingressClassName: "alb",
    ingressNamespaces: [],
    memory: "4Gi",
    pods: 10,
  },
  stateBucket: "example-orders-pulumi-state",
  stateKeyArns: { prod: key(5), review: key(3), staging: key(4) },
};

/** The job that a token is about. */
export interface TokenOf {
  /** Names of the contexts. @default [] */
  readonly contexts?: readonly string[];
  /** @default the service's own project */
  readonly projectId?: string;
  /** Full name of the branch or tag, such as `refs/heads/main`. */
  readonly ref: string;
  /** @default false */
  readonly rerunWithSsh?: boolean;
  /** Id of the actor. */
  readonly user?: string;
}

/**
 * Returns the claims of a job's token, version 2 (CircleCI's docs: OIDC tokens). IAM cannot compare
 * the claim about a rerun with SSH.
 */
export function claimsOf(job: TokenOf): Readonly<Record<string, string>> {
  const {
    contexts = [],
    projectId: id = projectId,
    ref,
    rerunWithSsh = false,
    user: by = user,
  } = job;
  const origin = settings.circleci.vcsOrigin;
  const claim = (name: string) => `oidc.circleci.com/${name}`;
  return {
    aud: organization,
    [claim("context-ids")]: JSON.stringify(contexts),
    [claim("project-id")]: id,
    [claim("ssh-rerun")]: String(rerunWithSsh),
    [claim("vcs-origin")]: origin,
    [claim("vcs-ref")]: ref,
    sub: `org/${organization}/project/${id}/user/${by}/vcs-origin/${origin}/vcs-ref/${ref}`,
  };
}
