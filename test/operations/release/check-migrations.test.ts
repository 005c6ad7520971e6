import { strict as assert } from "node:assert";
import { checkMigrations, migrationIssues } from "../../../operations/release/check-migrations";

const first = ["V1__orders.sql", "CREATE TABLE orders ();"] as const;
const second = ["V2__note.sql", "-- expand\n"] as const;
const third = ["V3__index.sql", "-- expand\n"] as const;

describe("the check of migrations", () => {
  it("accepts a version above those of main", () => {
    assert.deepEqual(migrationIssues(new Map([first, second, third]), [first[0], second[0]]), []);
  });

  it("accepts a branch that is behind main", () => {
    const onMain = [first[0], second[0], third[0]];
    assert.deepEqual(migrationIssues(new Map([first, second]), onMain), []);
  });

  it("refuses a version that main has passed", () => {
    const [issue = "", ...others] = migrationIssues(new Map([first, second]), [first[0], third[0]]);
    assert.match(issue, /^V2__note\.sql must have a version above 3, the newest version on main/);
    assert.deepEqual(others, []);
  });

  it("refuses the version of another file", () => {
    const other = ["V2__other.sql", "-- expand\n"] as const;
    assert.deepEqual(migrationIssues(new Map([first, second, other]), [first[0]]), [
      "V2__other.sql has the same version as V2__note.sql",
    ]);
  });

  it("refuses a migration that does not say what it does to older code", () => {
    const silent = ["V2__note.sql", "ALTER TABLE orders ADD COLUMN note text;"] as const;
    assert.deepEqual(migrationIssues(new Map([first, silent]), []), [
      'V2__note.sql must begin with the line "-- expand", "-- contract", "-- expand, long" or "-- contract, long", got "ALTER TABLE orders ADD COLUMN note text;"',
    ]);
  });

  it("accepts a migration that says that it is long", () => {
    const long = ["V2__index.sql", "-- contract, long\nDROP INDEX a;"] as const;
    assert.deepEqual(migrationIssues(new Map([first, long]), []), []);
  });

  it("refuses another word in one line, with the first lines that are possible", () => {
    const slow = ["V2__index.sql", "-- expand, slow\nDROP INDEX a;"] as const;
    const [issue = "", ...others] = migrationIssues(new Map([first, slow]), []);
    assert.match(issue, /"-- expand, long" or "-- contract, long", got "-- expand, slow"$/);
    assert.deepEqual(others, []);
  });

  it("refuses a name that Flyway does not know", () => {
    assert.deepEqual(migrationIssues(new Map([["v2_note.sql", "-- expand\n"]]), []), [
      "v2_note.sql must have a name such as V12__note_of_order.sql",
    ]);
  });

  it("accepts the service's migrations", async () => {
    await checkMigrations();
  });
});
