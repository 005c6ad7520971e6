import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { project } from "../../../lib/project";
import { dueTimesOf, type Schedule } from "../../../operations/jobs/due-times";

/**
 * Folder of the due times that kubernetes-due-times/main.go has printed. This program uses the same
 * library as Kubernetes.
 */
const folder = join(project, "test", "operations", "jobs", "kubernetes-due-times");
const json = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), "utf8"));
const { from, schedules, to } = json("schedules.json") as {
  readonly from: string;
  readonly schedules: readonly Schedule[];
  readonly to: string;
};
const recorded = json("due-times.json") as readonly (Schedule & {
  readonly count: number;
  readonly nearClockChanges: readonly string[];
  readonly sha256: string;
})[];

const textOf = (time: Date): string => time.toISOString().replace(".000Z", "Z");
const from0 = new Date(from);

describe("the due times of a schedule", () => {
  for (const [i, spec] of schedules.entries()) {
    it(`are those of Kubernetes for a year: ${spec.schedule} in ${spec.timeZone ?? ""}`, () => {
      const { count = 0, nearClockChanges = [], schedule, sha256, timeZone } = recorded[i] ?? {};
      assert.deepEqual({ schedule, timeZone }, spec, "record the answers again");
      const times = dueTimesOf(spec);
      const all = (times?.following(count + 1, from0) ?? []).filter((time) => time < new Date(to));
      const texts = all.map(textOf);
      assert.deepEqual(
        nearClockChanges.filter((text) => !texts.includes(text)),
        [],
      );
      assert.equal(texts.length, count);
      assert.equal(createHash("sha256").update(texts.join("\n")).digest("hex"), sha256);
      // The function that searches for earlier times must find the same times.
      const back = times?.between(from0, new Date(to), count) ?? [];
      assert.deepEqual(back.map(textOf).reverse(), texts);
      assert.deepEqual(times?.previous(new Date(to)), all.at(-1));
    });
  }

  it("do not exist for a date that does not exist", () => {
    const times = dueTimesOf({ schedule: "0 0 31 2 *" });
    assert.equal(times?.next(from0), undefined);
    assert.equal(times?.previous(from0), undefined);
  });

  it("are the newest ones, if a period has more than asked for", () => {
    const times = dueTimesOf({ schedule: "* * * * *" });
    assert.deepEqual(times?.between(from0, new Date("2027-08-01T00:00:30Z"), 2).map(textOf), [
      "2027-08-01T00:00:00Z",
      "2027-07-31T23:59:00Z",
    ]);
  });

  it("are unknown for a form that the program refuses", () => {
    assert.equal(dueTimesOf({ schedule: "@every 1h" }), undefined);
  });
});
