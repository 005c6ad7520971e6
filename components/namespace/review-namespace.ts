import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
  pod,
  privateAddresses,
  reviewNamespace as defaults,
  webService,
} from "../conventions/defaults";
import { type Checked, assertValid, check, dnsLabel, integer } from "../conventions/validation";
import type { Identity } from "../conventions/labels";
import {
  type NetworkPolicyOverrides,
  guardrailLabels,
  networkPolicySpecs,
} from "./network-policies";
import { type Override, applyOverride } from "../conventions/override";
import { amountIssues } from "../conventions/quantities";
import { type PodRequirement, type Quota, quotaIssue } from "../conventions/quota";
import { createRoleBinding, ownerOf } from "./role-binding";
import { StackNamespace, type StackNamespaceArgs } from "./stack-namespace";

type Peer = k8s.types.input.networking.v1.NetworkPolicyPeer;

/** One pure function per spec of a {@link ReviewNamespace}, applied last: `(defaults) => spec`. */
export interface ReviewNamespaceOverrides {
  /**
   * What a container gets that asks for nothing, and the most it may ask for. Without defaults, the
   * quota refuses pods that ask for nothing.
   *
   * @default - as the component makes it
   * @example
   * (spec) => ({ ...spec, limits: spec.limits.map((limit) => ({ ...limit, max: { memory: "2Gi" } })) })
   */
  readonly limitRangeSpec?: Override<k8s.types.input.core.v1.LimitRangeSpec>;

  /**
   * The NetworkPolicies, by name. What one of them opens is open to the code of every branch.
   *
   * @default - each as the component makes it
   * @example
   * { "default-deny": (policy) => ({ ...policy, policyTypes: ["Ingress"] }) }
   */
  readonly networkPolicySpecs?: NetworkPolicyOverrides;

  /**
   * What all pods and objects together may be. What it does not limit, one branch can take from all
   * the others.
   *
   * @default - as the component makes it
   * @example
   * (spec) => ({ ...spec, hard: { ...spec.hard, "count/jobs.batch": "20" } })
   */
  readonly resourceQuotaSpec?: Override<k8s.types.input.core.v1.ResourceQuotaSpec>;
}

export interface ReviewNamespaceArgs extends Omit<StackNamespaceArgs, "annotations"> {
  /** What the namespace is recognised by: nothing without these labels is ever taken over. */
  readonly identity: Identity;
  /** Name of the namespace in the cluster. Another one deletes this one, with all that is in it. */
  readonly namespace: string;

  /**
   * Branch whose CI jobs may change what is in the namespace; those of main may, too. Without it
   * only administrators of the cluster may.
   *
   * @default - nobody's
   */
  readonly branch?: string;

  /**
   * Where Datadog's agent is, for the service and its jobs. It listens on each node, whose address
   * no selector knows. `[]` cuts metrics and traces off.
   *
   * @default - private addresses, ports 8125/UDP and 8126/TCP only
   */
  readonly datadogAgentTo?: readonly Peer[];

  /**
   * What the stack makes at most at once. It is refused when the quota has no room for it, because
   * Kubernetes would only leave pods out.
   *
   * @default []
   */
  readonly requirements?: readonly PodRequirement[];

  /**
   * What the service and its jobs may reach beside their database, DNS and Datadog. Whatever is
   * listed here is open to the code of every branch.
   *
   * @default []
   * @example
   * [{ to: [{ ipBlock: { cidr: "203.0.113.7/32" } }], ports: [{ port: 443, protocol: "TCP" }] }]
   */
  readonly egressTo?: readonly k8s.types.input.networking.v1.NetworkPolicyEgressRule[];

  /**
   * Where requests from outside come from. A load balancer's addresses are not pods: on EKS name
   * the subnets it is in. Without an entry nobody reaches the service.
   *
   * @default []
   * @example
   * [{ ipBlock: { cidr: "10.0.0.0/20" } }]
   */
  readonly ingressFrom?: readonly Peer[];

  /**
   * Pure functions that have the last word on each spec, for a field that no arg sets. A field that
   * they leave out is gone; only the cluster refuses a misspelt one.
   *
   * @default - none
   * @example
   * { resourceQuotaSpec: (spec) => ({ ...spec, hard: { ...spec.hard, "count/jobs.batch": "20" } }) }
   */
  readonly overrides?: ReviewNamespaceOverrides;

  /**
   * What all pods together may ask for. Beyond it, new pods are refused, and only an event says so.
   *
   * @default {"cpu":"2","memory":"4Gi","pods":10}
   */
  readonly quota?: Quota;

  /**
   * Port the web pods listen on; no other one is open.
   *
   * @default 8080
   */
  readonly webPort?: number;
}

/**
 * The namespace of a review stack with its guardrails: Pod Security `restricted`, a ResourceQuota, a
 * LimitRange, and NetworkPolicies that close everything but what the service needs.
 *
 * @throws pulumi.ResourceError with every issue of the args, before the first child.
 */
