import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { mock } from "node:test";
import { join } from "node:path";
import { assertNotHeld, resume } from "../../../operations/release/hold";
import { Programs } from "../support/programs";

const hold = { by: "ada", reason: "checkout fails", since: "2026-11-24T14:02:00Z" };

describe("a hold", () => {
  it("stops a release, and says who holds and why", () => {
    assert.throws(() => {
      assertNotHeld("prod", { hold: JSON.stringify(hold) });
    }, /"prod" is held since 2026-11-24 14:02 UTC by ada: checkout fails\n.*npm run resume -- prod/);
  });

  it("is not there without its tag", () => {
    assertNotHeld("prod", { promoted: "{}" });
  });
});

describe("npm run resume", () => {
  let programs: Programs;
  let said: string[];
  let file: string;

  beforeEach(() => {
    programs = new Programs();
    file = join(programs.directory, "reports", "preview.json");
    said = [];
    mock.method(console, "log", (line: string) => said.push(line));
    held(hold);
  });
  afterEach(() => {
    mock.restoreAll();
    programs.remove();
  });

  function held(by: object | undefined): void {
    const tags = by === undefined ? {} : { hold: JSON.stringify(by) };
    writeFileSync(join(programs.directory, "tags.json"), JSON.stringify(tags));
    programs.add("pulumi", {
      "*stack ls*": `echo '[{"name":"prod"}]'`,
      "*stack tag ls*": `cat "${join(programs.directory, "tags.json")}"`,
    });
  }
  const removed = (): boolean => programs.calls.some((call) => call.includes("stack tag rm"));

  it("says who holds the stack and why, and ends the hold", async () => {
    await resume("prod", { yes: true }, programs.workspace());
    assert.equal(removed(), true);
    assert.deepEqual(said, [
      "Stack prod is held since 2026-11-24 14:02 UTC by ada: checkout fails",
      "Stack prod gets releases again. Its release has not changed.",
    ]);
  });

  it("as a preview writes that into a file, and keeps the hold", async () => {
    await resume("prod", { preview: file }, programs.workspace());
    assert.equal(removed(), false);
    const { headline } = JSON.parse(readFileSync(file, "utf8")) as { headline: string };
    assert.equal(headline, "is held since 2026-11-24 14:02 UTC by ada: checkout fails");
  });

  it("ends the hold that was approved, and no other one", async () => {
    const workspace = programs.workspace();
    await resume("prod", { preview: file }, workspace);
    held({ ...hold, by: "grace", since: "2026-11-25T09:00:00Z" });
    await assert.rejects(
      resume("prod", { approved: file, yes: true }, workspace),
      /^Error: This is not what was approved: .* by grace: .*Nothing was changed\.$/,
    );
    assert.equal(removed(), false);
    held(hold);
    await resume("prod", { approved: file, yes: true }, workspace);
    assert.equal(removed(), true);
  });

  it("is refused with a file that is missing, or of another stack", async () => {
    const approved = { approved: file, yes: true };
    const workspace = programs.workspace();
    const says = /preview.json does not say what was approved for stack "prod"/;
    await assert.rejects(resume("prod", approved, workspace), says);
    await resume("staging", { preview: file }, workspace);
    await assert.rejects(resume("prod", approved, workspace), says);
    assert.equal(removed(), false);
  });

  it("has nothing to do for a stack that is not held", async () => {
    held(undefined);
    await resume("prod", { preview: file }, programs.workspace());
    await resume("prod", { approved: file, yes: true }, programs.workspace());
    assert.deepEqual(said, Array(2).fill("Stack prod is not held: nothing to do"));
    assert.equal(removed(), false);
  });
});
