import { UserError, WrongUse, messageOf } from "../../../lib/errors";
import { reasonOf } from "../../../lib/command";
import { stackForms, traitsOf } from "../../../environments";
import type { Settings } from "../../../settings";
import { connectToCluster } from "../../pulumi/connect";
import { type Workspace, defaultWorkspace } from "../../pulumi/run-pulumi";
import { settingsOf } from "../../pulumi/settings";
import { withoutRelease } from "../../stacks/release";
import { clusterName } from "../../status/read";
import { type Row, ok, rowLines, unknown, wrong } from "../finding";
import { cluster, namespace, record } from "./cluster";
import { host } from "./host";
import type { StackCheck, StackPatient } from "./patient";
import { permissions } from "./permissions";
import { registry } from "./registry";
import { secrets } from "./secrets";
import { lock, readOutputs, state } from "./state";
import { kubectl, tools } from "./tools";

export interface StackDoctorOptions {
  readonly json?: boolean;
}

/** Time in which every program that a check starts must end, in milliseconds. */
const limitMs = 25_000;
/** Additional time for a check to report that its program has not ended, in milliseconds. */
const lateMs = 1_500;

/** The checks of a stack. If a check has no result, the line about this check contains the key. */
const stackChecks: Readonly<Record<string, StackCheck>> = {
  tools,
  kubectl,
  state,
  lock,
  cluster,
  "network policies": record,
  namespace,
  permissions,
  secrets,
  registry,
  host,
};

/**
 * `npm run doctor -- STACK`: checks what the commands need for a stack, and prints a line for each
 * check. Changes nothing. The exit code is 1 if something is wrong. A result that is unknown, for
 * example because this role has no permission to read an object, does not change the exit code.
 *
 * @throws WrongUse if no stack may have this name.
 */
export async function doctorStack(
  stack: string,
  { json = false }: StackDoctorOptions = {},
  given: Workspace = defaultWorkspace,
): Promise<void> {
  if (traitsOf(stack) === undefined) {
    throw new WrongUse(`Unknown stack "${stack}". Expected platform, or one of: ${stackForms}`);
  }
  const rows = await examine(stack, withoutRelease(given));
  console.log(json ? JSON.stringify({ rows, stack }, undefined, 2) : textOf(stack, rows));
  if (rows.some(({ status }) => status === "wrong")) process.exitCode = 1;
}

const textOf = (stack: string, rows: readonly Row[]): string =>
  [`Stack ${stack}:`, ...rowLines(rows)].join("\n");

/** Runs all checks at the same time. Returns their results in the order of the checks. */
export async function examine(
  stack: string,
  workspace: Workspace,
  limit = limitMs,
): Promise<readonly Row[]> {
  const until = Date.now() + limit;
  const left = () => Math.max(1, until - Date.now());
  let settings: Settings;
  try {
    settings = await settingsOf(stack, workspace);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // The other checks cannot run without the settings.
    const [headline = "", ...issues] = messageOf(error).split("\n");
    const texts = issues.length === 0 ? [headline] : issues.map((line) => line.replace(/^- /, ""));
    return texts.map((text) => ({ check: "settings", ...wrong(text) }));
  }
  console.error(`Checking stack ${stack} in ${clusterName(settings)}, at most 30 s ...`);
  const patient: StackPatient = {
    // Without `clusterUid`, `connectToCluster` accepts a wrong cluster, so the other checks have
    // results. The check `cluster` compares the UIDs.
    cluster: connectToCluster({ ...settings, clusterUid: undefined }, workspace, left),
    left,
    outputs: readOutputs(stack, workspace, left()),
    settings,
    workspace,
  };
  let noCluster: unknown;
  // If one of these promises is rejected, the checks that use the promise print the reason.
  patient.outputs.catch(() => undefined);
  patient.cluster.catch((error: unknown) => (noCluster = error));
  const reason = (error: unknown): string =>
    error === noCluster ? "the cluster does not answer" : (reasonOf(error).split("\n")[0] ?? "");
  const results = Object.entries(stackChecks).map(async ([name, check]) => {
    const none = (text: string): readonly Row[] => [{ check: name, ...unknown(text) }];
    const known = check(patient).catch((error: unknown) => none(reason(error)));
    return orLate(known, left() + lateMs, none);
  });
  return [{ check: "settings", ...ok("valid") }, ...(await Promise.all(results)).flat()];
}

/** Returns the result of a check, or says that the check has taken too long. */
async function orLate(
  result: Promise<readonly Row[]>,
  milliseconds: number,
  none: (text: string) => readonly Row[],
): Promise<readonly Row[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly Row[]>((resolve) => {
    timer = setTimeout(() => {
      resolve(none(`no result within ${String(Math.round(milliseconds / 1000))} s`));
    }, milliseconds);
  });
  return Promise.race([result, late]).finally(() => {
    clearTimeout(timer);
  });
}
