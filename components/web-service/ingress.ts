import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { httpPortName, ingress as defaults, probes } from "../conventions/defaults";
import { type ValidationIssue, check, duplicates, integer } from "../conventions/validation";
import { labels } from "../conventions/labels";
import { type Annotations, objectMetadata } from "../conventions/metadata";
import { applyOverride } from "../conventions/override";
import { protection } from "./deployment";
import type { IngressHost } from "./ingress-args";
import type { ResolvedWebService } from "./resolved";

/** Every host with its paths; `host` first. */
export function hostsOf(args: {
  readonly host?: string | undefined;
  readonly hosts?: readonly IngressHost[];
}): readonly IngressHost[] {
  const { host, hosts = [] } = args;
  return host === undefined ? hosts : [{ host }, ...hosts];
}

/** Annotations of the AWS Load Balancer Controller. */
function albAnnotations(web: ResolvedWebService): Annotations {
  const { deregistrationDelaySeconds = defaults.deregistrationDelaySeconds } = web;
  const { ingressGroupName, ingressScheme = defaults.scheme, tls } = web;
  const alb = "alb.ingress.kubernetes.io";
  return {
    ...(ingressGroupName === undefined ? {} : { [`${alb}/group.name`]: ingressGroupName }),
    [`${alb}/healthcheck-path`]: web.readinessProbe?.path ?? probes.ready,
    [`${alb}/listen-ports`]: JSON.stringify(tls ? [{ HTTP: 80 }, { HTTPS: 443 }] : [{ HTTP: 80 }]),
    [`${alb}/scheme`]: ingressScheme,
    ...(tls ? { [`${alb}/ssl-redirect`]: "443" } : {}),
    [`${alb}/target-group-attributes`]: `deregistration_delay.timeout_seconds=${String(deregistrationDelaySeconds)}`,
    // To the pods themselves: a node between would not know which of them is about to go.
    [`${alb}/target-type`]: "ip",
  };
}

function ingressSpec(
  web: ResolvedWebService,
  serviceName: pulumi.Input<string>,
): k8s.types.input.networking.v1.IngressSpec {
  const hosts = hostsOf(web);
  const { ingressPreset, tlsSecretName } = web;
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

/** What leads the hosts to the Service. */
export function createIngress(
  parent: pulumi.Resource,
  name: string,
  web: ResolvedWebService,
  { deployment, service }: { deployment: pulumi.Resource; service: k8s.core.v1.Service },
): k8s.networking.v1.Ingress {
  const { identity, ingressAnnotations, ingressPreset, namespace } = web;
  const annotations = {
    ...(ingressPreset === undefined ? {} : albAnnotations(web)),
    ...ingressAnnotations,
  };
  return new k8s.networking.v1.Ingress(
    name,
    {
      metadata: { ...objectMetadata(web, labels(identity, "web"), annotations), name, namespace },
      spec: applyOverride(web.overrides.ingressSpec, ingressSpec(web, service.metadata.name)),
    },
    // The host appears when there is something behind it, and goes before it does.
    { dependsOn: deployment, parent, ...protection(web) },
  );
}

/** A lower-case host name of at least two labels. */
const hostForm =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;

/** Issues of how the service is reached. */
export function ingressIssues(web: ResolvedWebService): readonly (ValidationIssue | undefined)[] {
  const { deregistrationDelaySeconds, host, hosts = [], ingressGroupName, ingressPreset } = web;
  const { ingressScheme, terminationGracePeriodSeconds, tls, tlsSecretName } = web;
  const all = hostsOf(web).map((entry) => entry.host);
  const hostIssue = (arg: string, got: string) =>
    check(hostForm.test(got), {
      arg,
      got,
      rule: "be a host name in lower case",
      fix: "leave out scheme, port and path",
    });
  const onlyWithPreset = { deregistrationDelaySeconds, ingressGroupName, ingressScheme };
  return [
    host === undefined ? undefined : hostIssue("host", host),
    ...hosts.map((entry) => hostIssue("hosts.host", entry.host)),
    ...duplicates(all).map((got) => ({
      arg: "hosts",
      got,
      rule: "have each host once",
      fix: "give one entry all of its paths",
    })),
    ...hosts
      .filter(({ paths }) => paths?.length === 0)
      .map((entry) => ({
        arg: "hosts.paths",
        got: entry,
        rule: "have at least one path",
        fix: "leave `paths` out for all of them",
      })),
    ...hosts
      .flatMap(({ paths = [] }) => paths)
      .map(({ path }) =>
        check(path.startsWith("/") && !/[\s?#]/.test(path), {
          arg: "hosts.paths",
          got: path,
          rule: "start with a slash, without query",
          fix: 'write it as "/orders"',
        }),
      ),
    check(tlsSecretName === undefined || tls, {
      arg: "tlsSecretName",
      got: tlsSecretName,
      rule: "be left out without tls",
      fix: "set `tls` to true",
    }),
    ...Object.entries(onlyWithPreset).map(([arg, got]) =>
      check(got === undefined || ingressPreset !== undefined, {
        arg,
        got,
        rule: "be left out without ingressPreset",
        fix: "set `ingressPreset`, or write it as an annotation by `ingressAnnotations`",
      }),
    ),
    check(
      ingressGroupName === undefined ||
        /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/.test(ingressGroupName),
      {
        arg: "ingressGroupName",
        got: ingressGroupName,
        rule: "be lower case letters, digits, hyphens and dots, at most 63",
        fix: "use only these, and start and end with a letter or digit",
      },
    ),
    ingressPreset === undefined
      ? undefined
      : integer(
          "deregistrationDelaySeconds",
          deregistrationDelaySeconds ?? defaults.deregistrationDelaySeconds,
          0,
          terminationGracePeriodSeconds,
        ),
  ];
}
