import { isDeepStrictEqual } from "node:util";
import { type ContextPurpose, contextName } from "./contexts";
import type { Config, Job, Parameter, Requirement, Workflow } from "./model";
import { executors, job, type JobSpec, reports } from "./steps";

/** A job in a workflow, or an approval, which has no `job`. */
export interface Stage {
  readonly name: string;
  readonly job?: JobSpec;
  readonly requires?: readonly Requirement[];
  readonly contexts?: readonly ContextPurpose[];
  readonly serialGroup?: string;
}

export interface WorkflowSpec {
  readonly when: string;
  readonly stages: readonly Stage[];
}

/** One file from its workflows: every job that they name, and the executors that those use. */
export function compose(
  workflows: Readonly<Record<string, WorkflowSpec>>,
  more: {
    readonly orbs?: Readonly<Record<string, string>>;
    readonly parameters?: Readonly<Record<string, Parameter>>;
  } = {},
): Config {
  const jobs: Record<string, Job> = {};
  for (const { job: spec, name } of Object.values(workflows).flatMap(({ stages }) => stages)) {
    if (spec === undefined) continue;
    const made = job(spec);
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
        ...(stage.contexts === undefined ? {} : { context: stage.contexts.map(contextName) }),
        ...(stage.serialGroup === undefined ? {} : { "serial-group": stage.serialGroup }),
      };
      return Object.keys(place).length === 0 ? stage.name : { [stage.name]: place };
    }),
  };
}

const hasGroup = ({ serialGroup }: Stage): boolean => serialGroup !== undefined;

/**
 * A job's bare name means "its serial group is released" where it has one, which is also so when the job has failed or was skipped.
 * Only a named end is the job's own.
 */
function afterSerial(requirement: Requirement, serial: ReadonlySet<string>): Requirement {
  return typeof requirement === "string" && serial.has(requirement)
    ? { [requirement]: ["success"] }
    : requirement;
}

/** What happened to a stack, as `npm run notify` knows it. */
type Event = "approval" | "canceled" | "deployed" | "failed" | "removed" | "skipped";

/** The preview of a stack as data: what messages say has changed. */
export const previewReport = (stack: string): string => `${reports}/preview-${stack}.json`;

/** What a preview of a stack would change: `deploy` stops where more than that would. */
export const planOf = (stack: string): string => `${reports}/plan-${stack}.json`;

/** A Slack message: `npm run notify -- EVENT --stack STACK`. It never fails because of Slack. */
export function notice(
  name: string,
  event: Event,
  stack: string,
  more: Pick<Stage, "requires"> & Pick<JobSpec, "environment" | "reportOf" | "takes">,
): Stage {
  const { requires, ...rest } = more;
  const shown = {
    approval: ["--summary", previewReport(stack)],
    canceled: [],
    deployed: ["--summary", previewReport(stack), "--report", `${reports}/deployed.json`],
    failed: ["--cause-file", `${reports}/cause.txt`],
    removed: ["--report", `${reports}/removed.json`],
    skipped: [],
  }[event];
  return {
    name,
    job: {
      command: ["npm run notify --", event, "--stack", stack, ...shown].join(" "),
      executor: "pulumi",
      ...rest,
    },
    contexts: ["slack"],
    ...(requires === undefined ? {} : { requires }),
  };
}

/**
 * Tells that `of` failed, and that it was cancelled. A job that was cancelled or ran out of time runs no step of its own any more,
 * so others tell; and they are two, because which end it was is known here and nowhere else.
 */
export function badEndNotices(
  of: string,
  stack: string,
  environment?: Readonly<Record<string, string>>,
): readonly Stage[] {
  const more = { reportOf: of, ...(environment === undefined ? {} : { environment }) };
  return [
    notice(`tell-failed-${of}`, "failed", stack, {
      requires: [{ [of]: ["failed", "unauthorized"] }],
      ...more,
    }),
    notice(`tell-canceled-${of}`, "canceled", stack, {
      requires: [{ [of]: ["canceled"] }],
      ...more,
    }),
  ];
}

/**
 * Tells that `of` did not run, because a newer pipeline waited or ran in its serial group: CircleCI drops it then, for good. Only for a
 * job before which nothing can fail: it would be "not run" after that, too.
 */
export function skippedNotice(
  of: string,
  stack: string,
  environment?: Readonly<Record<string, string>>,
): Stage {
  return notice(`tell-skipped-${of}`, "skipped", stack, {
    requires: [{ [of]: ["not_run"] }],
    ...(environment === undefined ? {} : { environment }),
  });
}
