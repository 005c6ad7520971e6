import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { workflowsOf } from "../../pipeline/checks/shape";
import { Source } from "../../pipeline/checks/source";
import type { Restriction } from "../../pipeline/contexts";
import type { Config } from "../../pipeline/model";
import { inDeployProject, inOneProject, inServiceProject } from "../../pipeline/pipelines";
import { actorOf, type JobRun, rerun } from "../../pipeline/run/actors";
import { absolutePath, cacheKey, Caches, homeOf, type KeyValues } from "../../pipeline/run/caches";
import { holds, refusals, refusedContexts } from "../../pipeline/run/restrictions";
import { StoredCaches } from "../../pipeline/run/stored-caches";
import { claimsOf, Issuer, uuidOf } from "../../pipeline/run/token";
import { upstreamOf, Workspace } from "../../pipeline/run/workspace";
import { yaml } from "../../pipeline/write";

const ada = { id: uuidOf("ada") };
const approver = { approver: true, id: uuidOf("bea") };
const service = { id: uuidOf("service"), is: "service" as const };
const job: JobRun = {
  contexts: ["services-orders-prod"],
  pipeline: { actor: ada, checkoutBranch: "main", project: service },
};
const open: Restriction = { approversOnly: false, expression: "true", projects: ["service"] };

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "services-orders-circleci-"));
});
afterEach(() => {
  rmSync(directory, { force: true, recursive: true });
});

describe("CircleCI's stand-in: the expression of a context", () => {
  const known = { "pipeline.git.branch": "main", "pipeline.git.tag": "", "pipeline.number": 7 };

  it("is false as soon as it reads a value that does not exist", () => {
    assert.ok(!holds("missing or true", known));
    assert.ok(!holds('not (missing == "x")', known));
    assert.ok(holds("true or missing", known), "an operator that is decided reads no more");
    assert.ok(!holds("false and missing", known));
  });

  it("cannot use parameters, also where the pipeline has a value", () => {
    const withParameter = { "pipeline.parameters.action": "start" };
    assert.ok(!holds('pipeline.parameters.action == "start"', withParameter));
    assert.ok(!holds("not pipeline.trigger_parameters.x", { "pipeline.trigger_parameters.x": "" }));
  });

  it("is false after an error, also below not", () => {
    for (const wrong of ["pipeline.number starts-with 7", 'pipeline.git.branch > "a"', "(true"]) {
      assert.ok(!holds(wrong, known), wrong);
      assert.ok(!holds(`not (${wrong})`, known), wrong);
    }
    assert.ok(!holds("pipeline.git.branch == 'main'", known), "texts have double quotes");
    assert.throws(() => holds('pipeline.git.branch == "a\\"b"', known), /does not support escapes/);
  });

  it("takes every value but false as true, and compares without conversion", () => {
    assert.ok(holds("pipeline.git.tag", known));
    assert.ok(!holds('pipeline.number == "7"', known));
    assert.ok(holds('pipeline.number != "7"', known));
    assert.ok(holds('pipeline.git.branch == "main" and pipeline.number >= 7', known));
  });
});

describe("CircleCI's stand-in: who gets a context", () => {
  it("asks for the expression, the project and the group, and says what refuses", () => {
    assert.deepEqual(refusals(open, job), []);
    assert.match(refusals({ ...open, expression: "false" }, job).join(), /expression is false/);
    assert.match(
      refusals({ ...open, projects: ["deploy"] }, job).join(),
      /projects \(deploy\) do not include project service/,
    );
    assert.match(refusals({ ...open, approversOnly: true }, job).join(), /security group/);
    assert.deepEqual(
      refusals({ ...open, approversOnly: true }, { ...job, approvedBy: approver }),
      [],
    );
  });

  it("lets an administrator pass by group and project, and not by the expression", () => {
    const administrator = { ...ada, administrator: true };
    const run = { ...job, pipeline: { ...job.pipeline, actor: administrator } };
    assert.deepEqual(refusals({ ...open, approversOnly: true, projects: [] }, run), []);
    assert.equal(refusals({ ...open, expression: "false" }, run).length, 1);
  });

  it("reads the two refs of a pipeline, and whether the job has SSH", () => {
    const split = { ...job, pipeline: { ...job.pipeline, configBranch: "evil" } };
    const expression = 'pipeline.git.branch == "main" and pipeline.config.ref == "refs/heads/main"';
    assert.deepEqual(refusals({ ...open, expression }, job), []);
    assert.equal(refusals({ ...open, expression }, split).length, 1);
    const noSsh = { ...open, expression: "not job.ssh.enabled" };
    assert.deepEqual(refusals(noSsh, rerun(job, ada, { ssh: false })), []);
    const withSsh = rerun(job, ada, { ssh: true });
    assert.equal(refusals(noSsh, withSsh).length, 1);
    assert.equal(refusals(noSsh, rerun(withSsh, ada, { ssh: false })).length, 1);
  });

  it("takes the person who reruns, then the one who approved, then the one who started", () => {
    const approved = { ...job, approvedBy: approver };
    assert.equal(actorOf(job), ada);
    assert.equal(actorOf(approved), approver);
    assert.equal(actorOf(rerun(approved, ada, { ssh: false })), ada);
  });

  it("names each context that refuses the job", () => {
    const contexts = ["services-orders-prod", "services-orders-preview", "of-others"];
    const refused = refusedContexts({ ...job, contexts });
    assert.deepEqual([...refused.keys()], ["services-orders-prod"]);
  });
});

