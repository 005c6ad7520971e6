import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { evicted, podsOf, readyPodsDuring, servingPods, until } from "./support/cluster";
import { apply, kubectl, succeeded } from "./support/commands";
import { abandonedTwin, checkDumps, debuggedTwin } from "./support/debug/scene";
import { nothingWasLost } from "./support/load";
import { OwnStack } from "./support/own-stack";

const REPLICAS = 2;

// This text includes the beginning of the next line, so that it matches only the args of the web
// service.
const fixed = "replicas: settings.replicas,\n    requests";
const autoscaled = (minReplicas: number): string =>
  `autoscaling: { maxReplicas: 4, minReplicas: ${String(minReplicas)} },\n    requests`;

describe("services-orders with 2 replicas", function () {
  let stack: OwnStack;
  before(async () => {
    stack = await OwnStack.deployed("updates");
  });
  after(async () => {
    await stack.removed();
  });

  const allServe = async (): Promise<void> =>
    until("all pods", async () => (await servingPods(stack.namespace)).length === REPLICAS);

  function notFewer(ready: readonly number[]): void {
    const changes = ready.filter((number, at) => number !== ready[at - 1]);
    console.log(`      Ready pods, one after the other: ${changes.join(" ")}`);
    assert.ok(Math.min(...ready) >= REPLICAS, "there were fewer Ready pods than before");
  }

  /** Deploys a release, and checks that the release replaces every pod. */
  async function released(branch: string): Promise<void> {
    const before = await servingPods(stack.namespace);
    await stack.release(branch);
    const after = await servingPods(stack.namespace);
    assert.equal(after.length, REPLICAS);
    assert.deepEqual(
      after.filter((pod) => before.includes(pod)),
      [],
      "pods that were not replaced",
    );
  }

  /** Evicts both pods, one after the other, like `kubectl drain`. */
  async function evictEach(): Promise<void> {
    await allServe();
    const [first = "", second = ""] = await servingPods(stack.namespace);
    assert.equal(await evicted(stack.namespace, first), true, "the first eviction was refused");
    let refused = 0;
    await until("the second eviction", async () => {
      if (await evicted(stack.namespace, second)) return true;
      refused += 1;
      return false;
    });
    const replacement = (await podsOf(stack.namespace)).filter(({ ready }) => ready);
    console.log(`      the second eviction was refused ${String(refused)} times, then it passed`);
    assert.equal(replacement.length, 1, "it passed before the replacement was Ready");
    assert.ok(refused > 0, "it was never refused");
    await allServe();
    // Waits, because requests could also fail later, when the ingress controller receives the
    // changes.
    await sleep(3_000);
  }

  it("runs a command once, with its exit code, and receives the complete output, which is in no log", async () => {
    const run = async (...args: readonly string[]) => stack.npm("run", "local", "--", ...args);
    succeeded(await run("seed", "--count", "20"));
    const { output } = succeeded(await run("export", "--since", "30d", "--format", "csv"));
    const rows = output.match(/^[0-9a-f-]{36},.*$/gm) ?? [];
    assert.equal(rows.length, 20, output);
    const [, job = ""] = / as Job (run-export-\S+)$/m.exec(output) ?? [];
    const which = [
      "--selector",
      `batch.kubernetes.io/job-name=${job}`,
      "--all-containers",
      "--tail=-1",
    ];
    const logs = await kubectl(["-n", stack.namespace, "logs", ...which]);
    assert.match(logs, /exported the orders/);
    assert.deepEqual(
      rows.filter((row) => logs.includes(row.slice(0, 36))),
      [],
      "the cluster's logs contain orders",
    );
    assert.equal((await run("export", "--since", "yesterday", "--format", "csv")).code, 2);
  });

  it("stops a twin of the service at a breakpoint, and deletes it within 10 s after Ctrl-C", async () => {
    const pods = await podsOf(stack.namespace);
    const abandoned = await abandonedTwin(stack);
    const { output, seconds } = await debuggedTwin(stack);
    assert.ok(output.includes(`Deleting twin ${abandoned}, which an earlier`), output);
    console.log(`      the twin was gone ${seconds.toFixed(1)} s after Ctrl-C`);
    assert.ok(seconds <= 10);
    assert.deepEqual(await podsOf(stack.namespace), pods);
  });

  it("gets a thread dump, a heap dump and a flight recording of a pod, which continues", async () => {
    const pods = await podsOf(stack.namespace);
    await checkDumps(stack);
    assert.deepEqual(await podsOf(stack.namespace), pods);
  });

  it("restarts no pod for a commit that changes neither the image nor a pod's spec", async () => {
    const pods = await podsOf(stack.namespace);
    stack.edit("README.md", "# services-orders", "# services-orders, again");
    stack.edit(
      "jobs.ts",
      "export const jobs: readonly Job[] = [",
      `$&\n  { name: "more", schedule: "17 3 * * *", args: ["expire-unpaid", "--older-than", "72h"] },`,
    );
    await stack.commit();
    await stack.up();
    await kubectl(["-n", stack.namespace, "get", "cronjob", "more"]);
    assert.deepEqual(await podsOf(stack.namespace), pods);
  });

  it("loses no request and no Ready pod in three rolling updates in a row that replace every pod", async () => {
    const results = await stack.underLoad(async () => {
      const ready = await readyPodsDuring(stack.namespace, async () => {
        for (const branch of ["first", "second", "third"]) await released(branch);
      });
      notFewer(ready);
    });
    await nothingWasLost(stack.namespace, results);
  });

  it("loses no request while pods are evicted: the second is refused until the first one's replacement is Ready", async () => {
    await nothingWasLost(stack.namespace, await stack.underLoad(evictEach));
  });

  it("does the same next to a crash-looping pod of another track, for which no update waits", async () => {
    await crashingCanary();
    const results = await stack.underLoad(async () => {
      await evictEach();
      await released("fourth");
    });
    await nothingWasLost(stack.namespace, results);
    const [canary] = await podsOf(stack.namespace, "canary");
    assert.equal(canary?.ready, false);
  });

  it("has never fewer Ready pods while autoscaling is turned on, scales, and is turned off again", async () => {
    const ready = await readyPodsDuring(stack.namespace, async () => {
      const pods = await servingPods(stack.namespace);
      stack.edit("program/web-service-args.ts", fixed, autoscaled(2));
      await stack.up();
      assert.deepEqual(await servingPods(stack.namespace), pods, "turning it on changed the pods");
      await until("the autoscaler's metrics", async () => {
        const active = "jsonpath={.status.conditions[?(@.type=='ScalingActive')].status}";
        const get = ["get", "hpa", "services-orders", "-o", active];
        return (await kubectl(["-n", stack.namespace, ...get])) === "True";
      });

      stack.edit("program/web-service-args.ts", autoscaled(2), autoscaled(3));
      await stack.up();
      await until("a third pod", async () => (await servingPods(stack.namespace)).length === 3);

      const three = await servingPods(stack.namespace);
      stack.edit("program/web-service-args.ts", autoscaled(3), fixed);
      await stack.up();
      // If the HorizontalPodAutoscaler still existed, this autoscaler would change the number of
      // pods within these 20 s.
      await sleep(20_000);
      assert.deepEqual(await servingPods(stack.namespace), three, "turning it off changed them");
    });
    notFewer(ready);
  });

  /**
   * Creates a canary in the same form as the component: the same pod with another track. The
   * command of the pod's container fails.
   */
  async function crashingCanary(): Promise<void> {
    interface Deployment {
      metadata: { labels: Record<string, string>; name: string };
      spec: {
        replicas: number;
        selector: { matchLabels: Record<string, string> };
        template: {
          metadata: { labels: Record<string, string> };
          spec: { containers: { args: string[] }[] };
        };
      };
    }
    const live = await kubectl([
      ...["-n", stack.namespace, "get", "deployment", "services-orders", "-o", "json"],
    ]);
    const { metadata, spec } = JSON.parse(live) as Deployment;
    const track = { track: "canary" };
    spec.replicas = 1;
    spec.selector.matchLabels = { ...spec.selector.matchLabels, ...track };
    spec.template.metadata.labels = { ...spec.template.metadata.labels, ...track };
    for (const container of spec.template.spec.containers) container.args = ["no-such-command"];
    await apply({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: {
        labels: { ...metadata.labels, ...track },
        name: "services-orders-canary",
        namespace: stack.namespace,
      },
      spec,
    });
    await until("the canary's crash", async () =>
      (await podsOf(stack.namespace, "canary")).some(({ restarts }) => restarts > 0),
    );
  }
});
