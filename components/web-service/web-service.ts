import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { httpPortName, webService as defaults } from "../conventions/defaults";
import { assertValid } from "../conventions/validation";
import { labels, selector, trackSelector } from "../conventions/labels";
import { type Annotations, objectMetadata } from "../conventions/metadata";
import { applyOverride } from "../conventions/override";
import { createConfigMap, createServiceAccount } from "../pods/objects";
import type { WebServiceArgs } from "./args";
import { createDeployment, protection } from "./deployment";
import { createAutoscaler } from "./autoscaler";
import { createIngress } from "./ingress";
import { type ResolvedWebService, resolve, webServiceIssues } from "./resolved";

export type { Autoscaling, WebServiceArgs } from "./args";
export type { IngressHost, IngressPath } from "./ingress-args";
export type { WebServiceOverrides } from "./overrides";
export type { ExtraPort, ProbeSettings } from "./rollout-args";

/** The Kubernetes objects of a {@link WebService}. */
export interface WebServiceNodes {
  readonly autoscaler?: k8s.autoscaling.v2.HorizontalPodAutoscaler;
  readonly configMap?: k8s.core.v1.ConfigMap;
  readonly deployment: k8s.apps.v1.Deployment;
  readonly ingress?: k8s.networking.v1.Ingress;
  readonly podDisruptionBudget?: k8s.policy.v1.PodDisruptionBudget;
  readonly service: k8s.core.v1.Service;
  readonly serviceAccount: k8s.core.v1.ServiceAccount;
}

/**
 * An HTTP service that loses no request while it is updated, drained or scaled: Deployment, Service,
 * ServiceAccount, with a host an Ingress, with several replicas a PodDisruptionBudget, with
 * `autoscaling` a HorizontalPodAutoscaler, and with `configFiles` a ConfigMap.
 *
 * The component's name is the name of all of them but the ConfigMap, which gets one by its content.
 *
 * @throws pulumi.ResourceError with every issue of the args, before the first child.
 */
export class WebService extends pulumi.ComponentResource {
  /** Public URL, ending with a slash; undefined without a host. */
  readonly url: string | undefined;
  readonly nodes: WebServiceNodes;

  constructor(name: string, args: WebServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:k8s:WebService", name, args, opts);
    const web = resolve(args);
    assertValid(this, "WebService", name, webServiceIssues(name, web, args));
    const own = labels(web.identity, "web");
    const serviceAccount = createServiceAccount(this, name, web, own);
    const configMap = createConfigMap(this, name, web, own);
    const deployment = createDeployment(this, name, web, {
      configMapName: configMap?.metadata.name,
      serviceAccountName: serviceAccount.metadata.name,
    });
    const autoscaler =
      web.autoscaling === undefined
        ? undefined
        : createAutoscaler(this, deployment, {
            autoscaling: web.autoscaling,
            metadata: metadata(name, web),
            name,
            overrides: web.overrides,
          });
    const service = createService(this, name, web);
    const podDisruptionBudget = web.replicas > 1 ? createBudget(this, name, web) : undefined;
    const ingress =
      web.url === undefined ? undefined : createIngress(this, name, web, { deployment, service });
    this.nodes = {
      deployment,
      service,
      serviceAccount,
      ...(autoscaler === undefined ? {} : { autoscaler }),
      ...(configMap === undefined ? {} : { configMap }),
      ...(ingress === undefined ? {} : { ingress }),
      ...(podDisruptionBudget === undefined ? {} : { podDisruptionBudget }),
    };
    this.url = web.url;
    this.registerOutputs({ url: this.url });
  }
}

function metadata(
  name: string,
  web: ResolvedWebService,
  annotations?: Annotations,
): k8s.types.input.meta.v1.ObjectMeta {
  const { identity, namespace } = web;
  return { ...objectMetadata(web, labels(identity, "web"), annotations), name, namespace };
}

function createService(
  parent: pulumi.Resource,
  name: string,
  web: ResolvedWebService,
): k8s.core.v1.Service {
  return new k8s.core.v1.Service(
    name,
    {
      // The provider's wait ends only when no selected pod is unready, so a canary that does not
      // start would stop production's update. The Deployment's own wait says all there is to say.
      metadata: metadata(name, web, { "pulumi.com/skipAwait": "true" }),
      spec: applyOverride(web.overrides.serviceSpec, {
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
        // No track: production's pods and a canary's are endpoints of the one Service.
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
  web: ResolvedWebService,
): k8s.policy.v1.PodDisruptionBudget {
  return new k8s.policy.v1.PodDisruptionBudget(
    name,
    {
      metadata: metadata(name, web),
      spec: applyOverride(web.overrides.podDisruptionBudgetSpec, {
        maxUnavailable: defaults.pdbMaxUnavailable,
        selector: { matchLabels: trackSelector(web.identity, "web", web.track) },
        // Else pods that never become ready keep a node from being drained for ever.
        unhealthyPodEvictionPolicy: "AlwaysAllow",
      }),
    },
    { parent },
  );
}
