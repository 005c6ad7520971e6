import assert from "node:assert/strict";
import { check } from "../../pipeline/check";
import { show } from "../../pipeline/checks/source";
import { inOneProject as pipelines } from "../../pipeline/pipelines";
import { recorded } from "../../pipeline/steps";
import { yaml } from "../../pipeline/write";

/**
 * A mistake in a generated file: the test replaces the text `from` with the text `to`. The message
 * of the check must name the position of the text `at`.
 */
interface Mistake {
  readonly file?: string;
  readonly from: string;
  readonly to: string;
  /**
   * A text that is part of `to`, or that follows `to` in the file. The message must contain the
   * line and the column at which this text begins.
   */
  readonly at: string;
  readonly says: RegExp;
}

function text(file: string): string {
  const config = pipelines[file];
  assert.ok(config);
  return yaml(config);
}

function seed({ at, file = "config.yml", from, says, to }: Mistake): void {
  const before = text(file);
  const found = before.indexOf(from);
  assert.notEqual(found, -1, `"${from}" is not in ${file}: the mistake cannot be made`);
  const after = before.slice(0, found) + to + before.slice(found + from.length);
  const place = after.indexOf(at, found);
  assert.notEqual(place, -1);
  const lines = after.slice(0, place).split("\n");
  const where = `.circleci/${file}:${String(lines.length)}:${String((lines.at(-1)?.length ?? 0) + 1)}: `;
  const shown = check(`.circleci/${file}`, after).map(show);
  const matching = shown.filter((line) => says.test(line));
  assert.ok(
    matching.some((line) => line.startsWith(where)),
    `no message at ${where} says ${String(says)}, but: ${shown.join("\n")}`,
  );
}

const staging = "serial-group: services-orders/staging";

