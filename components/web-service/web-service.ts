import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { httpPortName, rollout as fixed, webService as defaults } from "../conventions/defaults";
import { assertValid } from "../conventions/expected-error";
import { labels, selector, trackSelector } from "../conventions/labels";
import { applyOverride } from "../conventions/override";
import { type PodRequirement, peakPods } from "../conventions/quota";
import { createConfigMap, createServiceAccount } from "../pods/objects";
import { defined } from "../conventions/with-defaults";
import type { WebServiceArgs } from "./args";
import { type RolloutOptions, createDeployment } from "./deployment";
import { createAutoscaler } from "./autoscaler";
import { createIngress } from "./ingress";
import { type MigrationOptions, createMigrationJob } from "./migration-job";
import { metadataOf, protection } from "./metadata";
import { type WebServiceInputs, normalize } from "./normalize";
import { webServiceIssues } from "./validate";

export type * from "./arg-types";
export type { WebServiceArgs } from "./args";

/** Pulumi's resource options, and how to wait for a long migration and for the rollout. */
export type WebServiceOptions = pulumi.ComponentResourceOptions & MigrationOptions & RolloutOptions;

/** The Kubernetes objects of a {@link WebService}. */
export interface WebServiceNodes {
  readonly autoscaler?: k8s.autoscaling.v2.HorizontalPodAutoscaler;
  readonly configMap?: k8s.core.v1.ConfigMap;
  readonly deployment: k8s.apps.v1.Deployment;
  readonly ingress?: k8s.networking.v1.Ingress;
  readonly migrationJob?: k8s.batch.v1.Job;
  readonly podDisruptionBudget?: k8s.policy.v1.PodDisruptionBudget;
  readonly service: k8s.core.v1.Service;
  readonly serviceAccount: k8s.core.v1.ServiceAccount;
}

/**
 * An HTTP service. With at least two pods, the service loses no request during an update, a node
 * drain or a change to the number of pods. With one pod, a node drain causes downtime.
 *
 * The component creates a Deployment, a Service and a ServiceAccount. With a host, the component
 * also creates an Ingress. With more than one replica, the component creates a PodDisruptionBudget.
 * With the arg `autoscaling`, the component creates a HorizontalPodAutoscaler. With
 * `longMigration`, the component creates a Job. With `configFiles`, the component creates a
 * ConfigMap. All objects have the component's name, except two: Pulumi generates the ConfigMap's
 * name, and the Job's name contains the version of the migration.
 *
 * @throws pulumi.ResourceError with all issues of the args, before the component creates a child
 * resource.
 */
export class WebService extends pulumi.ComponentResource {
  /** Public URL, which ends with a slash. Undefined without a host. */
  readonly url: string | undefined;
  readonly nodes: WebServiceNodes;
  /** The Deployment, which becomes known when its rollout is complete. */
  readonly rollout: pulumi.Input<k8s.apps.v1.Deployment>;

  /**
   * Returns the maximum number of pods of a service with these args during a long migration or a
   * rollout, and the requests of each pod.
   */
  static peakPods(
    name: string,
    args: Pick<
      WebServiceArgs,
      "autoscaling" | "longMigration" | "maxSurge" | "replicas" | "requests"
    >,
  ): PodRequirement {
    const { autoscaling, maxSurge = defaults.maxSurge, requests = defaults.requests } = args;
    const { replicas = defaults.replicas } = args;
    const usual = autoscaling?.maxReplicas ?? replicas;
    const migrating = args.longMigration === undefined ? 0 : usual + 1;
    return { name, pods: Math.max(peakPods(usual, maxSurge), migrating), requests };
  }

  constructor(name: string, args: WebServiceArgs, opts: WebServiceOptions = {}) {
    const { waitForMigration, waitForRollout, ...rest } = opts;
    super("services:k8s:WebService", name, args, rest);
    const web = normalize(args);
    assertValid(this, "WebService", name, webServiceIssues(name, web, args));
    const own = labels(web.identity, "web");
    const serviceAccount = createServiceAccount(this, name, web, own);
    const configMap = createConfigMap(this, name, web, own);
    const named = {
      configMapName: configMap?.metadata.name,
      serviceAccountName: serviceAccount.metadata.name,
    };
    const { longMigration } = args;
    const migration =
      longMigration &&
      createMigrationJob(this, name, web, named, { longMigration, waitForMigration });
    const how = { dependsOn: migration ? [migration.migrated] : [], waitForRollout };
    const { deployment, rollout } = createDeployment(this, name, web, named, how);
    const autoscaler = createAutoscaler(this, name, web, rollout);
    const service = createService(this, name, web);
    const podDisruptionBudget = web.replicas > 1 ? createBudget(this, name, web) : undefined;
    const ingress =
      web.url === undefined ? undefined : createIngress(this, name, web, { rollout, service });
    this.nodes = {
      deployment,
      service,
      serviceAccount,
      ...defined({
        autoscaler,
        configMap,
        ingress,
        migrationJob: migration?.job,
        podDisruptionBudget,
      }),
    };
    this.rollout = rollout;
    this.url = web.url;
    this.registerOutputs({ url: this.url });
  }
}

function createService(
  parent: pulumi.Resource,
  name: string,
  web: WebServiceInputs,
): k8s.core.v1.Service {
  return new k8s.core.v1.Service(
    name,
    {
      // Without `skipAwait`, the provider would wait until every selected pod is ready. So a canary
      // that does not start would block production's update. Pulumi waits for the Deployment, and
      // this is sufficient.
      metadata: metadataOf(name, web, { "pulumi.com/skipAwait": "true" }),
      spec: applyOverride(web.overrides?.serviceSpec, {
        ports: [
          {
            name: httpPortName,
            port: web.servicePort,
            protocol: "TCP",
            targetPort: httpPortName,
          },
          ...(web.ports ?? []).flatMap(({ name, servicePort }) =>
            servicePort === undefined
              ? []
              : [{ name, port: servicePort, protocol: "TCP", targetPort: name }],
          ),
        ],
        // The selector has no track, so the Service selects the pods of production and of the
        // canary.
        selector: selector(web.identity, "web"),
        type: "ClusterIP",
      }),
    },
    { parent, ...protection(web) },
  );
}

function createBudget(
  parent: pulumi.Resource,
  name: string,
  web: WebServiceInputs,
): k8s.policy.v1.PodDisruptionBudget {
  return new k8s.policy.v1.PodDisruptionBudget(
    name,
    {
      metadata: metadataOf(name, web),
      spec: applyOverride(web.overrides?.podDisruptionBudgetSpec, {
        maxUnavailable: fixed.pdbMaxUnavailable,
        selector: { matchLabels: trackSelector(web.identity, "web", web.track) },
        // Pods that never become ready must not block the drain of their node.
        unhealthyPodEvictionPolicy: "AlwaysAllow",
      }),
    },
    { parent },
  );
}
