import assert from "node:assert/strict";
import { type CronJob, type Job, statusesOf } from "../../../operations/jobs/runs";

const now = new Date("2026-11-27T10:30:00Z");
const hourly: CronJob = {
  metadata: { creationTimestamp: "2026-11-27T05:30:00Z", name: "expire" },
  spec: {
    failedJobsHistoryLimit: 3,
    jobTemplate: { spec: { ttlSecondsAfterFinished: 86_400 } },
    schedule: "0 * * * *",
    startingDeadlineSeconds: 300,
    successfulJobsHistoryLimit: 3,
  },
};

/** Returns the Job of a run. If `due` is false, a person started the run. */
function job(hour: number, result: "Complete" | "Failed" | undefined, due = true): Job {
  const time = `2026-11-27T${String(hour).padStart(2, "0")}:00:`;
  const ended = `${time}20Z`;
  return {
    metadata: {
      annotations: due ? { "batch.kubernetes.io/cronjob-scheduled-timestamp": `${time}00Z` } : {},
      name: `expire-${String(hour)}`,
      ownerReferences: [{ kind: "CronJob", name: "expire" }],
    },
    status: {
      startTime: `${time}05Z`,
      ...(result === "Complete" ? { completionTime: ended } : {}),
      conditions:
        result === undefined
          ? []
          : [
              {
                lastTransitionTime: ended,
                message: "no more retries",
                reason: "BackoffLimitExceeded",
                status: "True",
                type: result,
              },
            ],
    },
  };
}

/** Returns the hours, in UTC, of the missed runs of the job. */
function missed(jobs: readonly Job[], cronJob = hourly): readonly number[] {
  const [status] = statusesOf([cronJob], jobs, now);
  return (status?.missed ?? []).map((time) => time.getUTCHours());
}
const withSpec = (spec: Partial<CronJob["spec"]>): CronJob => ({
  ...hourly,
  spec: { ...hourly.spec, ...spec },
});

describe("the runs of a scheduled job", () => {
  it("are the Jobs of its CronJob, the newest first", () => {
    const foreign: Job = { metadata: { name: "expire-by-someone" } };
    const [status] = statusesOf(
      [hourly],
      [job(8, "Complete"), job(10, undefined), foreign, job(9, "Failed")],
      now,
    );
    assert.deepEqual(
      status?.runs.map(({ cause, name, result }) => [name, result, cause]),
      [
        ["expire-10", "running", undefined],
        ["expire-9", "failed", "BackoffLimitExceeded: no more retries"],
        ["expire-8", "succeeded", undefined],
      ],
    );
    assert.equal(status.next?.toISOString(), "2026-11-27T11:00:00.000Z");
    const [, failed] = status.runs;
    assert.equal((failed?.ended?.getTime() ?? 0) - (failed?.started.getTime() ?? 0), 15_000);
  });

  it("are missed at each due time without a Job", () => {
    assert.deepEqual(missed([job(6, "Complete"), job(8, "Complete")]), [10, 9, 7]);
  });

  it("are not missed before their starting deadline has passed", () => {
    assert.deepEqual(missed([], withSpec({ startingDeadlineSeconds: 3600 })), [9, 8, 7, 6]);
  });

  it("are not missed while the job is suspended", () => {
    assert.deepEqual(missed([], withSpec({ suspend: true })), []);
  });

  it("do not count as missed if Kubernetes may have deleted their Jobs", () => {
    assert.deepEqual(missed([7, 8, 10].map((hour) => job(hour, "Complete"))), [9]);
    const failed = withSpec({ failedJobsHistoryLimit: 1 });
    assert.deepEqual(missed([job(8, "Failed")], failed), [10, 9]);
    const ttl = { spec: { ttlSecondsAfterFinished: 7200 } };
    assert.deepEqual(missed([], withSpec({ jobTemplate: ttl })), [10, 9]);
  });

  it("do not count as missed before the last change of the schedule's owner", () => {
    const changed = {
      ...hourly,
      metadata: {
        ...hourly.metadata,
        managedFields: [
          { fieldsV1: { "f:spec": { "f:schedule": {} } }, time: "2026-11-27T08:10:00Z" },
          { fieldsV1: { "f:status": {} }, time: "2026-11-27T10:10:00Z" },
        ],
      },
    };
    assert.deepEqual(missed([], changed), [10, 9]);
  });

  it("are due in the time zone of the job, also on the day with 25 hours", () => {
    const daily = withSpec({ schedule: "30 3 * * *", timeZone: "Europe/Madrid" });
    const early = { ...daily.metadata, creationTimestamp: "2026-10-24T00:00:00Z" };
    const ttl = { spec: { ttlSecondsAfterFinished: 40 * 86_400 } };
    const [status] = statusesOf(
      [{ metadata: early, spec: { ...daily.spec, jobTemplate: ttl } }],
      [],
      new Date("2026-10-26T12:00:00Z"),
    );
    assert.deepEqual(
      status?.missed.map((time) => time.toISOString()),
      ["2026-10-26T02:30:00.000Z", "2026-10-25T02:30:00.000Z", "2026-10-24T01:30:00.000Z"],
    );
  });
});
