import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
  pod,
  privateAddresses,
  reviewNamespace as defaults,
  webService,
} from "../conventions/defaults";
import { assertValid } from "../conventions/expected-error";
import { type Checked, check, dnsLabel, integer } from "../conventions/validation";
import { type Identity, labels } from "../conventions/labels";
import { defined } from "../conventions/with-defaults";
import { type NetworkPolicyOverrides, networkPolicySpecs } from "./network-policies";
import { type Override, applyOverride } from "../conventions/override";
import { amountIssues } from "../conventions/quantities";
import { type PodRequirement, type Quota, quotaIssue } from "../conventions/quota";
import { createRoleBinding, ownerOf } from "./role-binding";
import { StackNamespace, type StackNamespaceArgs } from "./stack-namespace";

type Peer = k8s.types.input.networking.v1.NetworkPolicyPeer;

/**
 * One pure function `(defaults) => spec` for each spec of a {@link ReviewNamespace}, applied last.
 */
export interface ReviewNamespaceOverrides {
  /**
   * Changes the LimitRange: default requests and limits of a container, and their maximum. Without
   * defaults, the quota refuses pods without requests.
   *
   * @default - the component's own spec
   * @example (spec) => ({ ...spec, limits: spec.limits.map((limit) => ({ ...limit, max: { memory:
   * "2Gi" } })) })
   */
  readonly limitRangeSpec?: Override<k8s.types.input.core.v1.LimitRangeSpec>;

  /**
   * Changes the NetworkPolicies, by name. The code of every branch may do what a policy allows.
   *
   * @default - the component's own spec
   * @example
   * { "default-deny": (policy) => ({ ...policy, policyTypes: ["Ingress"] }) }
   */
  readonly networkPolicySpecs?: NetworkPolicyOverrides;

  /**
   * Changes the ResourceQuota. One branch can use up everything that it does not limit.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, hard: { ...spec.hard, "count/jobs.batch": "20" } })
   */
  readonly resourceQuotaSpec?: Override<k8s.types.input.core.v1.ResourceQuotaSpec>;
}

export interface ReviewNamespaceArgs extends Omit<StackNamespaceArgs, "annotations"> {
  /** Labels that identify the namespace. A namespace without them is never taken over. */
  readonly identity: Identity;
  /** Name of the namespace. Another name deletes this namespace with everything in it. */
  readonly namespace: string;

  /**
   * Branch whose CI jobs may change objects in the namespace. The jobs of main may change them,
   * too. Without it, only cluster administrators may.
   *
   * @default - no branch
   */
  readonly branch?: string;

  /**
   * Addresses of the Datadog Agent, for the service and its jobs. It listens on each node, and no
   * selector matches a node's address. `[]` blocks metrics and traces.
   *
   * @default - private addresses, ports 8125/UDP and 8126/TCP only
   */
  readonly datadogAgentTo?: readonly Peer[];

  /**
   * The most pods that the stack runs at the same time. If the quota is too small for them, it is
   * an error here, because Kubernetes would only fail to create some of the pods.
   *
   * @default []
   */
  readonly demands?: readonly PodRequirement[];

  /**
   * What the service and its jobs may reach in addition to their database, DNS and Datadog.
   * The code of every branch can reach everything in this list.
   *
   * @default []
   * @example
   * [{ to: [{ ipBlock: { cidr: "203.0.113.7/32" } }], ports: [{ port: 443, protocol: "TCP" }] }]
   */
  readonly egressTo?: readonly k8s.types.input.networking.v1.NetworkPolicyEgressRule[];

  /**
   * Sources of requests from outside. A load balancer is not a pod: on EKS, list its subnets.
   * Without an entry, no request reaches the service.
   *
   * @default []
   * @example
   * [{ ipBlock: { cidr: "10.0.0.0/20" } }]
   */
  readonly ingressFrom?: readonly Peer[];

  /**
   * Pure functions that change each spec last, for fields that no arg sets. A field that a function
   * leaves out is removed. TypeScript does not find a misspelled field, the cluster does.
   *
   * @default - none
   * @example { resourceQuotaSpec: (spec) => ({ ...spec, hard: { ...spec.hard, "count/jobs.batch":
   * "20" } }) }
   */
  readonly overrides?: ReviewNamespaceOverrides;

  /**
   * Total requests and number of pods. Above it, Kubernetes refuses new pods, and only an event
   * says so.
   *
   * @default {"cpu":"2","memory":"4Gi","pods":10}
   * @see https://kubernetes.io/docs/concepts/policy/resource-quotas/
   */
  readonly quota?: Quota;

