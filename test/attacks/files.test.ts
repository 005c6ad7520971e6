import assert from "node:assert/strict";
import { contexts } from "../../pipeline/contexts";
import { Caches } from "../../pipeline/run/caches";
import type { Files } from "./support/circleci-stand-in";
import { entryPoints, play } from "./support/machine";
import { installs } from "./support/npm-stand-in";
import { jobsOfMain, privileged, type ThereJob } from "./support/pipelines";

/** The attacker's files: one file at each path in `entryPoints`. */
const payload: Files = new Map(entryPoints.map((path) => [path, "attacker"]));
/**
 * Fills in the template of a cache key, as CircleCI does in a job of main. An attacker can find out
 * all values in the template: the checksum of main's lock file, and the id of a workflow.
 */
const filled = (template: string): string =>
  template
    .replace(/\{\{ checksum "([^"]+)" \}\}/g, (_, file: string) => `sum-of-${file}`)
    .replace(/\{\{ \.Environment\.CIRCLE_WORKFLOW_ID \}\}/g, "workflow-of-main");

/**
 * Saves the attacker's files in one cache for each template in `keys`. The key of the cache begins
 * with the filled-in template. Returns the names of the jobs that run these files.
 */
function poisoned(jobs: readonly ThereJob[], ...keys: readonly string[]): readonly string[] {
  return jobs
    .filter(({ job }) => {
      const caches = new Caches<Files>();
      for (const key of keys) caches.save(`${filled(key)}-x`, () => payload);
      return play(job, caches, filled).attackers.length > 0;
    })
    .map(({ name }) => name);
}
const npm = 'npm-v1-{{ checksum "package-lock.json" }}';

describe("an attack by files, by someone who can push a branch", () => {
  it("C2 fails in jobs with a role that only main has: they restore no cache", () => {
    assert.ok(privileged.length >= 10, privileged.map(({ name }) => name).join(", "));
    const keys = [npm, "maven-branches-v1", "memory-", "report-"];
    assert.deepEqual(poisoned(privileged, ...keys), []);
  });

  it("C2 succeeds: main's other jobs run a branch's file, and hold a token of main", () => {
    const found = poisoned(jobsOfMain, npm);
    for (const name of ["check", "test-unit", "smoke-prod", "preview-prod-promoted"])
      assert.ok(found.includes(name), name);
  });

  it("C2 fails against reports: they come by the workspace, which belongs to one workflow", () => {
    const restored = jobsOfMain.flatMap(({ job }) =>
      job.steps.filter((step) => JSON.stringify(step).includes("report-")),
    );
    assert.deepEqual(restored, []);
    const tell = jobsOfMain.find(({ name }) => name === "tell-prod");
    assert.ok(tell?.job.steps.some((step) => JSON.stringify(step).includes("attach_workspace")));
  });

  it("C2 succeeds in the weaker mode against the memory of drift, in jobs with the webhook and without a role", () => {
    const found = poisoned(jobsOfMain, "memory-tell-drift-prod-v1");
    assert.deepEqual(found, ["tell-drift-prod"]);
    const [job] = jobsOfMain.filter(({ name }) => name === "tell-drift-prod");
    assert.ok(job?.contexts.every((context) => !("hasRole" in contexts[context])));
  });

  it("H5 fails: no install script runs, and jobs with a role that only main has install no development dependency", () => {
    for (const { job, name } of privileged) {
      assert.deepEqual(installs(job), { development: false, scripts: [] }, name);
    }
  });
});
