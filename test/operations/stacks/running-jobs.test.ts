import assert from "node:assert/strict";
import { mock } from "node:test";
import {
  duringMigration,
  runningJobs,
  untilNoJobRuns,
} from "../../../operations/stacks/running-jobs";

const run = (name: string, active?: number): object => ({
  metadata: { name },
  status: { ...(active === undefined ? {} : { active }), startTime: "2026-01-01T03:30:00Z" },
});

/**
 * Returns a stand-in for a cluster. Each call of `kubectl get jobs` returns the next element of
 * `looks`. After the last element, each call returns this element again.
 */
function cluster(...looks: readonly (readonly object[])[]) {
  let look = 0;
  return {
    kubectl: async (args: readonly string[]) => {
      // The request excludes the Jobs of `npm run debug`.
      const which = ["--namespace", "orders", "--selector", "!debug/twin-of"];
      assert.deepEqual(args.slice(0, 6), ["get", "jobs", ...which]);
      const items = looks[Math.min(look, looks.length - 1)];
      look += 1;
      return Promise.resolve(JSON.stringify({ items }));
    },
  };
}

describe("jobs that run", () => {
  let said: string[];
  beforeEach(() => {
    said = [];
    mock.method(console, "log", (line: string) => said.push(line));
  });
  afterEach(() => {
    mock.restoreAll();
  });

  it("are those with active pods, each with its time", async () => {
    const now = new Date("2026-01-01T03:34:00Z");
    // The Job of a long migration is not in the result, because a deploy itself waits for this Job.
    const migration = run("services-orders-migrate-v12", 1);
    const all = [run("export-1", 1), run("export-0"), run("expire-2", 0), migration];
    const running = await runningJobs("orders", cluster(all), now);
    assert.deepEqual(running, ["Job export-1 (running for 4 min)"]);
    assert.match(
      duringMigration(running).join(),
      /at the same time as Job export-1 \(running for 4 min\)/,
    );
    assert.deepEqual(duringMigration([]), []);
  });

  it("are waited for, also one that starts during the wait", async () => {
    const looks = cluster([run("a", 1)], [run("a", 1)], [run("b", 1)], []);
    await untilNoJobRuns("orders", looks, 5_000, 1);
    assert.equal(said.length, 2);
    assert.match(said[0] ?? "", /^Waiting for Job a .*, at most 5\.0s$/);
    assert.match(said[1] ?? "", /^Waiting for Job b /);
  });

  it("end the wait at its limit, by name, and nothing was changed", async () => {
    await assert.rejects(
      untilNoJobRuns("orders", cluster([run("a", 1)]), 20, 1),
      /these jobs still run: Job a .* Nothing was changed\.$/,
    );
    const away = { kubectl: async () => Promise.reject(new Error("refused")) };
    await assert.rejects(untilNoJobRuns("orders", away, 20, 1), /the cluster does not answer/);
  });
});