  /**
   * Port that the web pods listen on. NetworkPolicies block all other ports.
   *
   * @default 8080
   */
  readonly webPort?: number;
}

/**
 * The namespace of a review stack with its guardrails: Pod Security `restricted`, a ResourceQuota,
 * a LimitRange, and NetworkPolicies that allow only the connections that the service needs.
 *
 * @throws pulumi.ResourceError with all issues of the args, before the first child.
 * @see https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
export class ReviewNamespace extends pulumi.ComponentResource {
  /** The namespace's name, known once its guardrails exist: use it, and objects wait for them. */
  readonly namespace: pulumi.Output<string>;
  readonly nodes: {
    readonly limitRange: k8s.core.v1.LimitRange;
    readonly namespace: k8s.core.v1.Namespace;
    readonly networkPolicies: readonly k8s.networking.v1.NetworkPolicy[];
    readonly resourceQuota: k8s.core.v1.ResourceQuota;
    readonly roleBinding?: k8s.rbac.v1.RoleBinding;
  };

  constructor(name: string, args: ReviewNamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:k8s:ReviewNamespace", name, args, opts);
    const { demands = [], quota = defaults.quota, webPort = webService.port } = args;
    assertValid(this, "ReviewNamespace", name, [
      dnsLabel("namespace", args.namespace),
      ...quotaIssues(quota, demands),
      ...(args.egressTo ?? []).map(({ to }, index) =>
        // In Kubernetes, a rule without peers allows all destinations.
        check(to !== undefined && !(Array.isArray(to) && to.length === 0), {
          arg: `egressTo[${String(index)}].to`,
          got: to ?? null,
          rule: "have at least one peer",
          fix: 'write the addresses, such as [{ ipBlock: { cidr: "203.0.113.7/32" } }]',
        }),
      ),
      integer("webPort", webPort, 1025, 65_535),
    ]);
    const annotations = ownerOf(args.branch);
    const { namespace, nodes } = new StackNamespace(
      name,
      { ...args, annotations },
      {
        // A stack that is older than the guardrails keeps its namespace, with everything in it.
        aliases: [{ parent: pulumi.rootStackResource }],
        parent: this,
      },
    );
    // Rights first: this binding gives the job the right to create the rest. All of it is deleted
    // together with the namespace, because no one may remove a guardrail earlier.
    const first = { deletedWith: nodes.namespace, parent: this };
    const metadata = (name: string) => ({
      labels: labels(args.identity, "namespace"),
      name,
      namespace,
    });
    const roleBinding = createRoleBinding(name, metadata, args.branch, first);
    const then = { ...first, dependsOn: roleBinding === undefined ? [] : [roleBinding] };
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
    const networkPolicies = specsOf(args, webPort).map(
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
      ...defined({ roleBinding }),
    };
    const guardrails = [resourceQuota, limitRange, ...networkPolicies];
    // URNs, unlike ids, are known in a preview, so that it shows the name.
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
  // A malformed quantity counts as no room at all, so its own issue is enough.
  return issues.some((issue) => issue !== undefined) ? issues : [quotaIssue(quota, demands)];
}

function resourceQuotaSpec({ overrides }: ReviewNamespaceArgs, quota: Quota) {
  return applyOverride<k8s.types.input.core.v1.ResourceQuotaSpec>(overrides?.resourceQuotaSpec, {
    hard: {
      ...defaults.quotaObjects,
      pods: String(quota.pods),
      "requests.cpu": quota.cpu,
      "requests.memory": quota.memory,
    },
  });
}

function limitRangeSpec({ overrides }: ReviewNamespaceArgs) {
  return applyOverride<k8s.types.input.core.v1.LimitRangeSpec>(overrides?.limitRangeSpec, {
    limits: [
      {
        // The quota refuses pods without requests, so they get these.
        default: { memory: pod.requests.memory },
        defaultRequest: { ...pod.requests },
        maxLimitRequestRatio: { memory: defaults.maxMemoryLimitRequestRatio },
        type: "Container",
      },
    ],
  });
}

/** The NetworkPolicies, by name. */
function specsOf(args: ReviewNamespaceArgs, webPort: number) {
  const { egressTo = [], identity, ingressFrom = [], overrides } = args;
  const { datadogAgentTo = privateAddresses.map((cidr) => ({ ipBlock: { cidr } })) } = args;
  const connections = { datadogAgentTo, egressTo, identity, ingressFrom, webPort };
  return networkPolicySpecs(connections, overrides?.networkPolicySpecs);
}
