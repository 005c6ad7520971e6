import { httpPortName } from "../conventions/defaults";
import { type Fault, unless, wholeNumber } from "../conventions/validation";
import { doubles } from "../pods/validate";
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

function probeFaults(arg: string, probe: ProbeSettings = {}): readonly (Fault | undefined)[] {
  const { path = "/", ...times } = probe;
  return [
    unless(/^\/[^\s]*$/.test(path), {
      arg: `${arg}.path`,
      got: path,
      rule: "start with a slash",
      todo: 'write it as "/health/live"',
    }),
    ...Object.entries(times).map(([key, seconds]) =>
      wholeNumber(`${arg}.${key}`, seconds, 1, 3600),
    ),
  ];
}

function portFaults(web: ResolvedWebService): readonly (Fault | undefined)[] {
  const { debugPort, ports = [] } = web;
  const debug = debugPort === undefined ? [] : [debugPort];
  const servicePorts = ports.map(({ servicePort }) => servicePort).filter((p) => p !== undefined);
  const once = (arg: string, all: readonly (number | string)[]) =>
    doubles(all).map((got) => ({ arg, got, rule: "be there once", todo: "choose another one" }));
  return [
    ...debug.map((port) => wholeNumber("debugPort", port, 1025, 65_535)),
    ...ports.map(({ name }) =>
      unless(portNameForm.test(name), {
        arg: "ports.name",
        got: name,
        rule: "be at most 15 lower case letters, digits and hyphens",
        todo: 'write it as "metrics"',
      }),
    ),
    ...ports.map(({ port }) => wholeNumber("ports.port", port, 1025, 65_535)),
    ...servicePorts.map((port) => wholeNumber("ports.servicePort", port, 1, 65_535)),
    ...once("ports.name", [httpPortName, debugPortName, ...ports.map(({ name }) => name)]),
    ...once("port, debugPort and ports.port", [web.port, ...debug, ...ports.map((p) => p.port)]),
    ...once("ports.servicePort", [web.servicePort, ...servicePorts]),
  ];
}

/** Faults of how the container listens and is replaced. */
export function rolloutFaults(web: ResolvedWebService): readonly (Fault | undefined)[] {
  const { maxSurge, maxUnavailable, minReadySeconds, revisionHistoryLimit } = web;
  const none = [0, "0%"];
  return [
    ...portFaults(web),
    ...Object.entries({ maxSurge, maxUnavailable }).map(([arg, got]) =>
      unless(isPods(got), {
        arg,
        got,
        rule: "be a whole number or a percentage",
        todo: 'write it as 1 or "25%"',
      }),
    ),
    unless(!none.includes(maxSurge) || !none.includes(maxUnavailable), {
      arg: "maxSurge",
      got: maxSurge,
      rule: "be above 0 where maxUnavailable is 0",
      todo: "a rollout must be able to add a pod or to take one away",
    }),
    wholeNumber("minReadySeconds", minReadySeconds, 0, 3600),
    wholeNumber("revisionHistoryLimit", revisionHistoryLimit, 0, 100),
    ...probeFaults("livenessProbe", web.livenessProbe),
    ...probeFaults("readinessProbe", web.readinessProbe),
    ...probeFaults("startupProbe", web.startupProbe),
  ];
}
