import {
  datadogPorts,
  privateAddresses,
  reviewNamespace as defaults,
} from "../../components/conventions/defaults";
import { canaryName, clusterGroup } from "../../components/conventions/ci-roles";
import { ephemeralStorage } from "../../components/conventions/quota";
import type { Policy } from "./policy";
import { cel } from "./cel";
import { inReview, requester, reviewNamespaceLabels } from "./review-policies";
import type { CircleCi, ReviewLimits } from "../settings";

/** Name of the ResourceQuota and of the LimitRange of a review namespace. */
const guardrail = "review";
const denyAll = "default-deny";
const created = ["CREATE", "UPDATE"] as const;

const atMost = (value: string, most: string) =>
  `!quantity(${value}).isGreaterThan(quantity(${cel(most)}))`;

/**
 * Returns the policy for ResourceQuotas: a branch may set lower limits than the platform, but not
 * higher limits.
 */
export function quotas(circleci: CircleCi, review: ReviewLimits): Policy {
  const most: Readonly<Record<string, string>> = {
    ...defaults.quotaObjects,
    ...ephemeralStorage(review.pods),
    pods: String(review.pods),
    "requests.cpu": review.cpu,
    "requests.memory": review.memory,
  };
  return {
    on: [{ apiGroup: "", operations: created, resources: ["resourcequotas"] }],
    only: requester(circleci).byReview,
    validations: [
      {
        expression: `object.metadata.name == ${cel(guardrail)}`,
        message: `the ResourceQuota of a review stack must be called ${guardrail}`,
      },
      ...Object.entries(most).map(([key, limit]) => ({
        expression: `${cel(key)} in object.spec.hard && ${atMost(`object.spec.hard[${cel(key)}]`, limit)}`,
        message: `the ResourceQuota of a review stack must limit ${key} to at most ${limit}`,
      })),
    ],
  };
}

export function limitRanges(circleci: CircleCi): Policy {
  const ratio = defaults.maxMemoryLimitRequestRatio;
  return {
    on: [{ apiGroup: "", operations: created, resources: ["limitranges"] }],
    only: requester(circleci).byReview,
    validations: [
      {
        expression: `object.metadata.name == ${cel(guardrail)} && object.spec.limits.exists(limit, limit.type == "Container" && has(limit.maxLimitRequestRatio) && "memory" in limit.maxLimitRequestRatio && ${atMost(`limit.maxLimitRequestRatio["memory"]`, ratio)})`,
        message: `the LimitRange of a review stack must be called ${guardrail}, and must set maxLimitRequestRatio.memory of containers to at most ${ratio}`,
      },
    ],
  };
}

/**
 * Returns the policy for NetworkPolicies. In each direction, a pod may use every connection that at
 * least one NetworkPolicy allows. So each NetworkPolicy of a branch may allow only connections that
 * the platform allows.
 */