describe("a mistake in a pipeline's file is shown with its place", () => {
  it("finds none in what is written", () => {
    for (const file of Object.keys(pipelines)) {
      assert.deepEqual(check(file, text(file)).map(show), []);
    }
  });

  it("when the file is not YAML", () => {
    const [fault, ...more] = check("x.yml", "version: 2.1\njobs: [\n").map(show);
    assert.match(fault ?? "", /^x\.yml:3:1: is not YAML/);
    assert.deepEqual(more, []);
  });

  it("for an unknown key at the top", () => {
    seed({
      from: "workflows:\n",
      to: "tests: []\nworkflows:\n",
      at: "tests",
      says: /unknown key "tests"/,
    });
  });

  it("for a misspelled requires", () => {
    const from = "      - scan-image-review:\n          requires:";
    seed({
      from,
      to: from.replace("requires", "reqires"),
      at: "reqires",
      says: /unknown key "reqires"/,
    });
  });

  it("for requires on a job that is not in the workflow", () => {
    const from = "- scan-image-review:\n          requires:\n            - image-review";
    seed({
      from,
      to: from.replace(/image-review$/, "image-staging"),
      at: "image-staging",
      says: /requires "image-staging", which is not in workflow "branch"/,
    });
  });

  it("for a job of a workflow that is not defined", () => {
    seed({
      from: "    jobs:\n      - check\n",
      to: "    jobs:\n      - chek\n",
      at: "chek",
      says: /there is no job "chek"/,
    });
  });

  it("for an approval with a job's name", () => {
    seed({
      from: "- approve-review:",
      to: "- promote:",
      at: "promote",
      says: /approval "promote" has the name of a job/,
    });
  });

  it("for an approval that nothing requires", () => {
    seed({
      from: "      - approve-review:\n",
      to: "      - approve-nothing:\n          type: approval\n      - approve-review:\n",
      at: "approve-nothing",
      says: /nothing requires approval "approve-nothing"/,
    });
  });

  it("for jobs that wait for each other", () => {
    seed({
      from: "      - image-review:\n          requires:\n            - test-service\n",
      to: "      - image-review:\n          requires:\n            - preview-prod\n",
      at: "image-review",
      says: /"image-review" waits for itself/,
    });
  });

  it("for a job that is in no workflow", () => {
    seed({
      from: "jobs:\n",
      to: "jobs:\n  idle:\n    executor: java\n    steps: [checkout]\n",
      at: "idle",
      says: /"idle" is in no workflow/,
    });
  });

  it("for characters that are illegal in a serial group", () => {
    seed({
      from: staging,
      to: `${staging.slice(0, -7)}@staging`,
      at: "services-orders/@",
      says: /not "@"/,
    });
  });

  it("for a serial group with a branch's name", () => {
    seed({
      from: staging,
      to: staging.replace(/staging$/, "<< pipeline.git.branch >>"),
      at: "services-orders/",
      says: /pipeline\.git\.branch, which may have characters that are illegal/,
    });
  });

  it("for a job that is told another serial group than its own", () => {
    seed({
      from: staging,
      to: `${staging}-2`,
      at: "services-orders/",
      says: /"deploy-staging" must have SERIAL_GROUP: ".*" in its environment, got ".*\/staging"/,
    });
  });

  it("for a resource class that does not exist", () => {
    seed({
      from: "resource_class: medium",
      to: "resource_class: middling",
      at: "middling",
      says: /"middling" is not a resource class/,
    });
  });

  it("for a runner's resource class without its namespace", () => {
    const runner = (name: string) =>
      text("config.yml").replace(/(inside-network:[^]*?resource_class: )medium/, `$1${name}`);
    assert.deepEqual(check("config.yml", runner("acme/smoke")), []);
    const [finding, ...more] = check("config.yml", runner("/smoke"));
    assert.match(
      finding?.message ?? "",
      /"\/smoke" is not a resource class; .* a runner's namespace\/name/,
    );
    assert.deepEqual(more, []);
  });

  const description = "start a canary (asks for an approval), or stop the one that runs";
  const action = `  action:\n    type: enum\n    description: ${description}\n    enum:\n      - start\n      - stop\n`;

  it("for an enum parameter without values", () => {
    seed({
      file: "canary.yml",
      from: action,
      to: action.replace(/    enum:[^]*$/, ""),
      at: "action",
      says: /"action" is an enum without values/,
    });
  });

  it("for a default that is not one of an enum's values", () => {
    seed({
      file: "canary.yml",
      from: "default: start",
      to: "default: begin",
      at: "begin",
      says: /"begin" of parameter "action" is not one of start, stop/,
    });
  });

  it("for an expression whose bracket is not closed", () => {
    seed({
      from: 'when: pipeline.event.name == "push" and',
      to: 'when: (pipeline.event.name == "push" and',
      at: "(pipeline",
      says: /"\(" is not closed, at character 1/,
    });
  });

  it("for an expression that reads a value that does not exist", () => {
    seed({
      from: 'when: pipeline.event.name == "push" and pipeline.git.branch',
      to: 'when: pipeline.event.name == "push" and pipeline.git.brunch',
      at: "pipeline.event.name",
      says: /there is no pipeline value "pipeline\.git\.brunch"/,
    });
  });

  it("for a workflow that does not say when it runs", () => {
    seed({
      file: "sweep.yml",
      from: '  sweep:\n    when: pipeline.git.branch == "main"\n',
      to: "  sweep:\n",
      at: "sweep",
      says: /must have an expression in "when"/,
    });
  });

  it("for values of a pull request at other events", () => {
    seed({
      file: "teardown.yml",
      from: 'pipeline.event.name == "pull_request" and ',
      to: "",
      at: "teardown:",
      says: /uses values of a pull request/,
    });
  });

  it("for a job without an executor", () => {
    seed({
      from: "  promote:\n    executor: pulumi\n",
      to: "  promote:\n",
      at: "promote:",
      says: /"promote" has no executor/,
    });
  });

  it("for an executor that does not exist", () => {
    seed({
      from: "  promote:\n    executor: pulumi",
      to: "  promote:\n    executor: pulumy",
      at: "pulumy",
      says: /there is no executor "pulumy"/,
    });
  });

  const approvedProd = "      - deploy-prod:\n          requires:\n            - approve-prod\n";

  it("for a job that would also run after a failed one, because that one has a serial group", () => {
    seed({
      from: "requires:\n            - deploy-prod:\n                - success\n",
      to: "requires:\n            - deploy-prod\n",
      at: "deploy-prod",
      says: /"smoke-prod" requires "deploy-prod", which has a serial group, .*write "deploy-prod: \[success\]"/,
    });
  });

  const inProd = "          context:\n            - services-orders-prod\n";

  it("for a production job without an approval", () => {
    seed({
      from: approvedProd,
      to: approvedProd.replace("approve-prod", "preview-prod-promoted"),
      at: "deploy-prod",
      says: /"deploy-prod" can change production, and no approval comes before it/,
    });
  });

  it("for a production job that runs when the approval was refused", () => {
    seed({
      from: approvedProd,
      to: approvedProd.replace("- approve-prod", "- approve-prod: [success, canceled]"),
      at: "deploy-prod",
      says: /no approval comes before it/,
    });
  });

  it("for a production job without the restricted context", () => {
    seed({
      from: `${approvedProd}${inProd}`,
      to: approvedProd,
      at: "deploy-prod",
      says: /without production's restricted context services-orders-prod/,
    });
  });

  it("for a production job that two pipelines could run at the same time", () => {
    seed({
      from: `${approvedProd}${inProd}          serial-group: services-orders/prod\n`,
      to: `${approvedProd}${inProd}`,
      at: "deploy-prod",
      says: /"deploy-prod" can change production, and two pipelines could run it at the same time/,
    });
  });

  const approvedUnlock =
    "      - unlock-prod:\n          requires:\n            - approve-unlock-prod\n";

  for (const action of ["resume", "rollback", "run", "unlock"] as const) {
    it(`for a ${action} of production without an approval`, () => {
      const approved = approvedUnlock.replaceAll("unlock", action);
      seed({
        file: "recover.yml",
        from: approved,
        to: approved.replace("- approve-", "- preview-"),
        at: `${action}-prod`,
        says: new RegExp(`"${action}-prod" can change production, and no approval comes before it`),
      });
    });

    it(`for a ${action} of production without the restricted context`, () => {
      const approved = approvedUnlock.replaceAll("unlock", action);
      seed({
        file: "recover.yml",
        from: `${approved}${inProd}`,
        to: approved,
        at: `${action}-prod`,
        says: /without production's restricted context services-orders-prod/,
      });
    });
  }

  it("for a reason inside a command", () => {
    seed({
      file: "recover.yml",
      from: 'command: npm run rollback -- prod --reason "$RECOVER_REASON"',
      to: "command: npm run rollback -- prod --reason '<< pipeline.parameters.reason >>'",
      at: "npm run rollback",
      says: /anyone who chooses this value can run any command/,
    });
  });

  it("for a reason that the shell would expand", () => {
    seed({
      file: "recover.yml",
      from: 'npm run rollback -- prod --reason "$RECOVER_REASON"',
      to: "npm run rollback -- prod --reason $RECOVER_REASON",
      at: "npm run rollback",
      says: /\$RECOVER_REASON is text from outside/,
    });
  });

  it("for a production context in a branch's workflow", () => {
    seed({
      from: "            - services-orders-review\n",
      to: "            - services-orders-prod\n",
      at: "- services-orders-prod",
      says: /"services-orders-prod" in workflow "branch", which runs on branches/,
    });
  });

  it("for an unknown context", () => {
    seed({
      from: "            - services-orders-review\n",
      to: "            - org-global\n",
      at: "- org-global",
      says: /"org-global", which is unknown/,
    });
  });

  it("for a branch's name inside a command", () => {
    seed({
      from: 'command: npm run review -- up "$CIRCLE_BRANCH"',
      to: "command: npm run review -- up << pipeline.git.branch >>",
      at: "npm run review",
      says: /anyone who chooses this value can run any command/,
    });
  });

  it("for a branch's name inside the short form of a command", () => {
    seed({
      from: "      - checkout\n",
      to: "      - checkout\n      - run: echo << pipeline.git.branch >>\n",
      at: "echo",
      says: /anyone who chooses this value can run any command/,
    });
  });

  it("for a variable with a branch's name that the shell would expand", () => {
    seed({
      file: "teardown.yml",
      from: 'npm run review -- down "$REVIEW_BRANCH"',
      to: "npm run review -- down $REVIEW_BRANCH",
      at: "npm run review",
      says: /\$REVIEW_BRANCH is text from outside/,
    });
  });

  it("for an orb whose version moves", () => {
    seed({
      from: "executors:\n",
      to: "orbs:\n  slack: circleci/slack@6.1\nexecutors:\n",
      at: "circleci/slack",
      says: /orb "circleci\/slack@6\.1" can change over time/,
    });
  });

  it("for an image's tag that moves", () => {
    seed({
      from: "image: cimg/openjdk:17.0.19-node",
      to: "image: cimg/openjdk:17.0-node",
      at: "cimg",
      says: /"cimg\/openjdk:17\.0-node" can change over time/,
    });
  });

  const canaryStop = `npm run canary -- stop${recorded}\n          name: npm run canary -- stop\n`;

  it("for a step that CircleCI would kill while Pulumi waits", () => {
    seed({
      file: "canary.yml",
      from: `${canaryStop}          no_output_timeout: 40m\n`,
      to: canaryStop,
      at: "npm run canary",
      says: /set no_output_timeout above/,
    });
  });

  it("for a stored key", () => {
    seed({
      from: "    environment:\n",
      to: "    environment:\n      AWS_SECRET_ACCESS_KEY: x\n",
      at: "AWS_SECRET",
      says: /stored key/,
    });
  });
});