describe("CircleCI's stand-in: the token of a job", () => {
  const origin = { organizationId: uuidOf("org"), vcsOrigin: "github.com/acme/orders" };
  const ids = { at: 1000, jobId: uuidOf("1"), pipelineId: uuidOf("p"), workflowId: uuidOf("w") };
  const claim = (name: string) => `oidc.circleci.com/${name}`;

  it("has the claims that the documentation lists, and no others", () => {
    assert.deepEqual(claimsOf(job, origin, ids), {
      aud: origin.organizationId,
      exp: 4600,
      iat: 1000,
      iss: `https://oidc.circleci.com/org/${origin.organizationId}`,
      [claim("context-ids")]: [uuidOf("context services-orders-prod")],
      [claim("job-id")]: ids.jobId,
      [claim("org-id")]: origin.organizationId,
      [claim("pipeline-definition-id")]: uuidOf(`pipeline definition of ${service.id}`),
      [claim("pipeline-id")]: ids.pipelineId,
      [claim("project-id")]: service.id,
      [claim("ssh-rerun")]: false,
      [claim("vcs-origin")]: "github.com/acme/orders",
      [claim("vcs-ref")]: "refs/heads/main",
      [claim("workflow-id")]: ids.workflowId,
      sub: `org/${origin.organizationId}/project/${service.id}/user/${ada.id}/vcs-origin/github.com/acme/orders/vcs-ref/refs/heads/main`,
    });
  });

  it("names the approver after an approval, and the person who reruns with SSH", () => {
    const approved = { ...job, approvedBy: approver };
    assert.match(
      String(claimsOf(approved, origin, ids)["sub"]),
      new RegExp(`/user/${approver.id}/`),
    );
    const again = claimsOf(rerun(approved, ada, { ssh: true }), origin, ids);
    assert.match(String(again["sub"]), new RegExp(`/user/${ada.id}/`));
    assert.equal(again[claim("ssh-rerun")], true);
  });

  it("names no branch in version 1, and after a custom webhook", () => {
    assert.match(String(claimsOf(job, origin, ids, 1)["sub"]), /\/user\/[-0-9a-f]{36}$/);
    const run = { ...job, pipeline: { ...job.pipeline, trigger: "custom-webhook" as const } };
    const claims = claimsOf(run, origin, ids);
    assert.match(String(claims["sub"]), /\/user\/[-0-9a-f]{36}$/);
    assert.ok(!(claim("vcs-ref") in claims) && !(claim("vcs-origin") in claims));
  });

  it("is signed, and ends after an hour", () => {
    const issuer = new Issuer();
    const token = issuer.token(claimsOf(job, origin, ids));
    assert.equal(issuer.claims(token, 4599)["sub"], claimsOf(job, origin, ids)["sub"]);
    assert.throws(() => issuer.claims(token, 4600), /expired/);
    assert.throws(() => new Issuer().claims(token, 1000), /another issuer/);
    const [header = "", , signature = ""] = token.split(".");
    const forged = Buffer.from('{"exp":9999}').toString("base64url");
    assert.throws(() => issuer.claims(`${header}.${forged}.${signature}`, 1000), /another issuer/);
  });
});

