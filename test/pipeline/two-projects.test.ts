import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check } from "../../pipeline/check";
import { show } from "../../pipeline/checks/source";
import {
  type ContextName,
  contexts,
  fullName,
  type Project,
  restrictionOf,
} from "../../pipeline/contexts";
import { inDeployProject, inOneProject, inServiceProject } from "../../pipeline/pipelines";
import { writeDeployProject, yaml } from "../../pipeline/write";

const names = (files: object): readonly string[] => Object.keys(files).sort();

describe("the pipelines of two projects", () => {
  it("have no mistake that the checks know", () => {
    for (const [file, config] of Object.entries({ ...inServiceProject, ...inDeployProject })) {
      assert.deepEqual(check(file, yaml(config)).map(show), [], file);
    }
  });

  it("leave only the code of branches and the tests of main in the service's project", () => {
    assert.deepEqual(names(inServiceProject), ["config.yml"]);
    const { main, branch } = inServiceProject["config.yml"]?.workflows ?? {};
    assert.ok(!JSON.stringify(main).includes("context"));
    assert.deepEqual(branch, inOneProject["config.yml"]?.workflows["branch"]);
    assert.deepEqual(
      names(inDeployProject),
      names(inOneProject)
        .map((name) => (name === "config.yml" ? "deploy.yml" : name))
        .sort(),
    );
  });

  it("run nothing in the deploy project that a branch or a development dependency wrote", () => {
    for (const { jobs } of Object.values(inDeployProject)) {
      for (const [name, { environment = {}, steps }] of Object.entries(jobs)) {
        assert.equal(environment["npm_config_omit"], "dev", name);
        assert.equal(environment["CLUSTER_IDENTITY"], "aws", name);
        const all = JSON.stringify(steps);
        assert.doesNotMatch(all, /npm-v1|maven-branches|npm run (?:check|test)/, name);
      }
    }
  });

  it("get every context that they use, by its restrictions", () => {
    const used = (files: object, project: Project): void => {
      const names = (Object.keys(contexts) as ContextName[]).filter((name) =>
        JSON.stringify(files).includes(`"${fullName(name)}"`),
      );
      assert.ok(names.length >= 4);
      for (const name of names) {
        assert.ok(restrictionOf(name, true).projects.includes(project), `${name} in ${project}`);
      }
    };
    used(inDeployProject, "deploy");
    used(inServiceProject, "service");
  });

  it("have the same serial groups, so that a removal waits for a deploy of the other project", () => {
    assert.doesNotMatch(JSON.stringify(inDeployProject), /"serial-group":"[^"]*project\.slug/);
    assert.match(JSON.stringify(inDeployProject), /"serial-group":"services-orders\/prod"/);
  });

  it("are written into the clone of the deploy project's repository, without stale files, next to files of other tools", () => {
    const to = mkdtempSync(join(tmpdir(), "services-orders-deploy-project-"));
    const [config] = Object.values(inDeployProject);
    assert.ok(config !== undefined);
    writeFileSync(join(to, "removed-from-the-model.yml"), yaml(config));
    writeFileSync(join(to, "other.yml"), "version: 2.1\n");
    writeDeployProject(to);
    assert.deepEqual(readdirSync(to).sort(), [...names(inDeployProject), "other.yml"].sort());
    rmSync(to, { recursive: true });
  });
});
