import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { project } from "../../lib/project";
import { withSection } from "../../operations/preview/render/comment";
import { developer, serviceProject } from "./support/actors";
import { refusedContexts } from "./support/circleci-stand-in";
import { jobsOfBranch, jobsOfMain } from "./support/pipelines";

/**
 * Permission that a token needs to approve a pull request (GitHub's docs: "Permissions required for
 * fine-grained personal access tokens").
 */
const approveNeeds = { level: "write", of: "pull requests" };

describe("an attack with the voice of another", () => {
  it("H1 fails: the token in a branch's job cannot approve, because it only reads pull requests", () => {
    assert.ok(jobsOfBranch.some(({ contexts }) => contexts.includes("github")));
    const page = readFileSync(join(project, "docs", "pipeline.md"), "utf8");
    const [, rights = ""] =
      /fine-grained token\*\* for this repository only, with three permissions: (.*)\./.exec(
        page,
      ) ?? [];
    assert.equal(rights, "write issues, read pull requests, read metadata");
    assert.ok(!rights.includes(`${approveNeeds.level} ${approveNeeds.of}`));
  });

  const ofProduction = jobsOfMain
    .filter(({ job }) => /npm run notify -- \w+ --stack prod\b/.test(JSON.stringify(job.steps)))
    .flatMap(({ contexts: given }) => given);

  it("M6 fails: no job of a branch has the webhook of the channel that announces production's approvals", () => {
    assert.deepEqual([...new Set(ofProduction)], ["slack", "notifier"]);
    const ofBranch = new Set(jobsOfBranch.flatMap(({ contexts: given }) => given));
    assert.ok(ofBranch.has("slack-review"));
    assert.ok(!ofBranch.has("slack") && !ofBranch.has("notifier"));
  });

  it("M6 fails: CircleCI refuses that webhook to a branch, and to a branch's configuration", () => {
    const pipeline = { actor: developer, checkoutBranch: "evil", project: serviceProject };
    for (const more of [{}, { checkoutBranch: "main", configBranch: "evil" }]) {
      const run = { contexts: ["slack" as const], pipeline: { ...pipeline, ...more } };
      assert.deepEqual(refusedContexts(run), ["slack"]);
    }
  });

  it("M6 fails: a preview's comment says that the branch's own code wrote it", () => {
    assert.match(
      withSection("", "prod", "No changes"),
      /The code of this branch wrote this comment/,
    );
  });
});
