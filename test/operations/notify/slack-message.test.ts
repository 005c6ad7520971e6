import assert from "node:assert/strict";
import fc from "fast-check";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noticeOf, notify } from "../../../operations/notify/command";
import { escaped, messageOf, type Notice } from "../../../operations/notify/slack-message";
import { StandIn } from "../support/http-stand-in";

const notice: Notice = {
  branch: "feature/cancel-orders",
  changed: "new pods, rolling, no downtime",
  commit: "1a2b3c4d5e6f",
  event: "deployed",
  job: "https://ci.example.com/1",
  preview: "https://github.example.com/pull/7#issuecomment-1",
  seconds: 95,
  stack: "prod",
  url: "https://services-orders.example.com/",
  who: "ada",
};

describe("a message in Slack", () => {
  it("says who, branch, commit, stack, what changed, how long, and links what there is to see", () => {
    assert.deepEqual(messageOf(notice), {
      blocks: [
        {
          text: { text: ":white_check_mark: *prod is deployed*", type: "mrkdwn" },
          type: "section",
        },
        {
          fields: [
            { text: "*Who*\nada", type: "mrkdwn" },
            { text: "*Branch*\nfeature/cancel-orders", type: "mrkdwn" },
            { text: "*Commit*\n1a2b3c4", type: "mrkdwn" },
            { text: "*Took*\n1m 35s", type: "mrkdwn" },
            { text: "*What changed*\nnew pods, rolling, no downtime", type: "mrkdwn" },
          ],
          type: "section",
        },
        {
          elements: [
            {
              text:
                "<https://services-orders.example.com/|Open the service>  ·  " +
                "<https://github.example.com/pull/7#issuecomment-1|Preview>  ·  " +
                "<https://ci.example.com/1|Job>",
              type: "mrkdwn",
            },
          ],
          type: "context",
        },
      ],
      text: "prod is deployed: new pods, rolling, no downtime",
    });
  });

  it("about a failure quotes the causes, which come before the lines of logs", () => {
    const cause = `the reason\n${"a line\n".repeat(2_000)}`;
    const { blocks } = messageOf({ cause, event: "failed", stack: "staging" });
    const { text } = blocks[1] as { text: { text: string } };
    assert.match(text.text, /^```the reason\n[\s\S]*…```$/);
    assert.ok(text.text.length <= 3_000);
  });

  it("takes links, mentions and markup from outside as text", () => {
    const { blocks } = messageOf({
      branch: "<!channel>",
      event: "canceled",
      preview: "javascript:alert(1)",
      stack: "prod",
      who: "<https://evil.example.com|ada> *bold*",
    });
    const text = JSON.stringify(blocks);
    assert.doesNotMatch(text, /<!channel>|<https|<javascript/);
    assert.match(text, /&lt;!channel&gt;/);
    assert.doesNotMatch(text, /\*bold\*/);
  });

  it("has no link or mention, no matter what a branch is called", () => {
    fc.assert(
      fc.property(fc.string(), (branch) => {
        assert.doesNotMatch(escaped(branch), /[<>]/);
      }),
    );
  });

  it("stays within Slack's limits for any input", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 9_000, size: "max" }), (cause) => {
        const long = "&".repeat(5_000);
        const { blocks } = messageOf({
          ...notice,
          branch: long,
          cause,
          changed: long,
          event: "failed",
        });
        for (const block of blocks) {
          const { fields = [], text } = block as {
            fields?: { text: string }[];
            text?: { text: string };
          };
          assert.ok((text?.text.length ?? 0) <= 3_000);
          for (const field of fields) assert.ok(field.text.length <= 2_000);
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe("a notice", () => {
  it("takes what is from outside from CircleCI's variables, and masks its secrets", () => {
    const env = {
      CIRCLE_BRANCH: "main",
      CIRCLE_BUILD_URL: "https://ci.example.com/1?token=hush-hush",
      CIRCLE_SHA1: "1a2b3c4d5e6f",
      CIRCLE_USERNAME: "ada",
      GITHUB_TOKEN: "hush-hush",
    };
    assert.deepEqual(noticeOf("deployed", { stack: "prod" }, env), {
      branch: "main",
      commit: "1a2b3c4d5e6f",
      event: "deployed",
      job: "https://ci.example.com/1?token=[secret]",
      stack: "prod",
      who: "ada",
    });
  });

  it("about a canary names its branch, its share and its time, and where to approve it", () => {
    const env = {
      CANARY_BRANCH: "feature/cancel-orders",
      CANARY_DURATION: "2h",
      CANARY_PERCENT: "10",
      CIRCLE_BRANCH: "main",
      CIRCLE_SHA1: "1a2b3c4d5e6f",
      CIRCLE_WORKFLOW_ID: "0d1e-2f",
      REVIEW_BRANCH: "",
    };
    const asked = noticeOf("approval", { stack: "prod-canary" }, env);
    const workflow = "https://app.circleci.com/pipelines/workflows/0d1e-2f";
    assert.deepEqual(asked, {
      branch: "feature/cancel-orders",
      duration: "2h",
      event: "approval",
      percent: "10",
      stack: "prod-canary",
      workflow,
    });
    const text = JSON.stringify(messageOf(asked).blocks);
    assert.match(text, /\*Branch\*\\nfeature\/cancel-orders/);
    assert.match(text, /\*Requested share\*\\n10 %/);
    assert.match(text, /\*Runs for\*\\n2h/);
    assert.ok(text.includes(`<${workflow}|Review and approve>`), text);
  });

  it("about a rollback says so in its title, with the release and the reason", () => {
    const env = {
      CIRCLE_BRANCH: "main",
      RECOVER_ACTION: "rollback",
      RECOVER_REASON: "<!channel> checkout fails",
      RECOVER_TO: "3f2c9e1",
    };
    const asked = noticeOf("approval", { stack: "prod" }, env);
    assert.deepEqual(asked, {
      action: "rollback",
      backTo: "3f2c9e1",
      branch: "main",
      event: "approval",
      reason: "<!channel> checkout fails",
      stack: "prod",
    });
    const { blocks, text } = messageOf(asked);
    assert.equal(text, "rollback of prod waits for an approval");
    assert.match(JSON.stringify(blocks), /\*Back to\*\\n3f2c9e1/);
    assert.match(JSON.stringify(blocks), /\*Reason\*\\n&lt;!channel&gt; checkout fails/);
    assert.equal(messageOf({ ...asked, event: "done" }).text, "rollback of prod is done");
  });

  it("about a rollback to the release before names no release", () => {
    const env = { RECOVER_ACTION: "rollback", RECOVER_REASON: "it fails", RECOVER_TO: "" };
    assert.equal(noticeOf("approval", { stack: "prod" }, env).backTo, undefined);
  });

  it("about a teardown names the branch that was closed", () => {
    const env = { CIRCLE_BRANCH: "main", REVIEW_BRANCH: "feature/a" };
    assert.equal(noticeOf("failed", { stack: "review" }, env).branch, "feature/a");
  });
});

describe("telling that a stack is deployed or removed", () => {
  const slack = new StandIn(() => ({ body: "ok", status: 200 }));
  let directory: string;
  const webhook = process.env["SLACK_WEBHOOK_URL"];

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-notify-"));
    process.env["SLACK_WEBHOOK_URL"] = await slack.start();
  });
  after(async () => {
    if (webhook === undefined) delete process.env["SLACK_WEBHOOK_URL"];
    else process.env["SLACK_WEBHOOK_URL"] = webhook;
    await slack.stop();
    rmSync(directory, { recursive: true });
  });

  it("is left out when the report is not there, or of another stack", async () => {
    const other = join(directory, "deployed.json");
    writeFileSync(other, JSON.stringify({ stack: "staging" }));
    for (const report of [other, join(directory, "nowhere.json")]) {
      await notify("deployed", { report, stack: "prod" });
      await notify("removed", { report, stack: "prod" });
    }
    assert.deepEqual(slack.asked, []);
    await notify("deployed", { report: other, stack: "staging" });
    assert.equal(slack.asked.length, 1);
  });

  it("reports a failure, also without a report file", async () => {
    const report = join(directory, "nowhere.json");
    await notify("failed", { report, stack: "prod" });
    assert.match(slack.asked.at(-1)?.body ?? "", /prod failed/);
  });
});
