import type { PlatformSettings } from "../../platform/settings";

export const organization = "00000000-0000-4000-8000-000000000001";
export const projectId = "00000000-0000-4000-8000-000000000002";
export const user = "00000000-0000-4000-8000-00000000000a";

export const settings: PlatformSettings = {
  circleci: {
    mainBranch: "main",
    organizationId: organization,
    projectId,
    vcsOrigin: "github.com/example/services-orders",
  },
  clusterName: "orders",
  context: undefined,
  environments: ["review", "staging", "prod"],
  environmentsKeyArn:
    "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-4000-8000-000000000003",
  namespaces: { prod: "services-orders", staging: "services-orders-staging" },
  productionAccountId: undefined,
  review: {
    cpu: "2",
    domain: "review.example.com",
    egressCidrs: [],
    ingressCidrs: ["10.0.0.0/20"],
    ingressClassName: "alb",
    ingressNamespaces: [],
    memory: "4Gi",
    pods: 10,
  },
  reviewKeyArn: "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-4000-8000-000000000004",
  stateBucket: "example-orders-pulumi-state",
};
