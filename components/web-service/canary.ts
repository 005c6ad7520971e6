import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { privatePeers } from "../conventions/defaults";
import { assertValid } from "../conventions/expected-error";
import { labels, trackSelector } from "../conventions/labels";
import { type Override, applyOverride } from "../conventions/override";
import { check } from "../conventions/validation";
import {
  type EgressRule,
  type Peer,
  egressIssues,
  egressRules,
} from "../namespace/network-policies";
import { portOf } from "../pods/database";
import { createConfigMap } from "../pods/objects";
import type { WebServiceOverrides } from "./arg-types";
import type { WebServiceArgs } from "./args";
import { type RolloutOptions, createDeployment } from "./deployment";
import { normalize } from "./normalize";
import { webServiceIssues } from "./validate";

type Spec = k8s.types.input.networking.v1.NetworkPolicySpec;

/** Pulumi's resource options, and how to wait for the rollout. */
type CanaryOptions = pulumi.ComponentResourceOptions & RolloutOptions;

/** The args of production's web service, without the args that a canary must not have. */
export interface CanaryArgs extends Omit<
  WebServiceArgs,
  | "autoscaling"
  | "iamRoleArn"
  | "longMigration"
  | "migrationArgs"
  | "overrides"
  | "protect"
  | "seedArgs"
  | "track"
> {
  /**
   * Number of pods, at least one. Production's Service sends about the same number of requests to
   * each pod, including the pods of the canary.
   */
  readonly replicas: number;
  /**
   * Name of production's ServiceAccount. The canary's pods get the permissions of this
   * ServiceAccount.
   */
  readonly serviceAccountName: pulumi.Input<string>;

  /**
   * Addresses of the database. The canary may connect to these addresses on the port in `database`.
   * A label selector cannot select a database outside of the cluster. With `[]`, the NetworkPolicy
   * blocks the database, and no pod of the canary becomes ready.
   *
   * @default - private addresses
   * @example
   * [{ ipBlock: { cidr: "10.0.32.0/20" } }]
   */
  readonly databaseTo?: readonly Peer[];

  /**
   * Addresses at which the canary can connect to the Datadog Agent. The canary may connect only to
   * the ports 8125/UDP and 8126/TCP of these addresses. The agent listens on each node, and a label
   * selector cannot select nodes. With `[]`, the policy blocks metrics and traces.
   *
   * @default - private addresses
   */
  readonly datadogAgentTo?: readonly Peer[];

  /**
   * Addresses of the cluster's DNS servers. The NetworkPolicy already allows the pods in namespace
   * `kube-system` with the label `k8s-app=kube-dns`. If the DNS servers are not these pods, and
   * this arg is not set, the canary's pods cannot resolve host names.
   *
   * @default []
   * @example
   * [{ ipBlock: { cidr: "169.254.20.10/32" } }]
   */
  readonly dnsTo?: readonly Peer[];

  /**
   * Destinations that the canary may connect to, in addition to the database, DNS and the Datadog
   * Agent. The code of the branch can connect to all of these destinations.
   *
   * @default []
   * @example
   * [{ to: [{ ipBlock: { cidr: "203.0.113.7/32" } }], ports: [{ port: 443, protocol: "TCP" }] }]
   */
  readonly egressTo?: readonly EgressRule[];

  /**
   * Pure functions that change the component's specs. These functions run last. The functions for
   * the Deployment and its pods are the same as in a WebService, and `networkPolicySpec` changes
   * the NetworkPolicy. The code of a branch can use all connections that the NetworkPolicy allows.
   *
   * @default - none
   * @example
   * { networkPolicySpec: (spec) => ({ ...spec, policyTypes: ["Egress", "Ingress"] }) }
   */
  readonly overrides?: CanaryOverrides;
}

/**
 * Pure functions `(defaults) => spec`, one for each spec of a {@link Canary}. These functions run
 * after the component has applied all args.
 */
