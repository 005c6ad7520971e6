import { environments, parseStack } from "../../environments";
import { WrongUse } from "../../lib/errors";
import { hours } from "../../lib/time";
import { person } from "../clients/git";
import { connectToCluster } from "../pulumi/connect";
import { type Workspace, defaultWorkspace } from "../pulumi/run-pulumi";
import { settingsOf } from "../pulumi/settings";
import { confirmProtected } from "../stacks/confirm-protected";
import { withoutRelease } from "../stacks/release";
import { assertStackName } from "../stacks/stack-name";
import { type Capture, capture, captureOf, wordsOf } from "./capture";
import { session } from "./session";
import { placeOf, targetOf } from "./target";

export interface DebugOptions {
  /**
   * Longest time that a twin runs, such as `30m`. At most 8 hours.
   *
   * @default "1h"
   */
  readonly deadline?: string;
  /** File for a heap dump of a running pod. The file exists only if the dump is complete. */
  readonly heap?: string;
  /** Duration and file of a flight recording of a running pod, such as `["60s", "orders.jfr"]`. */
  readonly jfr?: readonly string[];
  /**
   * Name of the pod for `threads`, `heap` and `jfr`.
   *
   * @default - a ready pod of the service
   */
  readonly pod?: string;
  /**
   * Port of this machine for the debugger.
   *
   * @default 5005
   */
  readonly port?: number;
  /** Why the person needs the command. Required for production. */
  readonly reason?: string;
  /** Whether the JVM of the twin waits for a debugger before it runs the main class. */
  readonly suspend?: boolean;
  /** Whether to print a thread dump of a running pod on standard output. */
  readonly threads?: boolean;
  /** Whether to skip the confirmation. */
  readonly yes?: boolean;
}

/** Longest deadline of a twin, in hours. */
const mostHours = 8;

/**
 * `npm run debug -- STACK`: starts a twin, a copy of the service's pod. A debugger can connect to
 * the twin. With `threads`, `heap` or `jfr`, the command gets a thread dump, a heap dump or a
 * flight recording of a running pod, and starts no twin.
 *
 * @throws WrongUse if the options are wrong, or if `yes` or the reason is missing for production.
 * In both cases, nothing has changed.
 * @throws UserError if the twin cannot start, if the twin ends before the person presses Ctrl-C, or
 * if the command cannot get the complete data from a running pod
 */
export async function debug(
  stack: string,
  options: DebugOptions = {},
  given: Workspace = defaultWorkspace,
): Promise<void> {
  assertStackName(stack);
  const { deadline = "1h", port = 5005, reason, suspend = false, yes = false } = options;
  const wanted = captureOf(options);
  assertOptions(options, wanted);
  const deadlineSeconds = secondsOf(deadline);
  assertProduction(stack, options);
  const workspace = withoutRelease(given);
  const settings = await settingsOf(stack, workspace);
  const cluster = await connectToCluster(settings, workspace);
  const target = targetOf(settings, cluster);
  const does = wanted === undefined ? `a twin of Deployment ${target.deployment}` : wordsOf(wanted);
  console.error(`Stack ${stack}, ${placeOf(settings)}: ${does}`);
  await confirmProtected(stack, yes, "debug stack");
  const who = await person(workspace);
  if (wanted === undefined) {
    await session(target, { deadlineSeconds, port, reason, suspend, who });
  } else {
    await capture(target, wanted, { pod: options.pod, reason, who });
  }
}

function assertOptions(options: DebugOptions, wanted: Capture | undefined): void {
  const { deadline, heap, jfr, pod, port, suspend, threads } = options;
  const given = [threads, heap, jfr].filter((one) => one !== undefined && one !== false);
  if (given.length > 1) throw new WrongUse("Write only one of --threads, --heap and --jfr.");
  if (wanted === undefined && pod !== undefined) {
    throw new WrongUse("--pod needs --threads, --heap or --jfr: a twin is always a new pod.");
  }
  const ofTwin = { "--deadline": deadline, "--port": port, "--suspend": suspend };
  const [name] = Object.entries(ofTwin).find(([, value]) => value !== undefined) ?? [];
  if (wanted !== undefined && name !== undefined) {
    throw new WrongUse(`${name} is only for a twin, not for ${wordsOf(wanted)}.`);
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw new WrongUse("--port must be a whole number from 1 to 65535.");
  }
}

/** @throws WrongUse if a deadline is not a number of minutes or hours, or is too long */
function secondsOf(deadline: string): number {
  if (!/^[1-9][0-9]{0,4}[mh]$/.test(deadline) || hours(deadline) > mostHours) {
    throw new WrongUse(
      `--deadline must be a number of minutes or hours, such as 30m, and at most ${String(mostHours)}h; got "${deadline}".`,
    );
  }
  return Math.round(hours(deadline) * 3600);
}

/** @throws WrongUse if the stack runs in production, and `yes` or the reason is missing */
function assertProduction(stack: string, { reason = "", yes = false }: DebugOptions): void {
  const environment = parseStack(stack)?.environment;
  if (environment === undefined) return;
  const { canaryOf = environment } = environments[environment];
  if (!environments[canaryOf].protect || (yes && reason.trim() !== "")) return;
  throw new WrongUse(
    `Stack "${stack}" is production: a debugger and a heap dump show data of customers. Write --yes and --reason "why". Nothing was changed.`,
  );
}
