import { UserError, messageOf } from "../../lib/errors";
import { connectToCluster } from "../pulumi/connect";
import { type Workspace, defaultWorkspace } from "../pulumi/run-pulumi";
import { settingsOf } from "../pulumi/settings";
import { anyReview } from "../review/cluster";
import { withoutRelease } from "../stacks/release";
import { certificate } from "./certificate";
import {
  clusterDns,
  ingressClass,
  metricsApi,
  platforms,
  readinessGates,
  storageClass,
} from "./cluster-checks";
import { type Check, type Patient, type Row, rowLines } from "./finding";
import { firstInstruction } from "./first-instruction";

export interface DoctorOptions {
  /** Contexts of the kubeconfig whose clusters the command checks. Default: the current context. */
  readonly context?: readonly string[];
  readonly json?: boolean;
}

/**
 * Time in which all checks of a cluster must end, in milliseconds. The command then deletes the
 * namespace of the network probe in at most 4 seconds. So the whole command takes at most 30
 * seconds.
 */
const limitMs = 26_000;

/** Exit code if the result of at least one check is not `ok`. */
const notOk = 3;

/** The checks of one cluster. docs/bootstrap.md lists what a cluster of review stacks must have. */
const platformChecks: readonly Check[] = [
  firstInstruction,
  clusterDns,
  platforms,
  ingressClass,
  certificate,
  storageClass,
  metricsApi,
  readinessGates,
];

/** The results of all checks of one cluster, or the reason why the cluster does not answer. */
export interface Report {
  readonly cluster: string;
  readonly error?: string;
  readonly rows: readonly Row[];
}

/**
 * `npm run doctor -- platform`: checks that clusters have what review stacks need, and prints a
 * line for each check. The exit code is 3 if the result of at least one check is not `ok`.
 *
 * @throws UserError if a cluster does not answer. The command first prints the results of the
 * clusters that answer.
 */
export async function doctorPlatform(
  { context, json = false }: DoctorOptions,
  given: Workspace = defaultWorkspace,
): Promise<void> {
  const all = await Promise.all(
    (context ?? [undefined]).map(async (name) => checkCluster(name, given)),
  );
  console.log(json ? JSON.stringify(all, undefined, 2) : all.flatMap(linesOf).join("\n"));
  const errors = all.flatMap(({ error }) => (error === undefined ? [] : [error]));
  if (errors.length > 0) throw new UserError(errors.join("\n"));
  if (!isHealthy(all)) process.exitCode = notOk;
}

/**
 * Checks one cluster, in at most 30 seconds.
 *
 * @param context context of the kubeconfig. Undefined for the current context
 */
export async function checkCluster(
  context: string | undefined,
  given: Workspace = defaultWorkspace,
): Promise<Report> {
  const until = Date.now() + limitMs;
  const left = () => Math.max(1, until - Date.now());
  const workspace = withoutRelease(given);
  const settings = await settingsOf(anyReview, workspace);
  const name = context === undefined ? "the current context" : `context ${context}`;
  console.error(`Checking ${name}, at most 30 s ...`);
  // The checks use the access of the person who runs the command, and not the restricted access of
  // the CI jobs for review stacks.
  const access = { context, eksCluster: undefined, environment: settings.environment };
  try {
    const cluster = await connectToCluster(access, workspace);
    return { cluster: name, rows: await examine({ cluster, left, settings }) };
  } catch (error) {
    return { cluster: name, error: messageOf(error), rows: [] };
  }
}

/** Runs all checks at the same time. */
async function examine(patient: Patient): Promise<readonly Row[]> {
  return (await Promise.all(platformChecks.map(async (check) => check(patient)))).flat();
}

/** Whether every result is `ok`. A cluster that did not answer has no results. */
export function isHealthy(all: readonly Report[]): boolean {
  return all.every(({ rows }) => rows.every(({ status }) => status === "ok"));
}

/** Returns the lines about one cluster: a headline, and one line for the result of each check. */
export function linesOf({ cluster, error, rows }: Report): readonly string[] {
  if (error !== undefined) return [`${cluster}: not checked (${error})`];
  return [`${cluster}:`, ...rowLines(rows)];
}
