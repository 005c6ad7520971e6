import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { mock } from "node:test";
import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { NewPods } from "../../../components/conventions/rollout/obstacles";
import { type DeploymentFacts, type Rollouts, rolledOut } from "../../../program/rollout/rollout";
import { textMatchesGolden } from "../../support/golden";
import { record } from "../../support/mocks";

/**
 * Directory with recordings of everything that the program read from a cluster during rollouts. The
 * command `RECORD_ROLLOUTS=1 npm run test:rollouts` writes the recordings.
 */
const directory = join(__dirname, "recorded");

interface Look extends Omit<NewPods, "refused"> {
  readonly at: string;
  readonly deployment: DeploymentFacts;
}

/** The error of each recorded rollout. Undefined if the rollout succeeds. */
const ends: Readonly<Record<string, RegExp | undefined>> = {
  "a-Secret-that-does-not-exist": /CreateContainerConfigError: secret "nowhere" not found/,
  "a-crash-at-the-start": /services-orders: ended with exit code 2 \(Error\)/,
  "a-key-that-the-Secret-does-not-have":
    /CreateContainerConfigError: couldn't find key none in Secret/,
  "a-migration-that-fails": /migrate: ended with exit code 2 \(Error\)/,
  "a-migration-that-waits-for-a-lock": /migrate: still runs/,
  "a-node-that-does-not-exist": /finds no node: /,
  "a-pod-that-Pod-Security-refuses": /it gets no pod: .*violates PodSecurity/,
  "a-process-that-ends-without-an-error": /services-orders: ended with exit code 0 \(Completed\)/,
  "a-quota-without-room": /it gets no pod: .*exceeded quota: full/,
  "a-readiness-probe-that-fails": /services-orders: runs, but is not ready/,
  "a-registry-that-does-not-answer": /: (?:ErrImagePull|ImagePullBackOff): /,
  "a-wrong-password-of-the-database": /migrate: ended with exit code \d \(Error\)/,
  "an-image-that-does-not-exist": /: (?:ErrImagePull|ImagePullBackOff): /,
  "slow-pods": undefined,
  "too-little-memory": /migrate: ended with exit code 137 \(OOMKilled\)/,
};

/**
 * Returns the readings of the cluster in a recording. The result begins with the first reading that
 * shows the changed Deployment, because the program starts to wait after the change.
 */
function looksOf(name: string): readonly Look[] {
  const text = readFileSync(join(directory, `${name}.jsonl`), "utf8");
  const looks = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Look);
  const generation = ({ deployment }: Look) => deployment.metadata.generation;
  const before = looks.map(generation)[0];
  return looks.slice(looks.findIndex((look) => generation(look) !== before));
}

const time = ({ at }: Look): number => Date.parse(at);

describe("a recorded rollout", () => {
  before(async () => {
    await record();
  });
  let said: string[];
  beforeEach(() => {
    said = [];
    mock.method(pulumi.log, "info", async (text: string) => Promise.resolve(said.push(text)));
  });
  afterEach(() => {
    mock.timers.reset();
    mock.restoreAll();
  });
  const times = /\b\d+ s of at most \d+ s\b/g;
  const views: string[] = [];

  /**
   * Runs the code of the program that waits for the rollout, with the clock of the recording.
   * Returns the duration, in seconds.
   */
  async function replayed(looks: readonly Look[]): Promise<number> {
    const [first] = looks;
    assert.ok(first);
    const now = (): Look => looks.findLast((one) => time(one) <= Date.now()) ?? first;
    const rollouts: Rollouts = {
      deployment: async () => Promise.resolve(now().deployment),
      newPods: async () => Promise.resolve(now()),
    };
    mock.timers.enable({ apis: ["Date", "setTimeout"], now: time(first) });
    const deployment = {
      metadata: pulumi.output({ name: "services-orders" }),
      status: pulumi.output({}),
      urn: pulumi.output("urn"),
    } as unknown as k8s.apps.v1.Deployment;
    const ended = new Promise<void>((resolve, reject) => {
      const output = rolledOut(rollouts)(deployment) as unknown as { promise(): Promise<unknown> };
      output.promise().then(() => {
        resolve();
      }, reject);
    });
    let over = false;
    const settled = ended.finally(() => {
      over = true;
    });
    settled.catch(() => undefined);
    const limit = time(looks.at(-1) ?? first) + 600_000;
    const isOver = (): boolean => over;
    while (!isOver() && Date.now() < limit) {
      mock.timers.tick(1_000);
      for (let n = 0; n < 10; n += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(isOver(), "the wait has no end");
    await settled;
    return (Date.now() - time(first)) / 1000;
  }

  for (const [name, cause] of Object.entries(ends)) {
    const how = cause === undefined ? "succeeds" : "fails with its cause";
    it(`${name.replaceAll("-", " ")}: ${how}`, async () => {
      const looks = looksOf(name);
      let end = "succeeds";
      await replayed(looks).catch((error: unknown) => (end = (error as Error).message));
      if (cause === undefined) assert.equal(end, "succeeds");
      else assert.match(end, cause);
      const lines = said.map((line) => line.replaceAll(times, "TIME of at most TIME"));
      views.push([`# ${name.replaceAll("-", " ")}`, ...lines, end, ""].join("\n"));
    });
  }

  it("shows in CI the lines of test/golden/live-views.txt", () => {
    textMatchesGolden("live-views.txt", views.join("\n"));
  });

  it("is each one that is there", () => {
    const there = readdirSync(directory).map((file) => file.replace(/\.jsonl$/, ""));
    assert.deepEqual(there.sort(), Object.keys(ends).sort());
  });
});
