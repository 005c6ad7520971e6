import { pod, webService as defaults } from "../conventions/defaults";
import { type ValidationIssue, check, integer } from "../conventions/validation";
import { budgets, isDnsLabel } from "../conventions/names";
import { type Workload, workloadIssues } from "../pods/workload";
import { autoscalingIssues } from "./autoscaler";
import type { Track } from "../conventions/labels";
import { hostsOf, ingressIssues } from "./ingress";
import type { IngressArgs } from "./ingress-args";
import { migrationName, seedName } from "./pod-template";
import { rolloutIssues } from "./rollout";
import type { PodsOrPercent, RolloutArgs } from "./rollout-args";
import type { Autoscaling, WebServiceArgs } from "./args";
import type { WebServiceOverrides } from "./overrides";

/** A web service with every default filled in. */
export interface ResolvedWebService extends Workload, IngressArgs, RolloutArgs {
  readonly args: readonly string[];
  readonly autoscaling?: Autoscaling | undefined;
  readonly drainSeconds: number;
  readonly host: string | undefined;
  readonly ingressClassName: string | undefined;
  readonly maxSurge: PodsOrPercent;
  readonly maxUnavailable: PodsOrPercent;
  readonly migrationArgs: readonly string[];
  readonly minReadySeconds: number;
  readonly namespace: WebServiceArgs["namespace"];
  readonly overrides: WebServiceOverrides;
  readonly port: number;
  readonly preStopSeconds: number;
  readonly progressDeadlineSeconds: number;
  readonly protect?: boolean;
  readonly replicas: number;
  readonly revisionHistoryLimit: number;
  readonly seedArgs: readonly string[];
  readonly servicePort: number;
  readonly terminationGracePeriodSeconds: number;
  readonly tls: boolean;
  readonly track: Track;
  readonly url: string | undefined;
}

/** The args with their defaults. Changes nothing of the caller's. */
export function resolve(given: WebServiceArgs): ResolvedWebService {
  const { database, ingressClassName, publicPort, tls = false } = given;
  const host = hostsOf(given)[0]?.host;
  const port = publicPort === undefined ? "" : `:${String(publicPort)}`;
  const url = host === undefined ? undefined : `${tls ? "https" : "http"}://${host}${port}/`;
  const {
    appEndpoint = url,
    args = defaults.args,
    drainSeconds = defaults.drainSeconds,
    maxSurge = defaults.maxSurge,
    maxUnavailable = defaults.maxUnavailable,
    migrationArgs = database === undefined ? [] : defaults.migrationArgs,
    minReadySeconds = defaults.minReadySeconds,
    overrides = {},
    preStopSeconds = defaults.preStopSeconds,
    progressDeadlineSeconds = defaults.progressDeadlineSeconds,
    // What the Deployment starts with. From then on the autoscaler decides.
    replicas = given.autoscaling?.minReplicas ?? defaults.replicas,
    requests = pod.requests,
    revisionHistoryLimit = defaults.revisionHistoryLimit,
    seedArgs = [],
    terminationGracePeriodSeconds = defaults.terminationGracePeriodSeconds,
    track = defaults.track,
  } = given;
  return {
    ...given,
    appEndpoint,
    args,
    drainSeconds,
    host: given.host,
    ingressClassName,
    maxSurge,
    maxUnavailable,
    migrationArgs,
    minReadySeconds,
    overrides,
    port: given.port ?? defaults.port,
    preStopSeconds,
    progressDeadlineSeconds,
    replicas,
    requests,
    revisionHistoryLimit,
    seedArgs,
    servicePort: defaults.servicePort,
    terminationGracePeriodSeconds,
    tls,
    track,
    url,
  };
}

/** Every issue of a web service's args. */
export function webServiceIssues(
  name: string,
  web: ResolvedWebService,
  given: WebServiceArgs,
): readonly (ValidationIssue | undefined)[] {
  const { drainSeconds, minReadySeconds, preStopSeconds, progressDeadlineSeconds } = web;
  const { terminationGracePeriodSeconds } = web;
  const needed = preStopSeconds + drainSeconds + defaults.graceMarginSeconds;
  return [
    check(isDnsLabel(name), {
      arg: "name",
      got: name,
      rule: `be a DNS label of at most ${String(budgets.dnsLabel)} characters`,
      fix: "use lower case letters, digits and hyphens, and start with a letter",
    }),
    ...workloadIssues(web, [name, migrationName, seedName]),
    ...autoscalingIssues(given.autoscaling, given.replicas),
    integer("drainSeconds", drainSeconds, 0, 3600),
    ...ingressIssues(web),
    ...rolloutIssues(web),
    integer("port", web.port, 1025, 65_535),
    integer("preStopSeconds", preStopSeconds, 1, 3600),
    check(Number.isInteger(progressDeadlineSeconds) && progressDeadlineSeconds > minReadySeconds, {
      arg: "progressDeadlineSeconds",
      got: progressDeadlineSeconds,
      rule: `be a whole number above ${String(minReadySeconds)}, the seconds a pod must stay ready`,
      fix: "give a pod time to start",
    }),
    given.publicPort === undefined ? undefined : integer("publicPort", given.publicPort, 1, 65_535),
    integer("replicas", given.replicas ?? defaults.replicas, 0, 1000),
    check(
      Number.isInteger(terminationGracePeriodSeconds) && terminationGracePeriodSeconds >= needed,
      {
        arg: "terminationGracePeriodSeconds",
        got: terminationGracePeriodSeconds,
        rule: `be a whole number of at least ${String(needed)} (preStopSeconds + drainSeconds + ${String(defaults.graceMarginSeconds)})`,
        fix: "raise it, or lower the other two",
      },
    ),
  ];
}
