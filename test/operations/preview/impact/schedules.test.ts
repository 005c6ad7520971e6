import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { changesOf } from "../../../../operations/preview/changes/changes";
import { scheduleNotes } from "../../../../operations/preview/impact/schedules";
import { events, object } from "../../support/steps";
import type { Json } from "../../../../operations/pulumi/events";

type Spec = Readonly<Record<string, Json>>;

const nightly: Spec = { schedule: "30 3 * * *", startingDeadlineSeconds: 300, timeZone: "Etc/UTC" };

/** Returns a step that changes a job's CronJob. Without `before`, the step creates the CronJob. */
function job(after: Spec, before?: Spec, name = "export") {
  const made = {
    after: { spec: after },
    in: ["ScheduledJob", name] as const,
    ...(before === undefined ? {} : { before: { spec: before } }),
  };
  const { in: its, ...rest } = made;
  const op = before === undefined ? "create" : "update";
  return object(op, "batch/v1:CronJob", { ...rest, in: [...its] });
}

const notes = (now: string, ...steps: ReturnType<typeof job>[]) =>
  scheduleNotes(changesOf(events(steps)), new Date(now));

describe("the next runs of a job", () => {
  it("are three, in the time zone of its schedule", () => {
    const madrid = { ...nightly, timeZone: "Europe/Madrid" };
    assert.deepEqual(notes("2026-11-26T12:00:00Z", job(madrid)), [
      "CronJob export runs next: Fri 27 Nov 03:30, Sat 28 Nov 03:30, Sun 29 Nov 03:30 (Europe/Madrid)",
    ]);
    assert.deepEqual(
      notes("2026-11-26T12:00:00Z", job({ ...nightly, schedule: "0 9 ? mar mon-fri" }, nightly)),
      ["CronJob export runs next: Mon 1 Mar 09:00, Tue 2 Mar 09:00, Wed 3 Mar 09:00 (Etc/UTC)"],
    );
  });

  it("are not shown for a change that leaves the times as they are, or for a job that goes", () => {
    assert.deepEqual(notes("2026-11-26T12:00:00Z", job({ ...nightly, x: 1 }, nightly)), []);
    const gone = object("delete", "batch/v1:CronJob", {
      before: { spec: nightly },
      in: ["ScheduledJob", "export"],
    });
    assert.deepEqual(notes("2026-11-26T12:00:00Z", gone), []);
  });

  it("are missing for a suspended job, and for a date that does not exist", () => {
    assert.deepEqual(notes("2026-11-26T12:00:00Z", job({ ...nightly, suspend: true }, nightly)), [
      "CronJob export is suspended: it does not run",
    ]);
    assert.deepEqual(notes("2026-11-26T12:00:00Z", job({ ...nightly, schedule: "0 0 31 2 *" })), [
      "CronJob export never runs",
    ]);
  });

  it("cannot be told for a form that only an override can set", () => {
    assert.deepEqual(notes("2026-11-26T12:00:00Z", job({ ...nightly, schedule: "@every 1h" })), [
      'CronJob export runs at "@every 1h"',
    ]);
  });

  it("are shown for five jobs", () => {
    const many = Array.from({ length: 7 }, (_, n) => job(nightly, undefined, `job-${String(n)}`));
    const shown = notes("2026-11-26T12:00:00Z", ...many);
    assert.equal(shown.length, 6);
    assert.equal(shown[5], "and 2 more jobs with a new schedule");
  });

  it("are those that the arg's documentation says", () => {
    const args = join(import.meta.dirname, "../../../../components/scheduled-job/args.ts");
    const text = readFileSync(args, "utf8").replace(/\s*\n\s*\*\s*/g, " ");
    const [, schedule = "", from = "", runs = ""] =
      /preview of `"([^"]+)"` on (\S+) shows (.*?)\./.exec(text) ?? [];
    const [line = ""] = notes(`${from}T12:00:00Z`, job({ ...nightly, schedule }));
    assert.equal(line, `CronJob export runs next: ${runs} (Etc/UTC)`);
  });
});

describe("a job whose new time has just passed", () => {
  const at = (schedule: string, now: string, more: Spec = {}, before: Spec = nightly) =>
    notes(now, job({ ...nightly, schedule, ...more }, before)).join("");
  const atOnce =
    /runs immediately, because its new time Thu 26 Nov 12:00 has just passed; then it runs next: Fri 27 Nov 12:00/;

  it("runs immediately", () => {
    assert.match(at("0 12 * * *", "2026-11-26T12:04:59Z"), atOnce);
  });

  it("does not when it is too late to start", () => {
    assert.doesNotMatch(at("0 12 * * *", "2026-11-26T12:05:01Z"), /immediately/);
    assert.match(
      at("0 12 * * *", "2026-11-26T12:05:01Z", { startingDeadlineSeconds: 400 }),
      atOnce,
    );
  });

  it("does not when the old schedule had a run at that time, or after it", () => {
    assert.doesNotMatch(
      at("0 12 * * *", "2026-11-26T12:02:00Z", {}, { ...nightly, schedule: "0 * * * *" }),
      /immediately/,
    );
  });

  it("does, if the job was suspended until now", () => {
    const hourly = { ...nightly, schedule: "0 12 * * *" };
    assert.match(
      at("0 12 * * *", "2026-11-26T12:02:00Z", { suspend: false }, { ...hourly, suspend: true }),
      atOnce,
    );
  });
});