export class ReviewNamespace extends pulumi.ComponentResource {
  /** The namespace's name, known once its guardrails exist: what waits for it is never without them. */
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
    const { requirements = [], quota = defaults.quota, webPort = webService.port } = args;
    assertValid(this, "ReviewNamespace", name, [
      dnsLabel("namespace", args.namespace),
      ...quotaIssues(quota, requirements),
      ...(args.egressTo ?? []).map(({ to }, index) =>
        // Kubernetes takes a rule without peers for a rule that lets everything out.
        check(to !== undefined && !(Array.isArray(to) && to.length === 0), {
          arg: `egressTo[${String(index)}].to`,
          got: to ?? null,
          rule: "name at least one peer",
          fix: 'write the addresses, as [{ ipBlock: { cidr: "203.0.113.7/32" } }]',
        }),
      ),
      integer("webPort", webPort, 1025, 65_535),
    ]);
    const annotations = ownerOf(args);
    const { namespace, nodes } = new StackNamespace(
      name,
      { ...args, annotations },
      {
        // A stack that was made before it had guardrails keeps its namespace, and what is in it.
        aliases: [{ parent: pulumi.rootStackResource }],
        parent: this,
      },
    );
    // Rights first: whoever makes the rest has them by this binding. All of it goes with the
    // namespace, because nobody may take a guardrail away before.
    const first = { deletedWith: nodes.namespace, parent: this };
    const roleBinding = createRoleBinding(name, namespace, args, first);
    const then = { ...first, dependsOn: roleBinding === undefined ? [] : [roleBinding] };
    const resourceQuota = createResourceQuota(name, namespace, args, quota, then);
    const limitRange = createLimitRange(name, namespace, args, then);
    const networkPolicies = createNetworkPolicies(name, namespace, args, webPort, then);
    this.nodes = {
      limitRange,
      namespace: nodes.namespace,
      networkPolicies,
      resourceQuota,
      ...(roleBinding === undefined ? {} : { roleBinding }),
    };
    const guardrails = [resourceQuota, limitRange, ...networkPolicies];
    // URNs, unlike ids, are known in a preview, so that it shows the name.
    this.namespace = pulumi
      .all([namespace, pulumi.all(guardrails.map(({ urn }) => urn))])
      .apply(([known]) => known);
    this.registerOutputs({ namespace: this.namespace });
  }
}

function quotaIssues(quota: Quota, requirements: readonly PodRequirement[]): readonly Checked[] {
  const issues = [
    ...amountIssues("quota", quota, { cpu: '"2" or "500m"', memory: "4Gi" }),
    integer("quota.pods", quota.pods, 1, 1000),
  ];
  // What does not parse has room for nothing: one issue is enough.
  return issues.some((issue) => issue !== undefined) ? issues : [quotaIssue(quota, requirements)];
}

function createResourceQuota(
  name: string,
  namespace: pulumi.Input<string>,
  args: ReviewNamespaceArgs,
  quota: Quota,
  opts: pulumi.CustomResourceOptions,
): k8s.core.v1.ResourceQuota {
  return new k8s.core.v1.ResourceQuota(
    name,
    {
      metadata: { labels: guardrailLabels(args.identity), name: "review", namespace },
      spec: applyOverride(args.overrides?.resourceQuotaSpec, {
        hard: {
          ...defaults.quotaObjects,
          pods: String(quota.pods),
          "requests.cpu": quota.cpu,
          "requests.memory": quota.memory,
        },
      }),
    },
    opts,
  );
}

function createLimitRange(
  name: string,
  namespace: pulumi.Input<string>,
  args: ReviewNamespaceArgs,
  opts: pulumi.CustomResourceOptions,
): k8s.core.v1.LimitRange {
  return new k8s.core.v1.LimitRange(
    name,
    {
      metadata: { labels: guardrailLabels(args.identity), name: "review", namespace },
      spec: applyOverride(args.overrides?.limitRangeSpec, {
        limits: [
          {
            // A pod without requests would be refused by the quota: it gets those of every pod.
            default: { memory: pod.requests.memory },
            defaultRequest: { ...pod.requests },
            maxLimitRequestRatio: { memory: defaults.maxMemoryLimitRequestRatio },
            type: "Container",
          },
        ],
      }),
    },
    opts,
  );
}

function createNetworkPolicies(
  name: string,
  namespace: pulumi.Input<string>,
  args: ReviewNamespaceArgs,
  webPort: number,
  opts: pulumi.CustomResourceOptions,
): readonly k8s.networking.v1.NetworkPolicy[] {
  const { egressTo = [], identity, ingressFrom = [], overrides } = args;
  const { datadogAgentTo = privateAddresses.map((cidr) => ({ ipBlock: { cidr } })) } = args;
  const connections = { datadogAgentTo, egressTo, identity, ingressFrom, webPort };
  return networkPolicySpecs(connections, overrides?.networkPolicySpecs).map(
    ([policy, spec]) =>
      new k8s.networking.v1.NetworkPolicy(
        `${name}-${policy}`,
        { metadata: { labels: guardrailLabels(identity), name: policy, namespace }, spec },
        opts,
      ),
  );
}
