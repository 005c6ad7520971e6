import assert from "node:assert/strict";
import { changesOf } from "../../../../operations/preview/changes/changes";
import { migrationNotes } from "../../../../operations/preview/impact/migrations";
import { events, object } from "../../support/steps";

const made = {
  in: ["WebService", "services-orders"],
  name: "services-orders-migrate-v12",
} as const;
const notes = (...steps: ReturnType<typeof object>[]): readonly string[] =>
  migrationNotes(changesOf(events(steps)));

describe("a long migration in a preview", () => {
  it("runs before the rollout", () => {
    assert.deepEqual(notes(object("create", "batch/v1:Job", { ...made, after: {} })), [
      "migration V12 runs as Job services-orders-migrate-v12 before the rollout",
    ]);
  });

  it("runs again after a failure", () => {
    const step = object("replace", "batch/v1:Job", {
      ...made,
      after: { spec: 2 },
      before: { spec: 1 },
    });
    assert.deepEqual(notes(step), [
      "migration V12 runs again as Job services-orders-migrate-v12 before the rollout",
    ]);
  });

  it("is not mentioned if its Job goes, or for another Job", () => {
    const gone = object("delete", "batch/v1:Job", { ...made, before: {} });
    const other = object("create", "batch/v1:Job", { ...made, after: {}, name: "import-v12" });
    assert.deepEqual(notes(gone, other), []);
  });
});