export function networkPolicies(circleci: CircleCi, review: ReviewLimits): Policy {
  const network = (peer: string, of: readonly string[]) =>
    `has(${peer}.ipBlock) && ${peer}.ipBlock.cidr in ${cel(of)}`;
  const inside = (peer: string) =>
    `!has(${peer}.ipBlock) && !has(${peer}.namespaceSelector) && has(${peer}.podSelector)`;
  const namespace = (peer: string, of: readonly string[]) =>
    `has(${peer}.namespaceSelector) && has(${peer}.namespaceSelector.matchLabels) && "kubernetes.io/metadata.name" in ${peer}.namespaceSelector.matchLabels && ${peer}.namespaceSelector.matchLabels["kubernetes.io/metadata.name"] in ${cel(of)}`;
  const onlyPorts = (...ports: number[]) =>
    `(has(rule.ports) && size(rule.ports) > 0 && rule.ports.all(p, has(p.port) && !has(p.endPort) && p.port in ${JSON.stringify(ports)}))`;
  const from = [
    inside("peer"),
    network("peer", review.ingressCidrs),
    namespace("peer", review.ingressNamespaces),
  ];
  const to = [
    inside("peer"),
    network("peer", review.egressCidrs),
    `${onlyPorts(datadogPorts.metrics, datadogPorts.traces)} && ${network("peer", privateAddresses)}`,
    `${onlyPorts(53)} && (${namespace("peer", ["kube-system"])} || ${network("peer", review.dnsCidrs)})`,
  ];
  // The expression looks for both values. A check that the list has two elements is not enough,
  // because Kubernetes accepts a list with the same direction twice.
  const bothDirections = `"Ingress" in object.spec.policyTypes && "Egress" in object.spec.policyTypes`;
  const any = (alternatives: readonly string[]) =>
    alternatives.map((alternative) => `(${alternative})`).join(" || ");
  return {
    on: [{ apiGroup: "networking.k8s.io", operations: created, resources: ["networkpolicies"] }],
    only: requester(circleci).byReview,
    validations: [
      {
        expression: `object.metadata.name != ${cel(denyAll)} || (!has(object.spec.ingress) && !has(object.spec.egress) && ${bothDirections} && !has(object.spec.podSelector.matchLabels) && !has(object.spec.podSelector.matchExpressions))`,
        message: `NetworkPolicy ${denyAll} must select all pods, and must allow no ingress and no egress`,
      },
      {
        expression: `!has(object.spec.ingress) || object.spec.ingress.all(rule, has(rule.from) && size(rule.from) > 0 && rule.from.all(peer, ${any(from)}))`,
        message:
          "a review stack may receive requests only from itself and from sources that the platform allows",
      },
      {
        expression: `!has(object.spec.egress) || object.spec.egress.all(rule, has(rule.to) && size(rule.to) > 0 && rule.to.all(peer, ${any(to)}))`,
        message: "a review stack may reach only itself, DNS, Datadog and what the platform allows",
      },
    ],
  };
}

/**
 * Returns a policy for review namespaces. The argument `kind` selects one object: the LimitRange,
 * the NetworkPolicy `default-deny` or the ResourceQuota. If a namespace does not have this object,
 * the policy refuses every new pod, no matter who creates the pod. So the program of a branch
 * cannot run pods before it creates this object.
 */
export function podsNeed(kind: "LimitRange" | "NetworkPolicy" | "ResourceQuota"): Policy {
  const network = kind === "NetworkPolicy";
  return {
    // Every review namespace has these labels, because the policy in `namespaces` requires them.
    inNamespaces: reviewNamespaceLabels,
    on: [{ apiGroup: "", operations: ["CREATE"], resources: ["pods"] }],
    only: inReview,
    requires: {
      apiVersion: network ? "networking.k8s.io/v1" : "v1",
      kind,
      name: network ? denyAll : guardrail,
    },
    validations: [{ expression: "params != null", message: `the namespace has no ${kind} yet` }],
  };
}

/**
 * Policy that forbids a priority above 0 for pods in review namespaces, so that a branch's pods
 * never preempt pods with a priority of 0 or higher.
 */
export const noPriority: Policy = {
  on: [{ apiGroup: "", operations: ["CREATE"], resources: ["pods"] }],
  only: inReview,
  validations: [
    {
      expression: "!has(object.spec.priority) || object.spec.priority <= 0",
      message: "a pod of a review stack must not have a priority above 0",
    },
  ],
};

/**
 * Policy for the jobs that remove canaries: these jobs may only delete objects. The name of each
 * object that they delete must be the canary's name, or begin with the canary's name and a hyphen.
 */
export const canariesOnly: Policy = {
  on: [{ apiGroup: "*", operations: ["CREATE", "UPDATE", "DELETE"], resources: ["*/*"] }],
  only: {
    "by-canary-removal": `${cel(clusterGroup("canary-removal"))} in request.userInfo.groups`,
    "no-question": `!(request.resource.group in ["authentication.k8s.io", "authorization.k8s.io"])`,
  },
  validations: [
    {
      expression: `request.operation == "DELETE" && (request.name == ${cel(canaryName)} || request.name.startsWith(${cel(`${canaryName}-`)}))`,
      message: `the role canary-removal may only delete objects called ${canaryName} or ${canaryName}-*, and may change nothing else`,
    },
  ],
};
