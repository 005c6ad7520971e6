import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { project } from "../../lib/project";
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
      /fine-grained token\*\* for this repository only: (.*)\./.exec(page) ?? [];
    assert.equal(rights, "write issues, read pull requests, read metadata");
    assert.ok(!rights.includes(`${approveNeeds.level} ${approveNeeds.of}`));
  });

  it("M6 succeeds: a branch's job posts to the channel that announces production's approvals", () => {
    const command = /npm run notify -- \w+ --stack prod\b/;
    const ofProduction = jobsOfMain
      .filter(({ job }) => command.test(JSON.stringify(job.steps)))
      .flatMap(({ contexts }) => contexts);
    const ofBranch = jobsOfBranch.flatMap(({ contexts }) => contexts);
    assert.ok(ofProduction.some((context) => ofBranch.includes(context)));
  });
});
