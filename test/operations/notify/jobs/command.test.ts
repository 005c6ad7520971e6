import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mock } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { project } from "../../../../lib/project";
import { eventually } from "../../../../lib/time";
import { notifyJobs } from "../../../../operations/notify/jobs/command";
import {
  notifierLine,
  notifierNote,
  readNotifier,
} from "../../../../operations/notify/jobs/last-run";
import { readJobs } from "../../../../operations/jobs/read";
import type { Settings } from "../../../../settings";
import { Programs } from "../../support/programs";
import { Slack } from "../../support/slack";

const cronJob = (name: string, tell: string | undefined) => ({
  metadata: {
    annotations:
      tell === undefined
        ? {}
        : { "on-failure/runbook": "https://example.com/r", "on-failure/tell": tell },
    creationTimestamp: new Date().toISOString(),
    name,
  },
  spec: { jobTemplate: { spec: {} }, schedule: "30 3 * * *" },
});
const failedJob = (of: string, name: string) => ({
  metadata: { name, ownerReferences: [{ kind: "CronJob", name: of }] },
  status: {
    conditions: [
      {
        lastTransitionTime: "2026-11-27T03:30:40Z",
        message: "Job has reached the specified backoff limit",
        reason: "BackoffLimitExceeded",
        status: "True",
        type: "Failed",
      },
    ],
    startTime: "2026-11-27T03:30:00Z",
  },
});
const pod = (policy: string) => ({
  metadata: { creationTimestamp: "2026-11-27T03:30:00Z", name: "export-1-abc" },
  spec: { containers: [{ image: "i", name: "export", terminationMessagePolicy: policy }] },
  status: {
    containerStatuses: [
      {
        ...{ name: "export", ready: false, restartCount: 0 },
        state: {
          terminated: { exitCode: 137, message: "bucket is <gone>", reason: "OOMKilled" },
        },
      },
    ],
    phase: "Failed",
  },
});

/** The settings that the code under test reads, without the name of the stack. */
const stack = {
  environment: "local",
  identity: {
    ...{ app: "a", environment: "local", protectedBranch: false },
    ...{ instance: "services-orders-local", service: "services-orders" },
  },
  namespace: "services-orders-local",
};

