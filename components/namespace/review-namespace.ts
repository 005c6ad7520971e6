import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
  pod,
  privatePeers,
  reviewNamespace as defaults,
  webService,
} from "../conventions/defaults";
import { assertValid } from "../conventions/expected-error";
import { type Checked, dnsLabel, integer } from "../conventions/validation";
import { type Identity, labels } from "../conventions/labels";
import {
  type EgressRule,
  type NetworkPolicyOverrides,
  type Peer,
  egressIssues,
  networkPolicySpecs,
} from "./network-policies";
import { type Override, applyOverride } from "../conventions/override";
import { amountIssues } from "../conventions/quantities";
import {
  type PodRequirement,
  type Quota,
  ephemeralStorage,
  quotaIssue,
} from "../conventions/quota";
import { createRoleBindings, ownerOf } from "./role-binding";
import { StackNamespace, type StackNamespaceArgs } from "./stack-namespace";

/**
 * Pure functions `(defaults) => spec`, one for each spec of a {@link ReviewNamespace}. These
 * functions run after the component has applied all args.
 */
export interface ReviewNamespaceOverrides {
  /**
   * Changes the spec of the LimitRange: default requests and limits of a container, and the maximum
   * ratio of limit to request. Without default requests, the quota refuses pods that set no
   * requests.
   *
   * @default - the component's own spec
   * @example (spec) => ({ ...spec, limits: spec.limits.map((limit) => ({ ...limit, max: { memory:
   * "2Gi" } })) })
   */
  readonly limitRangeSpec?: Override<k8s.types.input.core.v1.LimitRangeSpec>;

  /**
   * Changes the specs of the NetworkPolicies, by name. The code of the branch can use all
   * connections that a policy allows.
   *
   * @default - the component's own spec
   * @example
   * { "default-deny": (policy) => ({ ...policy, policyTypes: ["Ingress"] }) }
   */
  readonly networkPolicySpecs?: NetworkPolicyOverrides;

  /**
   * Changes the spec of the ResourceQuota. If the quota does not limit a resource, one branch can
   * use all of this resource.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, hard: { ...spec.hard, "count/jobs.batch": "20" } })
   */
  readonly resourceQuotaSpec?: Override<k8s.types.input.core.v1.ResourceQuotaSpec>;
}

export interface ReviewNamespaceArgs extends Omit<StackNamespaceArgs, "annotations"> {
  /** Labels that identify the namespace. The stack adopts only a namespace with these labels. */
  readonly identity: Identity;
  /** Name of the namespace. Without `retain`, a change of the name deletes the old namespace. */
  readonly namespace: string;

  /**
   * Branch whose CI jobs may change objects in the namespace. The CI jobs that remove review stacks
   * have the same permissions. Developers may read objects, run commands and debug. Without a
   * branch, only cluster administrators have permissions.
   *
   * @default - no branch
   */
  readonly branch?: string;

  /**
   * Addresses at which the service and its jobs can connect to the Datadog Agent. The agent listens
   * on each node, and a label selector cannot select nodes. With `[]`, the policies block metrics
   * and traces.
   *
   * @default - private addresses, ports 8125/UDP and 8126/TCP only
   */
  readonly datadogAgentTo?: readonly Peer[];

  /**
   * Pods that the stack may run at the same time, by workload. If the quota is too small, the
   * component reports an error, because Kubernetes would silently create only some of the pods.
   *
   * @default []
   */
  readonly demands?: readonly PodRequirement[];

  /**
   * Addresses of DNS servers that are not the pods of kube-dns in `kube-system`. If the cluster
   * uses such servers and this arg is not set, the pods cannot resolve host names.
   *
   * @default []
   * @example
   * [{ ipBlock: { cidr: "169.254.20.10/32" } }]
   */
  readonly dnsTo?: readonly Peer[];

  /**
   * Destinations that the service and its jobs may connect to, in addition to the database, DNS and
   * the Datadog Agent. The code of the branch can connect to all of these destinations.
   *
   * @default []
   * @example
   * [{ to: [{ ipBlock: { cidr: "203.0.113.7/32" } }], ports: [{ port: 443, protocol: "TCP" }] }]
   */
  readonly egressTo?: readonly EgressRule[];

  /**
   * Sources of requests from outside the namespace. A load balancer is not a pod, so on EKS, list
   * the subnets of the load balancer. With `[]`, only the kubelet's probes reach the service.
   *
   * @default []
   * @example
   * [{ ipBlock: { cidr: "10.0.0.0/20" } }]
   */
  readonly ingressFrom?: readonly Peer[];

  /**
   * Port for health and metrics of the web pods. With `ingressPreset`, the load balancer checks the
   * pods' health at this port, so the NetworkPolicies open this port to `ingressFrom`. If the web
   * pods use another port for health, these checks fail, and the pods never become ready. Without a
   * preset, only the kubelet's probes can connect to this port.
   *
   * @default 8081
   */
  readonly managementPort?: number;

  /**
   * Pure functions that change the component's specs, for fields that no arg sets. These functions
   * run last. Pulumi removes each field that a function does not return. TypeScript does not report
   * a misspelled field, but the cluster does.
   *
   * @default - none
   * @example { resourceQuotaSpec: (spec) => ({ ...spec, hard: { ...spec.hard, "count/jobs.batch":
   * "20" } }) }
   */
  readonly overrides?: ReviewNamespaceOverrides;

  /**
   * Maximum total requests and number of pods. Kubernetes refuses new pods above the quota and
   * reports the refusal only in an event.
   *
   * @default {"cpu":"2","memory":"4Gi","pods":10}
   * @see https://kubernetes.io/docs/concepts/policy/resource-quotas/
   */
  readonly quota?: Quota;

