import assert from "node:assert/strict";
import { mock } from "node:test";
import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { PodFacts } from "../../../components/conventions/rollout/pod-status";
import {
  type JobFacts,
  type JobReader,
  jobToReplace,
  migrated,
} from "../../../program/rollout/migration";
import { record } from "../../support/mocks";

const name = "orders-migrate-v12";

const facts = (type?: string, message = ""): JobFacts => ({
  metadata: { name, uid: "u1" },
  spec: { activeDeadlineSeconds: 14_400 },
  status: {
    conditions: type === undefined ? [] : [{ message, status: "True", type }],
    startTime: new Date(Date.now() - 80_000).toISOString(),
  },
});

const pod = (state: object, created = "2026-01-01T12:00:00Z", phase = "Running"): PodFacts => ({
  metadata: { creationTimestamp: created, name: `${name}-${created.slice(11, 13)}` },
  status: {
    containerStatuses: [{ name: "migrate", ready: "running" in state, restartCount: 0, state }],
    phase,
  },
});
const running = pod({ running: {} });
const ended = pod(
  { terminated: { exitCode: 1, reason: "Error" } },
  "2026-01-01T13:00:00Z",
  "Failed",
);

interface Given {
  readonly log?: JobReader["log"];
  readonly pods?: readonly PodFacts[];
  readonly refused?: string;
  readonly status?: unknown;
}

function readerOf(
  later: readonly (JobFacts | undefined)[],
  given: Given = {},
): { readonly reader: JobReader } {
  const { log = async () => Promise.resolve([]), pods = [], refused } = given;
  let reads = 0;
  const reader: JobReader = {
    job: async (asked) => {
      assert.equal(asked, name);
      reads += 1;
      return Promise.resolve(later[Math.min(reads, later.length) - 1]);
    },
    jobPods: async () => Promise.resolve({ failedMounts: [], pods, refused }),
    log,
  };
  return { reader };
}

/** Waits for a Job whose next states are `later`. Returns the lines that the program printed. */
async function waited(
  later: readonly (JobFacts | undefined)[],
  given: Given = {},
): Promise<readonly string[]> {
  await record();
  const said: string[] = [];
  mock.method(pulumi.log, "info", async (text: string) => Promise.resolve(said.push(text)));
  const { reader } = readerOf(later, given);
  const job = {
    metadata: pulumi.output({ name }),
    status: pulumi.output("status" in given ? given.status : {}),
    urn: pulumi.output("urn"),
  } as unknown as k8s.batch.v1.Job;
  const pace = { pollMs: 1, quietMs: 0, sayMs: 0 };
  const output = migrated(reader, pace)(job) as unknown as { promise(): Promise<unknown> };
  await output.promise();
  return said;
}

