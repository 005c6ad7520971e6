import { migrationJobName } from "../conventions/migrations/declaration";
import {
  httpPortName,
  ingress,
  managementPortName,
  migrationName,
  rollout,
  seedName,
} from "../conventions/defaults";
import { type Checked, check, dnsLabel, fields, integer, unique } from "../conventions/validation";
import { workloadIssues } from "../pods/workload";
import type { PodsOrPercent, ProbeSettings } from "./arg-types";
import type { WebServiceArgs } from "./args";
import type { WebServiceInputs } from "./normalize";
import { debugPortName } from "./pod-template";

/**
 * Checks all rules of a web service and returns the issues. `args` are the caller's args, without
 * the defaults.
 */
export function webServiceIssues(
  name: string,
  web: WebServiceInputs,
  args: WebServiceArgs,
): readonly Checked[] {
  return [
    dnsLabel("name", name),
    ...workloadIssues(web, [name, migrationName, seedName]),
    ...ingressIssues(web),
    ...portIssues(web, args),
    ...autoscalingIssues(args),
    ...longMigrationIssues(name, web),
    ...rolloutIssues(web),
    ...terminationIssues(web),
    ...probeIssues("livenessProbe", web.livenessProbe),
    ...probeIssues("readinessProbe", web.readinessProbe),
    ...probeIssues("startupProbe", web.startupProbe),
  ];
}

function longMigrationIssues(name: string, web: WebServiceInputs): readonly Checked[] {
  const { longMigration, migrationArgs } = web;
  if (longMigration === undefined) return [];
  const { activeDeadlineSeconds, version } = longMigration;
  return [
    check(migrationArgs.length > 0, {
      arg: "longMigration",
      fix: "set `database` or `migrationArgs`",
      got: longMigration,
      rule: "be left out if there is no migration",
    }),
    check(/^[1-9][0-9]*$/.test(version), {
      arg: "longMigration.version",
      fix: 'write it as "12"',
      got: version,
      rule: "be the number in the name of a migration",
    }),
    dnsLabel("the name of the migration's Job", migrationJobName(name, version)),
    integer("longMigration.activeDeadlineSeconds", activeDeadlineSeconds, 1, 2 ** 31 - 1),
  ];
}

function autoscalingIssues({ autoscaling, replicas }: WebServiceArgs): readonly Checked[] {
  if (autoscaling === undefined) return [integer("replicas", replicas ?? 0, 0, 1000)];
  const { cpuUtilization = 1, maxReplicas, memoryUtilization = 1, minReplicas } = autoscaling;
  return [
    check(replicas === undefined, {
      arg: "replicas",
      fix: "use autoscaling.minReplicas",
      got: replicas,
      rule: "be left out if autoscaling is set",
    }),
    integer("autoscaling.minReplicas", minReplicas, 1, 1000),
    integer("autoscaling.maxReplicas", maxReplicas, Math.max(1, minReplicas), 1000),
    integer("autoscaling.cpuUtilization", cpuUtilization, 1, 1000),
    integer("autoscaling.memoryUtilization", memoryUtilization, 1, 100),
  ];
}

/** Form of a host name: lower case, with at least two labels. */
const hostForm =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;

function hostIssue(arg: string, got: string): Checked {
  return check(hostForm.test(got), {
    arg,
    fix: "leave out scheme, port and path",
    got,
    rule: "be a host name with a domain, in lower case",
  });
}

function hostsIssues({ host, hosts = [] }: WebServiceInputs): readonly Checked[] {
  return [
    host === undefined ? undefined : hostIssue("host", host),
    ...unique([host], fields("hosts", "host", hosts), "put all paths of the host into one entry"),
    ...hosts.flatMap(({ host, paths }, i) => [
      hostIssue(`hosts[${String(i)}].host`, host),
      check(paths?.length !== 0, {
        arg: `hosts[${String(i)}].paths`,
        fix: "leave `paths` out for all paths",
        got: paths,
        rule: "have at least one path",
      }),
      ...(paths ?? []).map(({ path }, j) =>
        check(path.startsWith("/") && !/[\s?#]/.test(path), {
          arg: `hosts[${String(i)}].paths[${String(j)}].path`,
          fix: 'write it as "/orders"',
          got: path,
          rule: "start with a slash, and contain no space, ? or #",
        }),
      ),
    ]),
  ];
}

function ingressIssues(web: WebServiceInputs): readonly Checked[] {
  const { deregistrationDelaySeconds, ingressGroupName, ingressPreset, ingressScheme } = web;
  const { terminationGracePeriodSeconds, tls, tlsSecretName } = web;
  const onlyWithPreset = { deregistrationDelaySeconds, ingressGroupName, ingressScheme };
  const delay = deregistrationDelaySeconds ?? ingress.deregistrationDelaySeconds;
  return [
    ...hostsIssues(web),
    check(tlsSecretName === undefined || tls, {
      arg: "tlsSecretName",
      fix: "set `tls` to true",
      got: tlsSecretName,
      rule: "be left out without tls",
    }),
    ...Object.entries(onlyWithPreset).map(([arg, got]) =>
      check(got === undefined || ingressPreset !== undefined, {
        arg,
        fix: "set `ingressPreset`, or write an annotation with `ingressAnnotations`",
        got,
        rule: "be left out without ingressPreset",
      }),
    ),
    check(
      ingressGroupName === undefined ||
        /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/.test(ingressGroupName),
      {
        arg: "ingressGroupName",
        fix: 'use a name such as "orders-internal"',
        got: ingressGroupName,
        rule: "have at most 63 characters (lower case letters, digits, hyphens, dots), and start and end with a letter or digit",
      },
    ),
    ingressPreset === undefined
      ? undefined
      : integer("deregistrationDelaySeconds", delay, 0, terminationGracePeriodSeconds),
    integer("publicPort", web.publicPort, 1, 65_535),
  ];
}

