import { isDeepStrictEqual } from "node:util";
import { type ContextName, fullName, hasRole, isMainOnly } from "./contexts";
import type { Config, Job, Parameter, Requirement, Workflow } from "./model";
import { executors, job, type JobSpec, reports } from "./steps";

/** A job of a workflow, or an approval. An approval has no `job`. */
export interface Stage {
  readonly name: string;
  readonly job?: JobSpec;
  readonly requires?: readonly Requirement[];
  readonly contexts?: readonly ContextName[];
  readonly serialGroup?: string;
}

export interface WorkflowSpec {
  readonly when: string;
  readonly stages: readonly Stage[];
}

/**
 * Returns the content of one file: the given workflows, their jobs, and the executors of these
 * jobs.
 */
export function compose(
  workflows: Readonly<Record<string, WorkflowSpec>>,
  more: {
    readonly orbs?: Readonly<Record<string, string>>;
    readonly parameters?: Readonly<Record<string, Parameter>>;
  } = {},
  place: { readonly inDeployProject: boolean } = { inDeployProject: false },
): Config {
  const jobs: Record<string, Job> = {};
  for (const stage of Object.values(workflows).flatMap(({ stages }) => stages)) {
    const { contexts = [], job: spec, name } = stage;
    if (spec === undefined) continue;
    // AWS cannot distinguish one job of the deploy project from another job of this project. So all
    // jobs of this project must run only code of main.
    const mainOnly = place.inDeployProject || spec.trusted === true || isMainOnly(contexts);
    const rights = { ...place, assumesRole: hasRole(contexts), mainOnly };
    const made = job(name, inGroup(spec, stage.serialGroup), rights);
    if (jobs[name] !== undefined && !isDeepStrictEqual(jobs[name], made)) {
      throw new Error(`two different jobs are called "${name}"; give one of them another name`);
    }
    jobs[name] = made;
  }
  const used = new Set(Object.values(jobs).map(({ executor }) => executor));
  return {
    version: 2.1,
    ...more,
    executors: Object.fromEntries(Object.entries(executors).filter(([name]) => used.has(name))),
    jobs,
    workflows: Object.fromEntries(
      Object.entries(workflows).map(([name, spec]) => [name, workflow(spec)]),
    ),
  };
}

function workflow({ stages, when }: WorkflowSpec): Workflow {
  const serial = new Set(stages.filter(hasGroup).map(({ name }) => name));
  return {
    when,
    jobs: stages.map((stage) => {
      const requires = stage.requires?.map((one) => afterSerial(one, serial));
      const place = {
        ...(stage.job === undefined ? { type: "approval" as const } : {}),
        ...(requires === undefined ? {} : { requires }),
        ...(stage.contexts === undefined ? {} : { context: stage.contexts.map(fullName) }),
        ...(stage.serialGroup === undefined ? {} : { "serial-group": stage.serialGroup }),
      };
      return Object.keys(place).length === 0 ? stage.name : { [stage.name]: place };
    }),
  };
}

/**
 * Returns the job with its serial group in the environment variable `SERIAL_GROUP`, because
 * CircleCI has no variable for the group. With this variable, the Pulumi commands of a job can take
 * over the lock that an ended job of the same group has left.
 */
function inGroup(spec: JobSpec, serialGroup: string | undefined): JobSpec {
  if (serialGroup === undefined) return spec;
  return { ...spec, environment: { ...spec.environment, SERIAL_GROUP: serialGroup } };
}

const hasGroup = ({ serialGroup }: Stage): boolean => serialGroup !== undefined;

/**
 * Adds the status `success` to a requirement that has no status, if the required job has a serial
 * group. Without a status, CircleCI starts the waiting job as soon as CircleCI releases the group,
 * even if the required job failed or did not run.
 */
function afterSerial(requirement: Requirement, serial: ReadonlySet<string>): Requirement {
  return typeof requirement === "string" && serial.has(requirement)
    ? { [requirement]: ["success"] }
    : requirement;
}

/** The events of `npm run notify`: what happened to a stack. */
type Event =
  "approval" | "canceled" | "deployed" | "done" | "drift" | "failed" | "removed" | "skipped";

/**
 * Returns the path of the file with a stack's preview in JSON. `npm run notify` reads this file for
 * its messages.
 */
