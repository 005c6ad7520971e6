import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { copyOfProject, perform, stepsOf } from "../support/checklist";

/** What a checklist's code is written in front of. */
const places: Readonly<Record<string, RegExp>> = {
  "cli/operations.ts, above `addReview`": /^ {2}addReview\(add/m,
  "package.json, first of `scripts`": /(?<="scripts": \{\n)/,
  "policy/rules/index.ts, among the imports": /^import/m,
  "policy/rules/index.ts, first of `rules`": /(?<= {2}return \[\n)/,
  "policy/rules/services.ts, at the end": /$/,
  "test/support/objects.ts, first of `breaks`": /(?<=export const breaks: .+ = \{\n)/,
};

function run(copy: string, ...args: readonly string[]): { code: number | null; output: string } {
  // In a copy nothing is told by the variables of the tests' own run.
  const { status, stderr, stdout } = spawnSync(process.execPath, args, {
    cwd: copy,
    encoding: "utf8",
  });
  return { code: status, output: `${stdout}${stderr}` };
}

const mocha = join("node_modules", "mocha", "bin", "mocha.js");

describe("the checklist", function () {
  this.timeout(180_000);
  let copy: string;
  beforeEach(() => {
    copy = copyOfProject();
  });
  afterEach(() => {
    rmSync(copy, { force: true, recursive: true });
  });

  it('"add a command" makes a command that runs, with a test that passes', () => {
    const steps = stepsOf("add-a-command");
    assert.equal(steps.length, 4);
    for (const step of steps) perform(step, copy, places);
    const { scripts } = JSON.parse(readFileSync(join(copy, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const [, , name = ""] = scripts["stack-name"]?.split(" ") ?? [];
    const ran = run(copy, "--import", "tsx", join("cli", "main.ts"), name, "invoice-pdf");
    assert.deepEqual(ran, { code: 0, output: "review-invoice-pdf\n" });
    const tested = run(
      copy,
      mocha,
      join("test", "operations", "stacks", "print-stack-name.test.ts"),
    );
    assert.equal(tested.code, 0, tested.output);
    assert.match(tested.output, /1 passing/);
  });

  it('"add a policy rule" makes a rule that a test asks an example of', () => {
    const steps = stepsOf("add-a-rule");
    assert.equal(steps.length, 4);
    const test = join("test", "policy", "rules.test.ts");
    for (const step of steps.slice(0, -1)) perform(step, copy, places);
    const asked = run(copy, mocha, test);
    assert.notEqual(asked.code, 0);
    assert.match(asked.output, /are each broken by a program below/);
    for (const step of steps.slice(-1)) perform(step, copy, places);
    const tested = run(copy, mocha, test);
    assert.equal(tested.code, 0, tested.output);
    assert.match(tested.output, /stop Service "service": spec\.type must not be NodePort/);
  });
});