const portNameForm = /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*$/;

function portIssues(web: WebServiceInputs, given: WebServiceArgs): readonly Checked[] {
  const { debugPort, managementPort, port, ports = [], servicePort } = web;
  return [
    integer("port", port, 1025, 65_535),
    integer("managementPort", managementPort, 1025, 65_535),
    integer("debugPort", debugPort, 1025, 65_535),
    // If the service has only one port, the caller must also set `managementPort` to this port.
    check(managementPort !== port || given.managementPort !== undefined, {
      arg: "port",
      fix: "choose another one, or set managementPort",
      got: port,
      rule: "differ from the default of managementPort",
    }),
    ...Object.entries({ managementPort, port }).map(([arg, other]) =>
      check(debugPort !== other, {
        arg: "debugPort",
        fix: "choose another one",
        got: debugPort,
        rule: `differ from ${arg}`,
      }),
    ),
    ...ports.flatMap((extra, i) => [
      check(portNameForm.test(extra.name), {
        arg: `ports[${String(i)}].name`,
        fix: 'write it as "metrics"',
        got: extra.name,
        rule: "be at most 15 lower case letters, digits and hyphens",
      }),
      integer(`ports[${String(i)}].port`, extra.port, 1025, 65_535),
      integer(`ports[${String(i)}].servicePort`, extra.servicePort, 1, 65_535),
    ]),
    ...unique([httpPortName, managementPortName, debugPortName], fields("ports", "name", ports)),
    ...unique([port, managementPort, debugPort], fields("ports", "port", ports)),
    ...unique([servicePort], fields("ports", "servicePort", ports)),
  ];
}

function isPods(value: PodsOrPercent): boolean {
  return typeof value === "number"
    ? Number.isInteger(value) && value >= 0
    : /^(?:100|[1-9]?[0-9])%$/.test(value);
}

function rolloutIssues(web: WebServiceInputs): readonly Checked[] {
  const { maxSurge, maxUnavailable, minReadySeconds, progressDeadlineSeconds } = web;
  const none: readonly PodsOrPercent[] = [0, "0%"];
  return [
    ...Object.entries({ maxSurge, maxUnavailable }).map(([arg, got]) =>
      check(isPods(got), {
        arg,
        fix: 'write it as 1 or "25%"',
        got,
        rule: "be an integer of at least 0, or a percentage of at most 100%",
      }),
    ),
    check(!none.includes(maxSurge) || !none.includes(maxUnavailable), {
      arg: "maxSurge",
      fix: "raise one of the two, because a rollout must be able to add or to remove a pod",
      got: maxSurge,
      rule: "be above 0 if maxUnavailable is 0",
    }),
    integer("minReadySeconds", minReadySeconds, 0, 3600),
    check(Number.isInteger(progressDeadlineSeconds) && progressDeadlineSeconds > minReadySeconds, {
      arg: "progressDeadlineSeconds",
      fix: "give a pod time to start",
      got: progressDeadlineSeconds,
      rule: `be an integer above minReadySeconds (${String(minReadySeconds)})`,
    }),
    integer("revisionHistoryLimit", web.revisionHistoryLimit, 0, 100),
  ];
}

function terminationIssues(web: WebServiceInputs): readonly Checked[] {
  const { drainSeconds, preStopSeconds, terminationGracePeriodSeconds } = web;
  const { graceMarginSeconds } = rollout;
  const needed = preStopSeconds + drainSeconds + graceMarginSeconds;
  return [
    integer("drainSeconds", drainSeconds, 0, 3600),
    integer("preStopSeconds", preStopSeconds, 1, 3600),
    check(
      Number.isInteger(terminationGracePeriodSeconds) && terminationGracePeriodSeconds >= needed,
      {
        arg: "terminationGracePeriodSeconds",
        fix: "raise it, or lower the other two",
        got: terminationGracePeriodSeconds,
        rule: `be an integer of at least ${String(needed)} (preStopSeconds + drainSeconds + ${String(graceMarginSeconds)})`,
      },
    ),
  ];
}

function probeIssues(arg: string, probe: ProbeSettings = {}): readonly Checked[] {
  const { path = "/", ...times } = probe;
  return [
    check(/^\/[^\s]*$/.test(path), {
      arg: `${arg}.path`,
      fix: 'write it as "/health/live"',
      got: path,
      rule: "start with a slash",
    }),
    ...Object.entries(times).map(([key, value]) => integer(`${arg}.${key}`, value, 1, 3600)),
  ];
}