export const previewReport = (stack: string): string => `${reports}/preview-${stack}.json`;

/**
 * Returns the path of a stack's plan. The plan contains the changes that the stack's preview shows.
 * If a deploy would change more than the plan contains, the deploy changes nothing.
 */
export const planOf = (stack: string): string => `${reports}/plan-${stack}.json`;

/** Path of the report of a deploy: the release, and the changes that the deploy made. */
export const deployReport = `${reports}/deployed.json`;

/**
 * Returns the path of the file with the differences between a stack and its cluster, in JSON.
 * `npm run notify` reads this file.
 */
export const driftReport = (stack: string): string => `${reports}/drift-${stack}.json`;

/**
 * Returns the path of the file with the differences that earlier Slack messages have reported about
 * a stack.
 */
const toldDrift = (stack: string): string => `${reports}/told-drift-${stack}.json`;

/**
 * The context with the Slack webhook of a job. The jobs of a branch and the jobs of main have
 * different webhooks, because the code of a branch can send any message, such as a false request
 * for an approval.
 */
export type Voice = Extract<ContextName, "slack" | "slack-review">;

/**
 * Returns a job that sends a Slack message with `npm run notify -- EVENT --stack STACK`. The job
 * succeeds even if Slack does not accept the message.
 */
export function notice(
  name: string,
  event: Event,
  stack: string,
  more: Pick<Stage, "requires"> &
    Pick<JobSpec, "environment" | "reportOf" | "takes"> & { readonly voice?: Voice | undefined },
): Stage {
  const { requires, voice = "slack", ...rest } = more;
  const cause = ["--cause-file", `${reports}/cause.txt`];
  const shown = {
    approval: ["--summary", previewReport(stack)],
    canceled: [],
    deployed: ["--summary", previewReport(stack), "--report", deployReport],
    done: [],
    drift: [...["--report", driftReport(stack), "--told", toldDrift(stack)], ...cause],
    failed: cause,
    removed: ["--report", `${reports}/removed.json`],
    skipped: [],
  }[event];
  return {
    name,
    job: {
      command: ["npm run notify --", event, "--stack", stack, ...shown].join(" "),
      ...(event === "drift" ? { remembers: toldDrift(stack) } : {}),
      ...rest,
    },
    contexts: [voice],
    ...(requires === undefined ? {} : { requires }),
  };
}

/**
 * Returns two jobs: the first job reports that the job `of` failed or was unauthorized, and the
 * second job reports that the job `of` was canceled. The job `of` cannot send all these messages
 * itself. CircleCI does not start an unauthorized job, and a job runs no further step after it is
 * canceled or reaches a timeout. Two jobs are necessary, because only the statuses in `requires`
 * can distinguish a failure from a cancellation.
 */
export function badEndNotices(
  of: string,
  stack: string,
  environment?: Readonly<Record<string, string>>,
  voice?: Voice,
): readonly Stage[] {
  const more = { voice, ...(environment === undefined ? {} : { environment }) };
  return [
    notice(`tell-failed-${of}`, "failed", stack, {
      requires: [{ [of]: ["failed", "unauthorized"] }],
      reportOf: of,
      ...more,
    }),
    // This job does not read a report, because a canceled job does not persist a report.
    notice(`tell-canceled-${of}`, "canceled", stack, {
      requires: [{ [of]: ["canceled"] }],
      ...more,
    }),
  ];
}

/**
 * Returns a job that sends a message if the job `of` did not run. CircleCI does not run a waiting
 * job if a job of a newer pipeline waits or runs in the same serial group. The job `of` has the
 * status `not_run` in one more case: a job that `of` requires has failed. To get no message in this
 * case, set `approval` to the name of the approval or of the job that `of` requires. Omit
 * `approval` only if `of` requires no job.
 */
export function skippedNotice(
  of: string,
  stack: string,
  {
    approval,
    environment,
  }: {
    readonly approval?: string;
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
): Stage {
  return notice(`tell-skipped-${of}`, "skipped", stack, {
    requires: [{ [of]: ["not_run"] }, ...(approval === undefined ? [] : [approval])],
    ...(environment === undefined ? {} : { environment }),
  });
}