describe("CircleCI's stand-in: caches", () => {
  it("finds the newest cache by a prefix, and writes none twice", () => {
    const caches = new Caches<string>();
    assert.ok(caches.save("npm-1", () => "main"));
    assert.ok(caches.save("npm-1-x", () => "evil"));
    assert.equal(caches.restore(["npm-1"])?.content, "evil", "although npm-1 matches exactly");
    assert.ok(!caches.save("npm-1-x", () => "main"));
    assert.equal(caches.restore(["npm-1-x"])?.content, "evil");
    assert.equal(caches.restore(["maven"]), undefined);
  });

  it("takes the first key that finds a cache, in the order of the keys", () => {
    const caches = new Caches<string>();
    for (const key of ["b-1", "a-1"]) caches.save(key, () => key);
    assert.equal(caches.restore(["c", "b", "a"])?.content, "b-1");
  });

  it("keeps a cache for 15 days", () => {
    const days = (count: number) => count * 24 * 3_600_000;
    let now = 0;
    const caches = new Caches<string>([], () => now);
    caches.save("a", () => "old");
    now = days(15) - 1;
    assert.equal(caches.restore(["a"])?.content, "old");
    now = days(15);
    assert.equal(caches.restore(["a"]), undefined);
    assert.ok(caches.save("a", () => "new"));
  });

  it("fills in a key with CircleCI's values, and refuses anything else", () => {
    writeFileSync(join(directory, "lock"), "a");
    const values: KeyValues = {
      branch: "feature/a",
      buildNumber: "7",
      environment: { CIRCLE_JOB: "build" },
      revision: "abc",
      workingDirectory: directory,
    };
    const sum = "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=";
    assert.equal(cacheKey('v1-{{ checksum "lock" }}', values), `v1-${sum}`);
    assert.equal(
      cacheKey("{{ .Branch }} {{.Revision}} {{ .BuildNum }} {{ .Environment.CIRCLE_JOB }}", values),
      "feature/a abc 7 build",
    );
    assert.equal(cacheKey("{{ .Environment.OF_THE_JOB }}", values), "");
    assert.throws(() => cacheKey("{{ .CheckoutKey }}", values), /cannot use/);
    assert.throws(() => cacheKey('{{ checksum "x" }}', values), /file that does not exist/);
  });

  it("restores to the absolute path, which differs between images", () => {
    assert.equal(absolutePath("~/.m2", homeOf("cimg/openjdk:17.0.19-node")), "/home/circleci/.m2");
    assert.equal(absolutePath("reports", homeOf("pulumi/pulumi:3.215.0")), "/root/project/reports");
    assert.equal(absolutePath("/tmp/x", "/root"), "/tmp/x");
    const place = (name: string, home: string) => ({ copy: join(directory, name), home });
    mkdirSync(join(directory, "a", "reports"), { recursive: true });
    writeFileSync(join(directory, "a", "reports", "x"), "of a");
    const caches = new StoredCaches(join(directory, "caches"));
    assert.equal(caches.save("k", ["reports", "/tmp/npm"], place("a", "/root")), "k");
    assert.match(caches.save("m", ["~/.m2"], place("a", "/root")), /machine has its own cache/);
    // This object represents a later pipeline that uses the same caches.
    const later = new StoredCaches(join(directory, "caches"));
    assert.match(later.restore(["k"], place("b", "/home/circleci")), /outside/);
    assert.equal(later.restore(["k"], place("c", "/root")), "k");
    assert.equal(readFileSync(join(directory, "c", "reports", "x"), "utf8"), "of a");
  });
});

describe("CircleCI's stand-in: the workspace of a workflow", () => {
  const [{ jobs } = { jobs: [] }] = workflowsOf(
    new Source(
      "x.yml",
      `workflows:
  w:
    jobs:
      - a
      - b
      - c: { requires: [a] }
      - d: { requires: [b, c] }
`,
    ),
  );
  const persist = (workspace: Workspace, name: string, file: string): void => {
    const root = join(directory, "jobs", name);
    mkdirSync(root, { recursive: true });
    writeFileSync(join(root, file), `of ${name}`);
    workspace.persist(name, root, [file]);
  };
  const make = (): Workspace => new Workspace(join(directory, "workspace"), jobs);

  it("gives a job the files of earlier jobs, and none of a concurrent job", () => {
    const workspace = make();
    persist(workspace, "a", "x");
    persist(workspace, "b", "y");
    persist(workspace, "c", "x");
    const to = join(directory, "d");
    assert.deepEqual(upstreamOf("c", jobs), ["a"]);
    assert.deepEqual(workspace.attach("c", join(directory, "c")), ["a"]);
    assert.deepEqual(workspace.attach("d", to), ["a", "b", "c"]);
    assert.equal(readFileSync(join(to, "x"), "utf8"), "of c", "later layers win");
  });

  it("refuses a file that two concurrent jobs have persisted", () => {
    const workspace = make();
    persist(workspace, "b", "x");
    persist(workspace, "c", "x");
    assert.throws(() => workspace.attach("d", directory), /b and c both persist x/);
  });

  it("fails a job that persists no file, or the root itself", () => {
    const workspace = make();
    assert.throws(() => {
      workspace.persist("a", directory, ["nothing"]);
    }, /did not match any files/);
    for (const path of [".", "..", "../x"]) {
      assert.throws(() => {
        workspace.persist("a", directory, [path]);
      }, /not inside the root/);
    }
    assert.throws(() => {
      workspace.persist("a", directory, ["*"]);
    }, /does not support globs/);
  });

  const files = (project: Readonly<Record<string, Config>>) => Object.entries(project);
  for (const [file, config] of [
    ...files(inOneProject),
    ...files(inServiceProject),
    ...files(inDeployProject),
  ]) {
    it(`never lets two concurrent jobs of ours persist the same report: ${file}`, () => {
      for (const { jobs: places, name: workflow } of workflowsOf(new Source(file, yaml(config)))) {
        const steps = (name: string) => JSON.stringify(config.jobs[name]?.steps ?? []);
        const workspace = new Workspace(join(directory, workflow), places);
        const root = join(directory, "root");
        mkdirSync(root, { recursive: true });
        writeFileSync(join(root, "ended"), "");
        for (const { name } of places) {
          if (steps(name).includes("persist_to_workspace"))
            workspace.persist(name, root, ["ended"]);
        }
        for (const { name } of places) {
          if (!steps(name).includes("attach_workspace")) continue;
          workspace.attach(name, join(directory, "to"));
        }
      }
    });
  }
});
