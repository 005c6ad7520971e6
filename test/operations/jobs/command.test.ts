import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mock } from "node:test";
import { jobs } from "../../../operations/jobs/command";
import { Programs } from "../support/programs";

const cronJob = {
  metadata: { creationTimestamp: "2026-11-27T05:30:00Z", name: "export" },
  spec: { jobTemplate: { spec: {} }, schedule: "30 3 * * *", suspend: true },
};
const ended = (type: string) => ({
  completionTime: "2026-11-27T03:30:40Z",
  conditions: [{ reason: "DeadlineExceeded", status: "True", type }],
  startTime: "2026-11-27T03:30:00Z",
});
const run = (name: string, status: object) => ({
  metadata: { name, ownerReferences: [{ kind: "CronJob", name: "export" }] },
  status,
});
const pod = (exitCode: number) => ({
  metadata: {
    creationTimestamp: "2026-11-27T03:30:00Z",
    labels: { "batch.kubernetes.io/job-name": "export-1" },
    name: "export-1-abc",
  },
  spec: { containers: [{ image: "orders", name: "export" }] },
  status: {
    containerStatuses: [
      {
        name: "export",
        state: { terminated: { exitCode, message: "no bucket at https://me:hush-hush@s3" } },
      },
    ],
    phase: "Failed",
  },
});
const items = (...all: readonly object[]) => `echo '${JSON.stringify({ items: all })}'`;

/** In these tests, a script replaces kubectl. */
describe("npm run jobs", () => {
  let programs: Programs;
  let printed: string[];
  beforeEach(() => {
    programs = new Programs();
    printed = [];
    const print = (text: unknown): boolean => printed.push(String(text)) > 0;
    mock.method(console, "log", print);
    mock.method(console, "error", print);
    mock.method(process.stdout, "write", print);
  });
  afterEach(() => {
    mock.restoreAll();
    process.exitCode = undefined;
    programs.remove();
  });

  /** Runs the command in a cluster with these runs. Returns the lines that the command prints. */
  async function printedBy(
    given: readonly string[],
    runs: readonly object[],
    more: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    programs.add("kubectl", {
      "*--raw*": `echo '{"metadata":{"uid":"here"}}'`,
      ...more,
      "*get cronjobs*": items(cronJob),
      "*get jobs*": items(...runs),
      "*get pods*": items(pod(2)),
    });
    const [action, name] = given;
    await jobs(
      "local",
      action,
      name,
      {},
      programs.workspace({ SANDBOX_REGISTRY: "localhost:5000" }),
    );
    return printed.join("\n");
  }

  it("lists a job with its last run, and says why the run failed and where its log is", async () => {
    const text = await printedBy([], [run("export-1", ended("Failed"))]);
    assert.doesNotMatch(text, /hush/);
    assert.match(text, /^export +30 3 \* \* \* +Fri 27 Nov 03:30 +failed +40s +suspended +-$/m);
    assert.match(
      text,
      /run export-1 failed\n {2}DeadlineExceeded\n {2}Pod export-1-abc, export: ended with exit code 2.*no bucket.*\n {2}Log: npm run jobs -- local logs export/,
    );
  });

  it("prints the log of the newest run, without the timestamps, line by line once", async () => {
    const line = "2026-11-27T03:30:01.5Z exported 7 orders";
    const text = await printedBy(["logs", "export"], [run("export-1", ended("Failed"))], {
      "*logs export-1-abc*": `echo '${line}'`,
    });
    assert.equal(text.match(/exported 7 orders\n/g)?.length, 1);
    assert.ok(!text.includes("03:30:01"));
  });

  it("starts a run, prints its log and ends with the exit code of its container", async () => {
    const fromCronJob = { kind: "Job", metadata: { labels: { app: "orders" }, name: "export-1" } };
    const input = join(programs.directory, "input");
    const text = await printedBy(["run", "export"], [], {
      "*create --filename -": `cat > ${input}`,
      "*--dry-run=client*": `echo '${JSON.stringify(fromCronJob)}'`,
      "*get job export-*": `echo '${JSON.stringify(run("export-1", ended("Failed")))}'`,
      "*logs export-1-abc*": "echo '2026-11-27T03:30:01Z no such day'",
    });
    const created = programs.calls.find((call) => call.includes(" create job "));
    assert.match(created ?? "", /create job export-[0-9a-z]+ --from=cronjob\/export --dry-run/);
    // The platform's policy compares the Job with the CronJob that this label names.
    assert.deepEqual(JSON.parse(readFileSync(input, "utf8")), {
      ...fromCronJob,
      metadata: { ...fromCronJob.metadata, labels: { app: "orders", "jobs/run-of": "export" } },
    });
    assert.match(text, /^no such day/m);
    assert.equal(process.exitCode, 2);
  });

  it("starts no second run, and names the run in progress", async () => {
    const running = run("export-7", { startTime: "2026-11-27T03:30:00Z" });
    await assert.rejects(printedBy(["run", "export"], [running]), /export-7 is in progress/);
    assert.ok(!programs.calls.some((call) => call.includes("create")));
  });

  it("stops the run in progress by its deadline, so that the Job stays in the list", async () => {
    const running = run("export-7", { startTime: "2026-11-27T03:30:00Z" });
    await printedBy(["stop", "export"], [running]);
    const patch = programs.calls.find((call) => call.includes(" patch job export-7 "));
    assert.match(patch ?? "", /"activeDeadlineSeconds":1/);
  });

  it("names the jobs of the stack for a job that it does not have", async () => {
    await assert.rejects(
      printedBy(["logs", "exprot"], []),
      /no job "exprot". The stack has export/,
    );
    await assert.rejects(
      printedBy(["stop", "export"], []),
      /No run of job "export" is in progress/,
    );
    await assert.rejects(printedBy(["stpo", "export"], []), /Unknown action "stpo"\. Expected/);
  });
});
