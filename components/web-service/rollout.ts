import { httpPortName } from "../conventions/defaults";
import { type ValidationIssue, check, duplicates, integer } from "../conventions/validation";
import type { ResolvedWebService } from "./resolved";
import type { PodsOrPercent, ProbeSettings } from "./rollout-args";

/** Name of the debugger's port. */
export const debugPortName = "debug";

const portNameForm = /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*$/;

function isPods(value: PodsOrPercent): boolean {
  return typeof value === "number"
    ? Number.isInteger(value) && value >= 0
    : /^(?:100|[1-9]?[0-9])%$/.test(value);
}

function probeIssues(
  arg: string,
  probe: ProbeSettings = {},
): readonly (ValidationIssue | undefined)[] {
  const { path = "/", ...times } = probe;
  return [
    check(/^\/[^\s]*$/.test(path), {
      arg: `${arg}.path`,
      got: path,
      rule: "start with a slash",
      fix: 'write it as "/health/live"',
    }),
    ...Object.entries(times).map(([key, seconds]) => integer(`${arg}.${key}`, seconds, 1, 3600)),
  ];
}

function portIssues(web: ResolvedWebService): readonly (ValidationIssue | undefined)[] {
  const { debugPort, ports = [] } = web;
  const debug = debugPort === undefined ? [] : [debugPort];
  const servicePorts = ports.map(({ servicePort }) => servicePort).filter((p) => p !== undefined);
  const once = (arg: string, all: readonly (number | string)[]) =>
    duplicates(all).map((got) => ({ arg, got, rule: "be there once", fix: "choose another one" }));
  return [
    ...debug.map((port) => integer("debugPort", port, 1025, 65_535)),
    ...ports.map(({ name }) =>
      check(portNameForm.test(name), {
        arg: "ports.name",
        got: name,
        rule: "be at most 15 lower case letters, digits and hyphens",
        fix: 'write it as "metrics"',
      }),
    ),
    ...ports.map(({ port }) => integer("ports.port", port, 1025, 65_535)),
    ...servicePorts.map((port) => integer("ports.servicePort", port, 1, 65_535)),
    ...once("ports.name", [httpPortName, debugPortName, ...ports.map(({ name }) => name)]),
    ...once("port, debugPort and ports.port", [web.port, ...debug, ...ports.map((p) => p.port)]),
    ...once("ports.servicePort", [web.servicePort, ...servicePorts]),
  ];
}

/** Issues of how the container listens and is replaced. */
export function rolloutIssues(web: ResolvedWebService): readonly (ValidationIssue | undefined)[] {
  const { maxSurge, maxUnavailable, minReadySeconds, revisionHistoryLimit } = web;
  const none = [0, "0%"];
  return [
    ...portIssues(web),
    ...Object.entries({ maxSurge, maxUnavailable }).map(([arg, got]) =>
      check(isPods(got), {
        arg,
        got,
        rule: "be a whole number or a percentage",
        fix: 'write it as 1 or "25%"',
      }),
    ),
    check(!none.includes(maxSurge) || !none.includes(maxUnavailable), {
      arg: "maxSurge",
      got: maxSurge,
      rule: "be above 0 where maxUnavailable is 0",
      fix: "a rollout must be able to add a pod or to take one away",
    }),
    integer("minReadySeconds", minReadySeconds, 0, 3600),
    integer("revisionHistoryLimit", revisionHistoryLimit, 0, 100),
    ...probeIssues("livenessProbe", web.livenessProbe),
    ...probeIssues("readinessProbe", web.readinessProbe),
    ...probeIssues("startupProbe", web.startupProbe),
  ];
}
