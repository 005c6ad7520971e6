import assert from "node:assert/strict";
import fc from "fast-check";
import { cores, memoryBytes } from "../../../components/conventions/quantities";
import {
  type PodRequirement,
  type Quota,
  peakPods,
  quotaIssue,
} from "../../../components/conventions/quota";

const cpu = fc.oneof(
  fc.integer({ max: 4000, min: 1 }).map((milli) => `${String(milli)}m`),
  fc.integer({ max: 40, min: 1 }).map((tenths) => String(tenths / 10)),
);
const memory = fc
  .tuple(fc.integer({ max: 2048, min: 1 }), fc.constantFrom("Ki", "Mi", "Gi"))
  .map(([amount, unit]) => `${String(amount)}${unit}`);
const requests = fc.record({ cpu, memory });
const requirement: fc.Arbitrary<PodRequirement> = fc.record({
  name: fc.constantFrom("web", "postgres", "job"),
  pods: fc.integer({ max: 20, min: 0 }),
  requests,
});
const requirements = fc.array(requirement, { maxLength: 6 });

/**
 * Converts a quantity to a whole number, so that no sum is rounded: `milli` returns thousandths of
 * a CPU core, `bytes` returns bytes of memory.
 */
const milli = (text: string) => Math.round((cores(text) ?? NaN) * 1000);
const bytes = (text: string) => memoryBytes(text) ?? NaN;

/** Returns the smallest quota that allows the pods. */
function exactly(all: readonly PodRequirement[]): Quota {
  const sum = (amount: (requirement: PodRequirement) => number) =>
    all.reduce((total, requirement) => total + requirement.pods * amount(requirement), 0);
  return {
    cpu: `${String(
      Math.max(
        1,
        sum((d) => milli(d.requests.cpu)),
      ),
    )}m`,
    memory: `${String(Math.max(1, sum((d) => bytes(d.requests.memory)) / 1024))}Ki`,
    pods: sum(() => 1),
  };
}

const one: PodRequirement = { name: "web", pods: 1, requests: { cpu: "250m", memory: "512Mi" } };

describe("the pods of a rollout", () => {
  it("are the replicas, what maxSurge adds (rounded up), and the same number of terminating pods", () => {
    assert.equal(peakPods(2, "25%"), 4);
    assert.equal(peakPods(4, "25%"), 6);
    assert.equal(peakPods(5, "25%"), 9);
    assert.equal(peakPods(9, 2), 13);
    assert.equal(peakPods(0, "25%"), 0);
  });

  it("are never more than the old ones and as many new ones", () => {
    assert.equal(peakPods(1, "25%"), 2);
    assert.equal(peakPods(3, "100%"), 6);
    assert.equal(peakPods(3, 2), 6);
  });

  it("are as many as a rollout shows whose old pods end while one more step is made", () => {
    fc.assert(
      fc.property(
        fc.integer({ max: 200, min: 1 }),
        fc.integer({ max: 100, min: 1 }),
        (replicas, percent) => {
          const surge = Math.ceil((replicas * percent) / 100);
          let [old, added, ending, most] = [replicas, 0, 0, replicas];
          while (added < replicas || old > 0) {
            // A Deployment does not count pods that are terminating, but a quota counts them.
            added = Math.min(replicas, replicas + surge - old);
            most = Math.max(most, old + added + ending);
            ending = Math.min(old, old + added - replicas);
            old -= ending;
            most = Math.max(most, old + added + ending);
          }
          assert.equal(peakPods(replicas, `${String(percent)}%`), most);
        },
      ),
    );
  });
});

describe("a quota", () => {
  it("has room for exactly what the pods request", () => {
    fc.assert(
      fc.property(requirements, (all) => {
        assert.equal(quotaIssue(exactly(all), all), undefined);
      }),
    );
  });

  it("has no room when there is one pod, a thousandth of a core or a kibibyte less than is asked for", () => {
    fc.assert(
      fc.property(requirements, (more) => {
        const all = [one, ...more];
        const quota = exactly(all);
        const less = (text: string, unit: string) =>
          `${String(Number(text.slice(0, -unit.length)) - 1)}${unit}`;
        for (const short of [
          { pods: quota.pods - 1 },
          { cpu: less(quota.cpu, "m") },
          { memory: less(quota.memory, "Ki") },
        ]) {
          const issue = quotaIssue({ ...quota, ...short }, all);
          assert.equal(issue?.arg, "quota", JSON.stringify(short));
        }
      }),
    );
  });

  it("that has room still has it when it grows, or when a requirement goes", () => {
    fc.assert(
      fc.property(requirements, requests, fc.nat(100), (all, grown, pods) => {
        const quota = exactly(all);
        const larger = {
          cpu: `${String(milli(quota.cpu) + milli(grown.cpu))}m`,
          memory: `${String((bytes(quota.memory) + bytes(grown.memory)) / 1024)}Ki`,
          pods: quota.pods + pods,
        };
        assert.equal(quotaIssue(larger, all), undefined);
        assert.equal(quotaIssue(quota, all.slice(1)), undefined);
      }),
    );
  });

  it("has room for nothing at all", () => {
    assert.equal(quotaIssue({ cpu: "1m", memory: "1Ki", pods: 1 }, []), undefined);
  });

  it("counts amounts in other units as what they are", () => {
    const requirements = [
      { ...one, pods: 3, requests: { cpu: "0.1", memory: "1Gi" } },
      { ...one, requests: { cpu: "700m", memory: "1024Mi" } },
    ];
    assert.equal(quotaIssue({ cpu: "1", memory: "4Gi", pods: 4 }, requirements), undefined);
    assert.notEqual(quotaIssue({ cpu: "999m", memory: "4Gi", pods: 4 }, requirements), undefined);
  });

  it("says what it must have room for, and for whom", () => {
    const requirements = [
      { ...one, pods: 5 },
      { ...one, name: "export", requests: { cpu: "1", memory: "2Gi" } },
    ];
    const quota = { cpu: "2", memory: "4Gi", pods: 10 };
    assert.deepEqual(quotaIssue(quota, requirements), {
      arg: "quota",
      got: quota,
      rule: "have room for 6 pods, 2250m CPU and 4608Mi memory (5 web, 1 export)",
      fix: "lower replicas or requests, suspend jobs, or raise the quota",
    });
  });
});