export interface CanaryOverrides extends Omit<
  WebServiceOverrides,
  "autoscalerSpec" | "ingressSpec" | "migrationJobSpec" | "podDisruptionBudgetSpec" | "serviceSpec"
> {
  /**
   * Changes the spec of the NetworkPolicy. A rule without peers allows connections to every
   * address.
   *
   * @default - the component's own spec
   * @example
   * (spec) => ({ ...spec, policyTypes: ["Egress", "Ingress"] })
   */
  readonly networkPolicySpec?: Override<Spec>;
}

/**
 * A Deployment with track `canary`: a few pods with a branch's image that serve requests of
 * production. Production's Service selects these pods. The canary does not migrate the database,
 * and has no Service, Ingress or PodDisruptionBudget. So the deletion of the canary changes neither
 * the objects of production nor the database.
 *
 * A NetworkPolicy blocks every connection from the canary's pods, except to the database, DNS, the
 * Datadog Agent and `egressTo`. The policy does not select production's own pods.
 *
 * @throws pulumi.ResourceError with all issues of the args, before the component creates a child
 * resource.
 */
export class Canary extends pulumi.ComponentResource {
  readonly nodes: {
    readonly configMap?: k8s.core.v1.ConfigMap;
    readonly deployment: k8s.apps.v1.Deployment;
    readonly networkPolicy: k8s.networking.v1.NetworkPolicy;
  };

  /** The Deployment, which becomes known when its rollout is complete. */
  readonly rollout: pulumi.Input<k8s.apps.v1.Deployment>;

  constructor(name: string, args: CanaryArgs, opts: CanaryOptions = {}) {
    const { waitForRollout, ...rest } = opts;
    super("services:k8s:Canary", name, args, rest);
    const full: WebServiceArgs = { ...args, migrationArgs: [], seedArgs: [], track: "canary" };
    const web = normalize(full);
    assertValid(this, "Canary", name, [
      ...webServiceIssues(name, web, full),
      check(args.replicas !== 0, {
        arg: "replicas",
        got: args.replicas,
        rule: "be at least 1",
        fix: "destroy the stack to have no canary",
      }),
      ...egressIssues(args.egressTo ?? []),
    ]);
    const configMap = createConfigMap(this, name, web, labels(web.identity, "web"));
    const named = {
      configMapName: configMap?.metadata.name,
      serviceAccountName: args.serviceAccountName,
    };
    const networkPolicy = createNetworkPolicy(this, name, args);
    const { deployment, rollout } = createDeployment(this, name, web, named, {
      container: web.identity.service,
      dependsOn: [networkPolicy],
      waitForRollout,
    });
    this.rollout = rollout;
    this.nodes = { deployment, networkPolicy, ...(configMap === undefined ? {} : { configMap }) };
    this.registerOutputs({});
  }
}

/** Creates the NetworkPolicy, which has the same name as the Deployment. */
function createNetworkPolicy(
  parent: pulumi.Resource,
  name: string,
  args: CanaryArgs,
): k8s.networking.v1.NetworkPolicy {
  const { database, databaseTo = privatePeers, datadogAgentTo = privatePeers } = args;
  const { dnsTo = [], egressTo = [], identity, namespace, overrides } = args;
  const to = egressRules({
    database: { port: portOf(database), to: database === undefined ? [] : databaseTo },
    datadogAgentTo,
    dnsTo,
    egressTo,
  });
  const spec = applyOverride<Spec>(overrides?.networkPolicySpec, {
    egress: [...to.database, ...to.dns, ...to.datadog, ...to.others],
    podSelector: { matchLabels: trackSelector(identity, "web", "canary") },
    policyTypes: ["Egress"],
  });
  const metadata = { labels: labels(identity, "web"), name, namespace };
  return new k8s.networking.v1.NetworkPolicy(name, { metadata, spec }, { parent });
}
