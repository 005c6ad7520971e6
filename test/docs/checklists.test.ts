import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyOfProject, perform, stepsOf } from "../support/checklist";

/**
 * A pattern for each place that a checklist names. The test inserts the step's code before the text
 * that matches the pattern.
 */
const places: Readonly<Record<string, RegExp>> = {
  "Pulumi.prod.yaml, at the end": /$/,
  "cli/operations.ts, above `addReview`": /^ {2}addReview\(add/m,
  "package.json, first of `scripts`": /(?<="scripts": \{\n)/,
  "policy/rules/index.ts, among the imports": /^import/m,
  "policy/rules/index.ts, first of `rules`": /(?<= {2}return \[\n)/,
  "policy/rules/services.ts, at the end": /$/,
  "program/web-service-args.ts, above `publicPort`": /^ {4}publicPort:/m,
  "settings/table.ts, above `namespace`": /^ {2}namespace: setting/m,
  "test/settings/settings.test.ts, first of `settings`": /(?<=^describe\("settings", .+ \{\n)/m,
  "test/support/objects.ts, first of `breaks`": /(?<=export const breaks: .+ = \{\n)/,
};

function run(copy: string, ...args: readonly string[]): { code: number | null; output: string } {
  // Commands in the copy inherit the environment variables of this process. These variables do not
  // affect the tests in the copy, because these tests do not read the variables that configure this
  // test run.
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
    const ran = run(copy, join("cli", "entry.mjs"), name, "invoice-pdf");
    assert.deepEqual(ran, { code: 0, output: "review-invoice-pdf\n" });
    const tested = run(
      copy,
      mocha,
      join("test", "operations", "stacks", "print-stack-name.test.ts"),
    );
    assert.equal(tested.code, 0, tested.output);
    assert.match(tested.output, /1 passing/);
  });

  it('"add a setting" makes a setting that the file, the args and the editor know', () => {
    const steps = stepsOf("add-a-setting");
    const files = new Set(steps.map(({ where }) => where.split(", ")[0]));
    assert.equal(files.size, 4);
    for (const step of steps) perform(step, copy, places);
    const test = join("test", "settings", "settings.test.ts");
    const tested = run(copy, mocha, test, "--grep", "let a new pod be ready for longer");
    assert.equal(tested.code, 0, tested.output);
    assert.match(tested.output, /1 passing/);
    writeFileSync(
      join(copy, "tools", "show.ts"),
      `
      import { readFileSync } from "node:fs";
      import { parse } from "yaml";
      import { webServiceArgs } from "../program/web-service-args";
      import { configOf, settingsFrom } from "../settings";
      import { configSchema } from "./config-schema";
      const minReadySeconds = (stack: string) => {
        const config = configOf(parse(readFileSync(\`Pulumi.\${stack}.yaml\`, "utf8")));
        const git = { branch: "main", commit: "unknown" };
        return webServiceArgs(settingsFrom({ config, env: {}, git, stack })).minReadySeconds;
      };
      const { config } = JSON.parse(configSchema()).properties;
      const { description } = config.properties["services-orders:minReadySeconds"];
      console.log(JSON.stringify([minReadySeconds("prod"), minReadySeconds("staging"), description]));
      `,
    );
    const { output } = run(copy, "--import", "tsx", join("tools", "show.ts"));
    const [prod, staging, description] = JSON.parse(output) as [number, number, string];
    assert.deepEqual([prod, staging], [60, 10]);
    assert.match(description, /^Seconds that a new pod must be ready .* from 0 to 3600/);
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