/** In these tests, a script replaces kubectl. In most tests, the state backend is a directory. */
describe("npm run notify -- jobs", () => {
  let programs: Programs;
  let slack: Slack;
  let state: string;
  let printed: string[];
  let env: Record<string, string>;
  const memory = () => join(state, "notifier", "services-orders", "local.json");

  /** Starts the stand-ins. Makes the stand-in for kubectl return these CronJobs and runs. */
  async function prepare(
    given: Slack,
    cronJobs: readonly object[],
    runs: readonly object[],
    policy = "File",
  ): Promise<void> {
    slack = given;
    env = {
      PULUMI_BACKEND_URL: `file://${state}`,
      SANDBOX_REGISTRY: "registry.example",
      SLACK_WEBHOOK_URL: `${await slack.start()}/common`,
    };
    cluster(cronJobs, runs, policy);
  }
  function cluster(cronJobs: readonly object[], runs: readonly object[], policy = "File"): void {
    const items = (...all: readonly object[]) => `echo '${JSON.stringify({ items: all })}'`;
    programs.add("kubectl", {
      "*--raw*": `echo '{"metadata":{"uid":"here"}}'`,
      "*get cronjobs*": items(...cronJobs),
      "*get jobs*": items(...runs),
      "*get pods*": items(pod(policy)),
    });
  }
  const workspace = () => ({ ...programs.workspace(env), cwd: project });
  const notify = async (): Promise<void> => notifyJobs("local", workspace());

  beforeEach(() => {
    programs = new Programs();
    state = mkdtempSync(join(tmpdir(), "services-orders-state-"));
    printed = [];
    mock.method(console, "log", (text: unknown) => printed.push(String(text)));
    mock.method(process.stderr, "write", (text: unknown) => printed.push(String(text)) > 0);
  });
  afterEach(async () => {
    mock.restoreAll();
    programs.remove();
    rmSync(state, { recursive: true });
    await slack.stop();
  });

  it("sends one message, with the exit code in words, the termination message and the command for the log", async () => {
    const job = cronJob("export", "slack:#orders-alerts");
    await prepare(new Slack(), [job], [failedJob("export", "export-1")]);
    env["SLACK_WEBHOOK_URL_ORDERS_ALERTS"] =
      env["SLACK_WEBHOOK_URL"]?.replace("common", "alerts") ?? "";
    await notify();
    await notify();
    const [message = "", ...more] = slack.messages;
    assert.deepEqual(more, []);
    assert.match(message, /^\/alerts\n:x: \*local: job export has 1 failed run\*/);
    assert.match(message, /BackoffLimitExceeded: Job has reached/);
    assert.match(
      message,
      /export: ended with exit code 137 \(OOMKilled\): it used more memory than its limit: bucket is &lt;gone&gt;/,
    );
    assert.match(message, /`npm run jobs -- local logs export --run export-1`/);
    assert.match(message, /<https:\/\/example.com\/r\|What to do>/);
    assert.deepEqual(printed, [
      "Sent messages about 1 job of local.",
      "Nothing new about the jobs of local.",
    ]);
    assert.ok(!programs.calls.some((call) => call.includes(" logs ")));
  });

  it("sends no line of a log, also if Kubernetes takes the termination message from the log", async () => {
    const job = cronJob("export", "slack:#a");
    await prepare(new Slack(), [job], [failedJob("export", "export-1")], "FallbackToLogsOnError");
    await notify();
    assert.match(slack.messages[0] ?? "", /exit code 137/);
    assert.doesNotMatch(slack.messages[0] ?? "", /bucket/);
  });

  it("uses the common channel for a recipient without a webhook, and says for whom it is", async () => {
    const jobs = [
      cronJob("a", "slack:#a-team"),
      cronJob("b", "email:ops@example.com"),
      cronJob("c", undefined),
    ];
    await prepare(
      new Slack(),
      jobs,
      ["a", "b", "c"].map((name) => failedJob(name, `${name}-1`)),
    );
    await notify();
    assert.equal(slack.messages.length, 2);
    assert.match(
      slack.messages[0] ?? "",
      /^\/common\n[^]*for #a-team\. .* an administrator must add .* `SLACK_WEBHOOK_URL_A_TEAM` /,
    );
    assert.match(slack.messages[1] ?? "", /for email:ops@example.com/);
    // The notifier does not report runs that failed when the job had no `onFailure` yet.
    cluster([cronJob("c", "slack:#a-team")], [failedJob("c", "c-1")]);
    await notify();
    assert.equal(slack.messages.length, 2);
  });

  it("sends a message again that Slack did not accept, fails, and lets status say why", async () => {
    const jobs = [cronJob("a", "slack:#a"), cronJob("b", "slack:#b")];
    const runs = [failedJob("a", "a-1"), failedJob("b", "b-1")];
    await prepare(
      new Slack((_, count) =>
        count === 2 ? { body: "channel_is_archived", status: 410 } : "none",
      ),
      jobs,
      runs,
    );
    await assert.rejects(
      notify(),
      /b: no message in Slack: Slack answered 410: channel_is_archived/,
    );
    const status = await readNotifier("local", workspace());
    assert.match(notifierLine(status, []) ?? "", /has never succeeded: b: no message in Slack/);
    await notify();
    assert.deepEqual(
      slack.messages.map((text) => /job (\w)/.exec(text)?.[1]),
      ["a", "b", "b"],
    );
    assert.match(
      notifierLine(await readNotifier("local", workspace()), []) ?? "",
      /^last ran 0 min ago$/,
    );
  });

  it("writes the reported runs to S3, into one object next to the state", async () => {
    await prepare(new Slack(), [cronJob("a", "slack:#a")], [failedJob("a", "a-1")]);
    env["PULUMI_BACKEND_URL"] = "s3://bucket/environments?region=eu-west-1";
    const kept = join(state, "object");
    const list = `[["environments/notifier/services-orders/local.json","2026-11-27T03:30:00Z"]]`;
    programs.add("aws", {
      "*list-objects-v2*": `[ -e ${kept} ] && echo '${list}'; true`,
      "s3 cp - *": `cat > ${kept}`,
      "s3 cp s3://*": `cat ${kept}`,
    });
    await notify();
    await notify();
    assert.equal(slack.messages.length, 1);
    const address = "s3://bucket/environments/notifier/services-orders/local.json";
    const written = programs.calls.filter((call) => call.startsWith("aws s3 cp - "));
    assert.equal(written.length, 3);
    assert.ok(written.every((call) => call.startsWith(`aws s3 cp - ${address} `)));
  });

  it("is the last line of a deploy, also if the state cannot be read", async () => {
    await prepare(new Slack(), [cronJob("a", "slack:#a")], []);
    const settings = { ...stack, stack: "local" } as Settings;
    const note = async () => {
      const { cluster: connected } = await readJobs("local", workspace());
      return notifierNote(settings, connected, workspace());
    };
    assert.match(
      (await note()) ?? "",
      /^job notifier: has never run: until it runs, no one gets a message when a fails/,
    );
    await notify();
    assert.equal(await note(), "job notifier: last ran 0 min ago");
    programs.add("aws", { "*": "echo 'Access Denied' >&2; exit 1" });
    env["PULUMI_BACKEND_URL"] = "s3://bucket";
    assert.match((await note()) ?? "", /^job notifier: unknown: .*Access Denied/);
  });

  it("fails without a webhook, although nothing is new", async () => {
    await prepare(new Slack(), [cronJob("a", "slack:#a")], []);
    env["SLACK_WEBHOOK_URL"] = "";
    await assert.rejects(notify(), /SLACK_WEBHOOK_URL is not set/);
    assert.match(readFileSync(memory(), "utf8"), /SLACK_WEBHOOK_URL is not set/);
  });

  it("stores why it could not read the cluster, and keeps the list of reported runs", async () => {
    await prepare(new Slack(), [cronJob("a", "slack:#a")], [failedJob("a", "a-1")]);
    await notify();
    programs.add("kubectl", { "*": "echo 'no route to host' >&2; exit 1" });
    await assert.rejects(notify());
    assert.match((await readNotifier("local", workspace()))?.trouble ?? "", /./);
    cluster([cronJob("a", "slack:#a")], [failedJob("a", "a-1")]);
    await notify();
    assert.equal(slack.messages.length, 1);
  });

  it("reports every failed run again if the list of reported runs is damaged", async () => {
    await prepare(new Slack(), [cronJob("a", "slack:#a")], [failedJob("a", "a-1")]);
    await notify();
    writeFileSync(memory(), '{"version":1,"jobs":{"a":{"failed":"all"}}}');
    await notify();
    assert.equal(slack.messages.length, 2);
    assert.match(printed.join("\n"), /is damaged: the notifier reports every failed run again/);
  });

  it("sends the other messages after it was killed between two messages", async () => {
    const jobs = [cronJob("a", "slack:#a"), cronJob("b", "slack:#b")];
    // Slack never answers the second message.
    await prepare(new Slack((_, count) => (count === 2 ? undefined : "none")), jobs, [
      failedJob("a", "a-1"),
      failedJob("b", "b-1"),
    ]);
    const args = ["cli/entry.mjs", "notify", "jobs", "--stack", "local"];
    const child: ChildProcess = spawn(process.execPath, args, {
      cwd: project,
      env: { ...process.env, ...workspace().env },
      stdio: "ignore",
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    assert.ok(await eventually(() => slack.asked.length === 2, 60_000));
    child.kill("SIGKILL");
    await ended;
    assert.ok(existsSync(memory()));
    await notify();
    assert.deepEqual(
      slack.messages.map((text) => /job (\w)/.exec(text)?.[1]),
      ["a", "b", "b"],
    );
  }).timeout(60_000);
});