describe("migrated", () => {
  afterEach(() => {
    mock.restoreAll();
  });

  it("says nothing about a Job that has succeeded before", async () => {
    assert.deepEqual(await waited([facts("Complete")]), []);
  });

  it("looks at no cluster for a Job without a status: of a test, or left out by --target", async () => {
    assert.deepEqual(await waited([undefined], { status: undefined }), []);
  });

  it("says the newest line of the log, how long it runs, and how long it may run", async () => {
    const line = JSON.stringify({ level: "INFO", message: "V12__index.sql runs for 80 s, 43 %" });
    const log = async (asked: string, container: string) => {
      assert.deepEqual([asked, container], [running.metadata.name, "migrate"]);
      return Promise.resolve([line]);
    };
    const said = await waited([facts(), facts("Complete")], { log, pods: [running] });
    assert.match(
      said[0] ?? "",
      /^V12__index\.sql runs for 80 s, 43 %, for 8\d s of at most 240 min$/,
    );
    assert.match(said[1] ?? "", /^migrated in \d+ s$/);
  });

  it("leaves out the line that each JVM prints first", async () => {
    const log = async () => Promise.resolve(["Picked up JAVA_TOOL_OPTIONS: -Xmx1m", ""]);
    const [said = ""] = await waited([facts(), facts("Complete")], { log, pods: [running] });
    assert.match(said, /^Pod orders-migrate-v12-12 starts, for /);
  });

  it("continues without the right to read logs", async () => {
    const log = async () => Promise.reject(new Error("forbidden"));
    const [said] = await waited([facts(), facts("Complete")], { log, pods: [running] });
    assert.match(said ?? "", /^Pod orders-migrate-v12-12 starts, for /);
  });

  it("fails with the exit code and the last lines of the newest pod", async () => {
    const log = async () => Promise.resolve(['{"message":"bad SQL"}', "relation does not exist"]);
    await assert.rejects(
      waited([facts(), facts("Failed", "backoff limit")], { log, pods: [running, ended] }),
      /^Error: The migration in Job "orders-migrate-v12" failed: Pod orders-migrate-v12-13, migrate: ended with exit code 1 \(Error\)\n {2}bad SQL\n {2}relation does not exist\.$/,
    );
  });

  it("fails with the last line that it saw, if Kubernetes deleted the pod at the deadline", async () => {
    let pods = [running];
    const { reader } = readerOf([facts(), facts("Failed", "longer than the deadline")], {
      log: async () => {
        pods = [];
        return Promise.resolve(["V12__index.sql runs for 80 s"]);
      },
    });
    const job = {
      metadata: pulumi.output({ name }),
      status: pulumi.output({}),
      urn: pulumi.output("urn"),
    } as unknown as k8s.batch.v1.Job;
    const jobPods = async () => Promise.resolve({ failedMounts: [], pods, refused: undefined });
    const pace = { pollMs: 1, quietMs: 0, sayMs: 0 };
    const output = migrated({ ...reader, jobPods }, pace)(job) as unknown as {
      promise(): Promise<unknown>;
    };
    await assert.rejects(
      output.promise(),
      /failed: longer than the deadline\n {2}V12__index\.sql runs for 80 s\.$/,
    );
  });

  it("fails before the deadline if no node can pull the image", async () => {
    const waiting = { message: "Back-off pulling image", reason: "ImagePullBackOff" };
    const pods = [pod({ waiting }, new Date().toISOString(), "Pending")];
    let now = Date.now();
    // The program fails only after an image has been missing for 15 s. In this test, each call of
    // `Date.now` adds one second, so that the test does not take long.
    mock.method(Date, "now", () => (now += 1_000));
    await assert.rejects(
      waited([facts()], { pods }),
      /The migration in Job "orders-migrate-v12" failed: .*ImagePullBackOff/,
    );
  });

  it("fails when the Job is gone, and says what to do", async () => {
    await assert.rejects(
      waited([undefined]),
      /^Error: Job "orders-migrate-v12" is in the state, but not in the cluster: .*pulumi refresh/,
    );
  });

  it("says why Kubernetes creates no pod", async () => {
    const [said] = await waited([facts(), facts("Complete")], { refused: "exceeded quota" });
    assert.match(said ?? "", /^no pod: exceeded quota, for /);
  });
});

describe("a Job is replaced", () => {
  const replaced = async (job: JobFacts | undefined, pods: readonly PodFacts[] = []) =>
    jobToReplace(name, readerOf([job], { pods }).reader);

  it("never if it does not exist, runs, or has succeeded", async () => {
    assert.equal(await replaced(undefined), undefined);
    assert.equal(await replaced(facts(), [running]), undefined);
    assert.equal(await replaced(facts("Complete")), undefined);
  });

  it("if it has failed, or if no container runs", async () => {
    assert.equal(await replaced(facts("Failed"), [running]), "u1");
    assert.equal(await replaced(facts(), [pod({ waiting: { reason: "ImagePullBackOff" } })]), "u1");
    assert.equal(await replaced(facts(), [ended]), "u1");
  });
});
