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
  people: {},
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
