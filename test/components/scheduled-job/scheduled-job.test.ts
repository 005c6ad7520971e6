import assert from "node:assert/strict";
import {
  ScheduledJob,
  type ScheduledJobArgs,
} from "../../../components/scheduled-job/scheduled-job";
import { database, everyPodArg, job, release } from "../../support/fixtures";
import { matchesGolden } from "../../support/golden";
import { type Manifest, type Recorder, record, settled } from "../../support/mocks";

const cronJob = "kubernetes:batch/v1:CronJob";

async function made(args: Partial<ScheduledJobArgs> = {}): Promise<Recorder> {
  const recorder = await record();
  new ScheduledJob("expire-unpaid", { ...job, ...args });
  await settled();
  return recorder;
}

const specOf = async (args: Partial<ScheduledJobArgs> = {}): Promise<Manifest> =>
  (await made(args)).one(cronJob).inputs.spec;

describe("ScheduledJob", () => {
  it("matches its golden manifest", async () => {
    matchesGolden("scheduled-job", await made({ database, serviceAccountName: "services-orders" }));
  });

  it("matches its golden manifest with everything set", async () => {
    const args: Partial<ScheduledJobArgs> = {
      ...everyPodArg,
      completionMode: "Indexed",
      completions: 4,
      database,
      onFailure: { runbook: "https://example.com/runbook", tell: "slack:#orders" },
      parallelism: 2,
      podReplacementPolicy: "Failed",
    };
    matchesGolden("scheduled-job-everything", await made(args));
  });

  it("makes one CronJob with its own name, as its child, and nothing else", async () => {
    const recorder = await made();
    assert.equal(recorder.resources.length, 2);
    const { inputs, parentage } = recorder.one(cronJob);
    assert.equal(parentage, `services:k8s:ScheduledJob$${cronJob}`);
    assert.equal(inputs.metadata.name, "expire-unpaid");
    assert.equal(inputs.metadata.namespace, "ns");
  });

  it("never runs twice at the same time, and starts at most 300 s late", async () => {
    const spec = await specOf();
    assert.equal(spec.concurrencyPolicy, "Forbid");
    assert.equal(spec.startingDeadlineSeconds, 300);
    assert.equal(spec.timeZone, "Etc/UTC");
    assert.equal(spec.schedule, "0 * * * *");
    assert.equal(spec.suspend, false);
  });

  it("tries a failed run twice again, in new pods, and keeps their logs for a day", async () => {
    const spec = await specOf();
    const run = spec.jobTemplate.spec;
    assert.equal(run.backoffLimit, 2);
    assert.equal(run.template.spec.restartPolicy, "Never");
    assert.equal(run.ttlSecondsAfterFinished, 5 * 86_400);
    assert.equal(spec.successfulJobsHistoryLimit, 3);
    assert.equal(spec.failedJobsHistoryLimit, 5);
  });

  it("ends a run before the next one starts, and after an hour at most", async () => {
    const of = async (schedule: string): Promise<unknown> =>
      (await specOf({ schedule })).jobTemplate.spec.activeDeadlineSeconds;
    assert.equal(await of("*/5 * * * *"), 270);
    assert.equal(await of("0 * * * *"), 3240);
    assert.equal(await of("30 3 * * *"), 3600);
  });

  it("runs the command with the service's security, database and environment", async () => {
    const pod = (await specOf({ database })).jobTemplate.spec.template.spec;
    const [container] = pod.containers;
    assert.deepEqual(container.args, job.args);
    assert.equal(container.image, job.imageRef);
    assert.equal(pod.automountServiceAccountToken, false);
    assert.equal(pod.securityContext.runAsNonRoot, true);
    assert.equal(container.securityContext.readOnlyRootFilesystem, true);
    const names = container.env.map(({ name }: Manifest) => name);
    assert.ok(names.includes("DATABASE_PASSWORD_FILE") && names.includes("DD_VERSION"));
  });

  it("has pods of component job, so that none of them ever becomes an endpoint", async () => {
    const { inputs } = (await made()).one(cronJob);
    const component = "app.kubernetes.io/component";
    assert.equal(inputs.spec.jobTemplate.spec.template.metadata.labels[component], "job");
    assert.equal(inputs.metadata.labels[component], "job");
  });

  it("shows the release on the CronJob and its pods", async () => {
    const { inputs } = (await made()).one(cronJob);
    const { labels } = inputs.spec.jobTemplate.spec.template.metadata;
    assert.equal(inputs.metadata.labels.commit_id, release.commit.slice(0, 7));
    assert.equal(labels.commit_id, release.commit.slice(0, 7));
  });

  it("takes every field of a run that is given, and leaves the others to Kubernetes", async () => {
    const fields: Partial<ScheduledJobArgs> = {
      completionMode: "Indexed",
      completions: 4,
      parallelism: 2,
      podFailurePolicy: {
        rules: [
          { action: "Ignore", onPodConditions: [{ status: "True", type: "DisruptionTarget" }] },
        ],
      },
      podReplacementPolicy: "Failed",
      ttlSecondsAfterFinished: 60,
    };
    const kept = { failedJobsHistoryLimit: 1, successfulJobsHistoryLimit: 0 };
    const spec = await specOf({ ...fields, ...kept });
    const plain = await specOf();
    const run = spec.jobTemplate.spec;
    assert.deepEqual(run, { ...plain.jobTemplate.spec, ...fields });
    assert.equal(spec.failedJobsHistoryLimit, 1);
    assert.equal(spec.successfulJobsHistoryLimit, 0);
    assert.equal("completions" in plain.jobTemplate.spec, false);
  });

  const inBackground = { "pulumi.com/deletionPropagationPolicy": "background" };

  it("is deleted in the background, unless an annotation says otherwise", async () => {
    const { inputs } = (await made()).one(cronJob);
    assert.deepEqual(inputs.metadata.annotations, inBackground);
    const foreground = { "pulumi.com/deletionPropagationPolicy": "foreground" };
    const other = (await made({ annotations: foreground })).one(cronJob);
    assert.deepEqual(other.inputs.metadata.annotations, foreground);
  });

  it("names the recipient in onFailure on the CronJob and on each Job, and on no pod", async () => {
    const onFailure = { runbook: "https://example.com/r", tell: "slack:#orders" } as const;
    const { inputs } = (await made({ onFailure })).one(cronJob);
    const expected = { "on-failure/runbook": onFailure.runbook, "on-failure/tell": onFailure.tell };
    assert.deepEqual(inputs.metadata.annotations, { ...inBackground, ...expected });
    assert.deepEqual(inputs.spec.jobTemplate.metadata.annotations, expected);
    assert.equal(inputs.spec.jobTemplate.spec.template.metadata.annotations, undefined);
  });

  describe("applies overrides last to", () => {
    const cases: readonly [
      string,
      ScheduledJobArgs["overrides"],
      (s: Manifest) => unknown,
      unknown,
    ][] = [
      [
        "the container",
        { container: (c) => ({ ...c, tty: true }) },
        (s) => s.jobTemplate.spec.template.spec.containers[0].tty,
        true,
      ],
      [
        "the pod",
        { podSpec: (s) => ({ ...s, priorityClassName: "low" }) },
        (s) => s.jobTemplate.spec.template.spec.priorityClassName,
        "low",
      ],
      [
        "the Job",
        { jobSpec: (s) => ({ ...s, parallelism: 2 }) },
        (s) => s.jobTemplate.spec.parallelism,
        2,
      ],
      ["the CronJob", { cronJobSpec: (s) => ({ ...s, suspend: true }) }, (s) => s.suspend, true],
    ];
    for (const [what, overrides, read, expected] of cases) {
      it(what, async () => {
        assert.notEqual(read(await specOf()), expected);
        assert.equal(read(await specOf({ ...(overrides && { overrides }) })), expected);
      });
    }
  });

  describe("refuses", () => {
    const cases: readonly [Partial<ScheduledJobArgs>, string][] = [
      [
        { schedule: "0 3 * *" },
        'schedule must have 5 fields, got "0 3 * *"; write minute, hour, day of month, month, day of week, with one space between them',
      ],
      [
        { schedule: "0 25 * * *" },
        'schedule must have hours from 0 to 23, got "0 25 * * *"; write "*", or numbers such as "1", "1-5", "1,3" or "*/2"',
      ],
      [
        { schedule: "0 3 * * 7" },
        'schedule must have days of the week from 0 to 6, or SUN to SAT, got "0 3 * * 7"; write "*", or numbers such as "1", "1-5", "1,3" or "*/2"',
      ],
      [
        { schedule: "0 3 1-7 * MON" },
        'schedule must restrict days of the month or days of the week, not both, got "0 3 1-7 * MON"; Kubernetes would run the job on each day that matches one of the two fields; write "*" in one of them, or write two jobs',
      ],
      [
        { activeDeadlineSeconds: 3600 },
        "activeDeadlineSeconds must be an integer above 0 and below the schedule's shortest period of 3600 s, got 3600; end a run before the next one starts",
      ],
      [
        { startingDeadlineSeconds: 5 },
        "startingDeadlineSeconds must be an integer of at least 10, got 5; raise it: Kubernetes checks every 10 s and would miss runs",
      ],
      [
        { backoffLimit: -1 },
        "backoffLimit must be an integer from 0 to 2147483647, got -1; raise it to at least 0",
      ],
      [
        { iamRoleArn: "arn:aws:iam::123456789012:role/job", serviceAccountName: "services-orders" },
        'serviceAccountName must be left out if iamRoleArn is set, got "services-orders"; iamRoleArn gives the job its own ServiceAccount; give the IAM role all permissions that the job needs',
      ],
      [
        { parallelism: 0 },
        "parallelism must be an integer from 1 to 2147483647, got 0; raise it to at least 1",
      ],
      [
        { ttlSecondsAfterFinished: -1 },
        "ttlSecondsAfterFinished must be an integer from 0 to 2147483647, got -1; raise it to at least 0",
      ],
      [
        { completionMode: "Indexed" },
        "completions must be set with completionMode Indexed, got null; set how many pods must succeed",
      ],
      [
        { onFailure: { tell: "slack:#" } },
        'onFailure.tell must be slack:#<channel>, email:<address> or pagerduty:<service>, got "slack:#"; write it as "slack:#orders-alerts"',
      ],
      [
        { timeZone: "Mars" },
        'timeZone must be the IANA name of a time zone, got "Mars"; write it as "America/Argentina/Buenos_Aires"',
      ],
    ];
    for (const [args, text] of cases) {
      it(text, async () => {
        const recorder = await record();
        assert.throws(() => new ScheduledJob("nightly", { ...job, ...args }), {
          message: `ScheduledJob "nightly": ${text}`,
        });
        await settled();
        assert.equal(recorder.custom().length, 0);
      });
    }

    it("a name that Kubernetes could not append a run's number to", async () => {
      await record();
      const name = "j".repeat(53);
      assert.throws(() => new ScheduledJob(name, job), { message: /at most 52 characters/ });
      new ScheduledJob(name.slice(1), job);
      await settled();
    });
  });
});
