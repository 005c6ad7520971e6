import assert from "node:assert/strict";
import fc from "fast-check";
import type { JobStatus, Run } from "../../../../operations/jobs/runs";
import { newsOf } from "../../../../operations/notify/jobs/news";

const at = (time: string): Date => new Date(`2026-11-27T${time}:00Z`);
const run = (name: string, started: string, result: Run["result"] = "failed"): Run => ({
  ...(result === "running" ? {} : { ended: at(started) }),
  name,
  result,
  started: at(started),
});
const status = (more: Partial<JobStatus>): JobStatus => ({
  missed: [],
  name: "export",
  runs: [],
  schedule: { schedule: "0 * * * *", startingDeadlineSeconds: 300 },
  since: at("00:00"),
  ...more,
});
/** Returns the names of the failed runs, and the hours at which the missed runs were due. */
const said = (...args: Parameters<typeof newsOf>) => {
  const { failed, missed } = newsOf(...args);
  return [...failed.map(({ name }) => name), ...missed.map(({ due }) => due.getUTCHours())];
};

describe("the news about a job", () => {
  it("contain the failed and the missed runs, each once", () => {
    const job = status({
      missed: [at("09:00")],
      runs: [run("b", "08:00"), run("ok", "07:00", "succeeded"), run("a", "06:00")],
    });
    assert.deepEqual(said(job, undefined, at("10:00")), ["b", "a", 9]);
    const { then } = newsOf(job, undefined, at("10:00"));
    assert.deepEqual(said(job, then, at("10:15")), []);
    const later = status({
      missed: [at("10:00"), at("09:00")],
      runs: [run("c", "11:00"), ...job.runs],
    });
    assert.deepEqual(said(later, then, at("11:15")), ["c", 10]);
  });

  it("do not call a run missed while Kubernetes may still start it", () => {
    const job = status({ missed: [at("10:00")], schedule: { schedule: "0 * * * *" } });
    const early = newsOf(job, undefined, new Date("2026-11-27T10:00:59Z"));
    assert.deepEqual(early.missed, []);
    assert.deepEqual(said(job, early.then, at("10:02")), [10]);
  });

  it("do not call a run missed after someone has deleted its Job", () => {
    const { then } = newsOf(
      status({ runs: [run("x", "09:00", "succeeded")] }),
      undefined,
      at("10:00"),
    );
    assert.deepEqual(said(status({ missed: [at("09:00")] }), then, at("10:15")), []);
  });

  it("do not contain a reported run again if the starting deadline gets longer", () => {
    const job = status({ missed: [at("09:00")] });
    const { then } = newsOf(job, undefined, at("09:30"));
    const schedule = { schedule: "0 * * * *", startingDeadlineSeconds: 3000 };
    const { then: longer } = newsOf(status({ schedule }), then, at("09:35"));
    assert.deepEqual(said(job, longer, at("09:40")), []);
  });

  it("name the earlier run that had not ended", () => {
    const job = status({ missed: [at("09:00")], runs: [run("slow", "08:00", "running")] });
    assert.equal(newsOf(job, undefined, at("10:00")).missed[0]?.busy, "slow");
  });

  it("forget the failed runs that the cluster no longer has", () => {
    const told = { checkedUntil: at("09:00").toISOString(), failed: ["gone", "kept"] };
    const job = status({ runs: [run("kept", "08:00")] });
    assert.deepEqual(newsOf(job, told, at("10:00")).then.failed, ["kept"]);
  });

  it("contain each missed run exactly once, whenever the notifier runs", () => {
    const due = Array.from({ length: 24 }, (_, hour) => new Date(Date.UTC(2026, 10, 27, hour)));
    const minutes = fc.uniqueArray(fc.integer({ min: 0, max: 24 * 60 }), { maxLength: 40 });
    fc.assert(
      fc.property(minutes, (looks) => {
        const told: number[] = [];
        let memory: Parameters<typeof newsOf>[1];
        for (const minute of [...looks.sort((a, b) => a - b), 25 * 60]) {
          const now = new Date(Date.UTC(2026, 10, 27, 0, minute));
          const until = now.getTime() - 300_000;
          const missed = due.filter((time) => time.getTime() < until).reverse();
          const news = newsOf(status({ missed }), memory, now);
          told.push(...news.missed.map((one) => one.due.getUTCHours()));
          memory = news.then;
        }
        assert.deepEqual(
          told.sort((a, b) => a - b),
          [...due.keys()],
        );
      }),
    );
  });
});
