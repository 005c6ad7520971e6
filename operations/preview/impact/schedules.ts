import { type DueTimes, type Schedule, dueTimesOf, timeIn } from "../../jobs/due-times";
import type { Change } from "../changes/changes";

/** Number of future runs that a preview shows for each job. */
const shownRuns = 3;

/**
 * Largest number of jobs for which a preview shows a line. Without this limit, the preview of a
 * first deploy would show a line for every job.
 */
const mostNotes = 5;

/** Paths of the fields of a CronJob that determine when the job runs. */
const deciding = ["spec.schedule", "spec.suspend", "spec.timeZone"];

/**
 * Returns one line for each job with a new or changed schedule. The line says when the job runs
 * next.
 */
export function scheduleNotes(changes: readonly Change[], now: Date): readonly string[] {
  const lines = changes.flatMap((change) => {
    const { fields, inputs, kind, name, operation } = change;
    if (kind !== "CronJob" || operation === "delete") return [];
    const isNew = operation === "create";
    if (!isNew && !fields.some(({ path }) => deciding.includes(path))) return [];
    const spec = inputs["spec"] as unknown as Schedule;
    const before = isNew ? undefined : { ...spec, ...beforeOf(change) };
    return [`CronJob ${name} ${whenOf(spec, before, now)}`];
  });
  const more = lines.length - mostNotes;
  return more > 0
    ? [
        ...lines.slice(0, mostNotes),
        `and ${String(more)} more ${more === 1 ? "job" : "jobs"} with a new schedule`,
      ]
    : lines;
}

/** Returns the old values of the changed fields in `deciding`. */
function beforeOf({ fields }: Change): Partial<Schedule> {
  return Object.fromEntries(
    fields
      .filter(({ path }) => deciding.includes(path))
      .map(({ before, path }) => [path.replace("spec.", ""), before]),
  );
}

function whenOf(spec: Schedule, before: Schedule | undefined, now: Date): string {
  if (spec.suspend === true) return "is suspended: it does not run";
  const times = dueTimesOf(spec);
  if (times === undefined) return `runs at "${spec.schedule}"`;
  const runs = times.following(shownRuns, now).map((run) => timeIn(run, spec.timeZone));
  const zone = spec.timeZone ?? "UTC";
  const next = runs.length === 0 ? "never runs" : `runs next: ${runs.join(", ")} (${zone})`;
  const missed = before && missedRun(times, spec, before, now);
  return missed === undefined
    ? next
    : `runs immediately, because its new time ${timeIn(missed, spec.timeZone)} has just passed; then it ${next}`;
}

/**
 * Returns the due time of the run that Kubernetes starts immediately after the change. Kubernetes
 * starts this run under three conditions: the new schedule has a due time in the past, the starting
 * deadline for this due time has not passed, and the old schedule has started no run since this due
 * time. Undefined if Kubernetes starts no run.
 *
 * https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#starting-deadline
 */
function missedRun(times: DueTimes, spec: Schedule, before: Schedule, now: Date): Date | undefined {
  const due = times.previous(now);
  if (due === undefined) return undefined;
  const { startingDeadlineSeconds: limit = Number.POSITIVE_INFINITY } = spec;
  if (now.getTime() - due.getTime() > limit * 1000) return undefined;
  const ran = before.suspend === true ? undefined : dueTimesOf(before)?.previous(now);
  return ran === undefined || ran < due ? due : undefined;
}
