import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { debuggerPort } from "../../components/conventions/one-off/debugger";
import { UserError, messageOf } from "../../lib/errors";
import { moment } from "../../lib/time";
import { isForbidden } from "../clients/kubectl";
import { podsOf } from "../jobs/logs";
import { nameOf } from "../run/job";
import { KeptForward } from "./kept-forward";
import { deleteTwin, replaceTwins } from "./other-twins";
import { endOf, hasEnded, startedPod } from "./start";
import { Stop, Stopped } from "./stop";
import type { Target } from "./target";
import {
  type ServiceDeployment,
  type TwinRequest,
  httpPortOf,
  serviceContainer,
  twinOf,
} from "./twin";

/** Interval at which the command reads the twin's pod, in milliseconds. */
const pauseMs = 1_000;
/**
 * Longest time without a response from the cluster, in milliseconds. After this time, the command
 * ends.
 */
const silenceMs = 120_000;

export interface SessionRequest extends TwinRequest {
  /** Port of this machine for the debugger. */
  readonly port: number;
}

/**
 * Starts a twin of the service, and forwards two ports of the twin to this machine: the port for
 * the debugger and the port of the API. Deletes the twin when the person presses Ctrl-C, or when
 * the twin ends.
 *
 * @throws UserError if the twin cannot start, or ends before the person presses Ctrl-C
 */
export async function session(target: Target, request: SessionRequest): Promise<void> {
  await assertFree(request.port);
  const { cluster, identity, namespace } = target;
  const deployment = await deploymentOf(target);
  const container = serviceContainer(deployment);
  const name = nameOf("debug", request.who.replace(/@.*$/, ""));
  const job = JSON.stringify(twinOf(name, identity, deployment, request));
  await replaceTwins(target, request.who);
  const stop = new Stop();
  const create = ["--namespace", namespace, "create", "--filename", "-"];
  const created = cluster.kubectl(create, 30_000, job).catch(notAllowed);
  const forwards: KeptForward[] = [];
  try {
    await stop.unless(created);
    const until = moment(new Date(Date.now() + request.deadlineSeconds * 1000));
    console.error(
      `Created twin ${name} of Deployment ${target.deployment}${releaseOf(deployment)}.`,
    );
    const pod = await stop.unless(startedPod(name, container.name, target, stop.aborted));
    const open = async (port: number, local?: number): Promise<KeptForward> => {
      const forward = await stop.unless(KeptForward.open(target, pod, port, local));
      forwards.push(forward);
      return forward;
    };
    const { port } = await open(debuggerPort, request.port);
    const http = httpPortOf(container);
    const api = http === undefined ? undefined : (await open(http)).port;
    console.error(instructions({ api, namespace, pod, port, suspend: request.suspend, until }));
    await stop.unless(untilEnded(name, target, stop.aborted));
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  } finally {
    for (const forward of forwards) forward.close();
    // After Ctrl-C, the request that creates the Job may still run.
    await created.catch(() => undefined);
    await deleteTwin(name, target);
    stop.done();
  }
}

/**
 * @throws UserError if this machine cannot listen on the port, for example because another process
 * uses the port
 */
async function assertFree(port: number): Promise<void> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch (error) {
    throw new UserError(
      `Port ${String(port)} of this machine cannot be used: ${messageOf(error)}. Choose another port with --port. Nothing was changed.`,
    );
  } finally {
    server.close();
  }
}

/**
 * @throws UserError if the stack has no Deployment, or if the role has no permission to read the
 * Deployment
 */
async function deploymentOf({
  cluster,
  deployment,
  namespace,
  stack,
}: Target): Promise<ServiceDeployment> {
  const args = ["get", "deployment", deployment, "--ignore-not-found", "--output", "json"];
  const answer = await cluster
    .kubectl(["--namespace", namespace, ...args], 30_000)
    .catch(notAllowed);
  if (answer.trim() !== "") return JSON.parse(answer) as ServiceDeployment;
  const deploy = stack === "local" ? "npm run up" : `npm run deploy -- ${stack}`;
  throw new UserError(
    `Namespace ${namespace} has no Deployment "${deployment}". Deploy the stack first: ${deploy}. Nothing was changed.`,
  );
}

function notAllowed(error: unknown): never {
  if (!isForbidden(error)) throw error;
  throw new UserError(`Your role has no permission to debug this stack. ${messageOf(error)}`);
}

function releaseOf({ spec }: ServiceDeployment): string {
  const { commit_id: commit } = spec.template.metadata.labels ?? {};
  return commit === undefined ? "" : `, commit ${commit}`;
}

interface Reachable {
  /** Port of this machine for the service's API. */
  readonly api: number | undefined;
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
  readonly suspend: boolean;
  readonly until: string;
}

/** Returns what a person must know to debug the twin. */
function instructions({ api, namespace, pod, port, suspend, until }: Reachable): string {
  const at = String(port);
  const waits = suspend ? ", and runs no code until a debugger connects" : "";
  return [
    `The JVM waits for a debugger on 127.0.0.1:${at}${waits}.`,
    `  IntelliJ IDEA: Run, Edit Configurations, Remote JVM Debug, host 127.0.0.1, port ${at}`,
    `  VS Code, in launch.json: { "type": "java", "request": "attach", "name": "twin", "hostName": "127.0.0.1", "port": ${at} }`,
    "Only your requests reach the twin. It uses the stack's own database.",
    ...(api === undefined ? [] : [`  curl http://127.0.0.1:${String(api)}/`]),
    `Log: kubectl -n ${namespace} logs -f ${pod}`,
    `Ctrl-C ends this command and deletes the twin. Kubernetes deletes the twin at the latest at ${until}.`,
  ].join("\n");
}

/**
 * @throws UserError when the twin has ended
 * @throws the error of kubectl if the cluster does not answer for two minutes
 */
async function untilEnded(name: string, target: Target, aborted: AbortSignal): Promise<never> {
  let answered = Date.now();
  for (;;) {
    aborted.throwIfAborted();
    await sleep(pauseMs);
    try {
      const [pod] = await podsOf(name, target);
      answered = Date.now();
      if (pod === undefined) throw new Ended("its deadline has passed, or someone has deleted it");
      if (hasEnded(pod)) throw new Ended(endOf(pod));
    } catch (error) {
      if (error instanceof Ended || Date.now() - answered > silenceMs) throw error;
    }
  }
}

class Ended extends UserError {
  constructor(why: string) {
    super(`The twin has ended: ${why}.`);
  }
}