  /**
   * Port that the web pods listen on. With a wrong port, no request reaches the web pods.
   *
   * @default 8080
   */
  readonly webPort?: number;
}

/**
 * The namespace of a review stack with its guardrails: Pod Security `restricted`, a ResourceQuota,
 * a LimitRange, and NetworkPolicies that allow only the connections that the service needs.
 *
 * @throws pulumi.ResourceError with all issues of the args, before the component creates a child
 * resource.
 * @see https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
export class ReviewNamespace extends pulumi.ComponentResource {
  /**
   * Name of the namespace. The value becomes known when the guardrails exist, so resources that use
   * this value wait for the guardrails.
   */
  readonly namespace: pulumi.Output<string>;
  readonly nodes: {
    readonly limitRange: k8s.core.v1.LimitRange;
    readonly namespace: k8s.core.v1.Namespace;
    readonly networkPolicies: readonly k8s.networking.v1.NetworkPolicy[];
    readonly resourceQuota: k8s.core.v1.ResourceQuota;
    readonly roleBindings: readonly k8s.rbac.v1.RoleBinding[];
  };

  constructor(name: string, args: ReviewNamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:k8s:ReviewNamespace", name, args, opts);
    const { demands = [], quota = defaults.quota, webPort = webService.port } = args;
    const { managementPort = webService.managementPort } = args;
    assertValid(this, "ReviewNamespace", name, [
      dnsLabel("namespace", args.namespace),
      ...quotaIssues(quota, demands),
      ...egressIssues(args.egressTo ?? []),
      integer("managementPort", managementPort, 1025, 65_535),
      integer("webPort", webPort, 1025, 65_535),
    ]);
    const healthPorts = args.ingressPreset === undefined ? [] : [managementPort];
    const webPorts = [...new Set([webPort, ...healthPorts])];
    const annotations = ownerOf(args.branch);
    const { namespace, nodes } = new StackNamespace(
      name,
      { ...args, annotations },
      {
        // With this alias, an older stack without guardrails keeps its namespace and its objects.
        aliases: [{ parent: pulumi.rootStackResource }],
        parent: this,
      },
    );
    // The CI job needs a RoleBinding to create the guardrails, so Pulumi creates the RoleBindings
    // first. Kubernetes deletes all of these objects only together with the namespace.
    const first = { deletedWith: nodes.namespace, parent: this };
    const metadata = (name: string) => ({
      labels: labels(args.identity, "namespace"),
      name,
      namespace,
    });
    const roleBindings = createRoleBindings(name, metadata, args.branch, first);
    const then = { ...first, dependsOn: [...roleBindings] };
    const resourceQuota = new k8s.core.v1.ResourceQuota(
      name,
      { metadata: metadata("review"), spec: resourceQuotaSpec(args, quota) },
      then,
    );
    const limitRange = new k8s.core.v1.LimitRange(
      name,
      { metadata: metadata("review"), spec: limitRangeSpec(args) },
      then,
    );
    const networkPolicies = specsOf(args, webPorts).map(
      ([policy, spec]) =>
        new k8s.networking.v1.NetworkPolicy(
          `${name}-${policy}`,
          { metadata: metadata(policy), spec },
          then,
        ),
    );
    this.nodes = {
      limitRange,
      namespace: nodes.namespace,
      networkPolicies,
      resourceQuota,
      roleBindings,
    };
    const guardrails = [resourceQuota, limitRange, ...networkPolicies];
    // During a preview, URNs are known, but ids are not. With URNs, the preview shows the
    // namespace's name.
    this.namespace = pulumi
      .all([namespace, pulumi.all(guardrails.map(({ urn }) => urn))])
      .apply(([known]) => known);
    this.registerOutputs({ namespace: this.namespace });
  }
}

function quotaIssues(quota: Quota, demands: readonly PodRequirement[]): readonly Checked[] {
  const issues = [
    ...amountIssues("quota", quota, { cpu: '"2" or "500m"', memory: "4Gi" }),
    integer("quota.pods", quota.pods, 1, 1000),
  ];
  // A malformed quantity would count as 0, so `quotaIssue` gets only a valid quota.
  return issues.some((issue) => issue !== undefined) ? issues : [quotaIssue(quota, demands)];
}

function resourceQuotaSpec({ overrides }: ReviewNamespaceArgs, quota: Quota) {
  return applyOverride<k8s.types.input.core.v1.ResourceQuotaSpec>(overrides?.resourceQuotaSpec, {
    hard: {
      ...defaults.quotaObjects,
      ...ephemeralStorage(quota.pods),
      pods: String(quota.pods),
      "requests.cpu": quota.cpu,
      "requests.memory": quota.memory,
    },
  });
}

function limitRangeSpec({ overrides }: ReviewNamespaceArgs) {
  const { containerStorage: storage } = defaults;
  return applyOverride<k8s.types.input.core.v1.LimitRangeSpec>(overrides?.limitRangeSpec, {
    limits: [
      {
        // The quota refuses pods without requests, so containers without requests get these values.
        default: { "ephemeral-storage": storage.limit, memory: pod.requests.memory },
        defaultRequest: { ...pod.requests, "ephemeral-storage": storage.request },
        maxLimitRequestRatio: { memory: defaults.maxMemoryLimitRequestRatio },
        type: "Container",
      },
    ],
  });
}

/** Returns the specs of the NetworkPolicies, by name. */
function specsOf(args: ReviewNamespaceArgs, webPorts: readonly number[]) {
  const { datadogAgentTo = privatePeers, dnsTo = [], egressTo = [], ingressFrom = [] } = args;
  const connections = { datadogAgentTo, dnsTo, egressTo, identity: args.identity, ingressFrom };
  return networkPolicySpecs({ ...connections, webPorts }, args.overrides?.networkPolicySpecs);
}
