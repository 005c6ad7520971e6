import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { httpPortName, ingress as defaults, probes } from "../conventions/defaults";
import type { Annotations } from "../conventions/metadata";
import { applyOverride } from "../conventions/override";
import { metadataOf, protection } from "./metadata";
import { type WebServiceInputs, hasManagementPort } from "./normalize";

/** Returns the annotations for the AWS Load Balancer Controller. */
function albAnnotations(web: WebServiceInputs): Annotations {
  const { deregistrationDelaySeconds = defaults.deregistrationDelaySeconds } = web;
  const { ingressGroupName, ingressScheme = defaults.scheme, tls } = web;
  const alb = "alb.ingress.kubernetes.io";
  return {
    ...(ingressGroupName === undefined ? {} : { [`${alb}/group.name`]: ingressGroupName }),
    [`${alb}/healthcheck-path`]: web.readinessProbe?.path ?? probes.ready,
    // This annotation may contain the name of a port only if the Service has this port. If the
    // annotation contains a number, the controller uses the pods' port with this number, and opens
    // this port in the pods' security group.
    ...(hasManagementPort(web) ? { [`${alb}/healthcheck-port`]: String(web.managementPort) } : {}),
    [`${alb}/listen-ports`]: JSON.stringify(tls ? [{ HTTP: 80 }, { HTTPS: 443 }] : [{ HTTP: 80 }]),
    [`${alb}/scheme`]: ingressScheme,
    ...(tls
      ? { [`${alb}/ssl-policy`]: defaults.albSslPolicy, [`${alb}/ssl-redirect`]: "443" }
      : {}),
    [`${alb}/target-group-attributes`]: `deregistration_delay.timeout_seconds=${String(deregistrationDelaySeconds)}`,
    // With this value, the load balancer sends requests directly to the pods. With the value
    // `instance`, the load balancer would send requests to nodes, and would not detect that a pod
    // is terminating.
    [`${alb}/target-type`]: "ip",
  };
}

function ingressSpec(
  web: WebServiceInputs,
  serviceName: pulumi.Input<string>,
): k8s.types.input.networking.v1.IngressSpec {
  const { allHosts: hosts, ingressPreset, tlsSecretName } = web;
  const { ingressClassName = ingressPreset === undefined ? undefined : defaults.albClassName } =
    web;
  const backend = { service: { name: serviceName, port: { name: httpPortName } } };
  const tls = {
    hosts: hosts.map(({ host }) => host),
    ...(tlsSecretName === undefined ? {} : { secretName: tlsSecretName }),
  };
  return {
    ...(ingressClassName === undefined ? {} : { ingressClassName }),
    rules: hosts.map(({ host, paths = [{ path: "/" }] }) => ({
      host,
      http: {
        paths: paths.map(({ path, pathType = defaults.pathType }) => ({ backend, path, pathType })),
      },
    })),
    ...(web.tls ? { tls: [tls] } : {}),
  };
}

/** Creates the Ingress, which routes requests for the hosts to the Service. */
export function createIngress(
  parent: pulumi.Resource,
  name: string,
  web: WebServiceInputs,
  {
    rollout,
    service,
  }: { readonly rollout: pulumi.Input<pulumi.Resource>; readonly service: k8s.core.v1.Service },
): k8s.networking.v1.Ingress {
  const { ingressAnnotations, ingressPreset } = web;
  const annotations = {
    ...(ingressPreset === undefined ? {} : albAnnotations(web)),
    ...ingressAnnotations,
  };
  return new k8s.networking.v1.Ingress(
    name,
    {
      metadata: metadataOf(name, web, annotations),
      spec: applyOverride(web.overrides?.ingressSpec, ingressSpec(web, service.metadata.name)),
    },
    // Pulumi creates the Ingress after the rollout, and deletes the Ingress before the Deployment.
    { dependsOn: rollout, parent, ...protection(web) },
  );
}
