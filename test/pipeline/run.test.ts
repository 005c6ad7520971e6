import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mock } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PlacedJob } from "../../pipeline/checks/shape";
import type { Restriction } from "../../pipeline/contexts";
import type { Actor } from "../../pipeline/run/actors";
import { type End, next } from "../../pipeline/run/order";
import { rehearse, type RunOptions } from "../../pipeline/run/run";
import { uuidOf } from "../../pipeline/run/token";

/** A pipeline with examples of the features that the runner supports. */
const config = `
version: 2.1
parameters:
  count: { type: integer, description: how many, default: 3 }
orbs:
  slack: circleci/slack@6.1.3
executors:
  small: { docker: [{ image: cimg/base:2024.12.1 }], resource_class: small, environment: { SIZE: small } }
jobs:
  build:
    executor: small
    environment: { NAME: "<< pipeline.git.branch >>", COUNT: << pipeline.parameters.count >> }
    steps:
      - checkout
      - run: { name: "CircleCI's machine: builder", command: exit 9 }
      - run: { name: variables, command: 'echo "export RELEASE=r1" >> "$BASH_ENV"' }
      - run: { name: build, command: npm run build }
      - persist_to_workspace: { root: ., paths: [made] }
      - slack/notify: { event: pass }
  deploy:
    executor: small
    steps:
      - checkout
      - attach_workspace: { at: . }
      - run: { name: deploy, command: npm run deploy }
      - run: { name: after, command: npm run after }
      - run: { name: always, command: npm run always, when: always }
      - save_cache: { name: report, key: "report-{{ .Environment.CIRCLE_WORKFLOW_ID }}", paths: [reports], when: always }
  tell-good:
    executor: small
    steps: [checkout, { run: { name: tell, command: npm run tell-good } }]
  tell-bad:
    executor: small
    steps:
      - checkout
      - restore_cache: { name: report, keys: ["report-{{ .Environment.CIRCLE_WORKFLOW_ID }}"] }
      - run: { name: tell, command: npm run tell-bad }
workflows:
  branch:
    when: pipeline.event.name == "pull_request" and pipeline.git.branch != "main"
    jobs:
      - build
      - approve: { type: approval, requires: [build] }
      - deploy: { requires: [approve], context: [secrets] }
      - tell-good: { requires: [{ deploy: [success] }] }
      - tell-bad: { requires: [{ deploy: [failed, canceled] }] }
`;

const note = (what: string): string => `echo "${what}" >> "$SEEN"`;
const scripts = {
  after: note("after"),
  always: note("always"),
  build: `${note("build $NAME $COUNT $SIZE $CIRCLE_JOB ${CI:-no-ci} ${SLACK_TOKEN:-no-token} $RELEASE")} && mkdir made && echo jar > made/jar`,
  deploy: `${note("deploy $TOKEN $(cat made/jar)")} && mkdir reports && echo cause > reports/cause && test -z "$FAIL"`,
  "tell-bad": note("tell-bad $(cat reports/cause) ${TOKEN:-no-token}"),
  "tell-good": note("tell-good"),
};

let root = "";
let seen = "";

async function run(
  options: RunOptions = {},
  workflow = "branch",
): Promise<{ ends: Record<string, End>; said: string }> {
  const lines: string[] = [];
  const log = mock.method(console, "log", (line: string) => lines.push(line));
  try {
    const env = {
      HOME: root,
      PATH: process.env["PATH"],
      SEEN: seen,
      SLACK_TOKEN: "own",
      ...options.env,
    };
    const result = await rehearse(workflow, { contexts: root, root, ...options, env });
    const ends = Object.fromEntries([...result].map(([name, { end }]) => [name, end]));
    return { ends, said: lines.join("\n") };
  } finally {
    log.mock.restore();
  }
}

const git = (...args: readonly string[]): void => {
  execFileSync("git", ["-c", "user.name=x", "-c", "user.email=x@example.com", ...args], {
    cwd: root,
  });
};

const noted = (): readonly string[] =>
  existsSync(seen) ? readFileSync(seen, "utf8").trim().split("\n") : [];

describe("a rehearsal of a workflow", () => {
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "services-orders-rehearsal-"));
    seen = join(root, "seen");
    mkdirSync(join(root, ".circleci"));
    writeFileSync(join(root, ".circleci", "config.yml"), config);
    writeFileSync(
      join(root, "package.json"),
      JSON.stringify({ name: "x", private: true, scripts }),
    );
    writeFileSync(join(root, "secrets.env"), "TOKEN=from-the-context\n");
    git("init", "--quiet", "--initial-branch", "feature/a");
    git("add", ".circleci", "package.json");
    git("commit", "--quiet", "--message", "all");
  });

  afterEach(() => {
    rmSync(root, { force: true, recursive: true });
  });

  it("stops at an approval that is not given, and runs nothing after it", async () => {
    const { ends, said } = await run();
    assert.deepEqual(ends, {
      approve: "held",
      build: "success",
      deploy: "held",
      "tell-bad": "held",
      "tell-good": "held",
    });
    assert.deepEqual(noted(), ["build feature/a 3 small build no-ci no-token r1"]);
    assert.match(said, /approve: waits for an approval \(--approve approve\)/);
  }).timeout(60_000);

  it("continues after an approval, hands files on, and gives a context to the jobs that name it", async () => {
    const { ends, said } = await run({ approve: ["approve"], parameters: { count: "7" } });
    assert.deepEqual(ends, {
      approve: "success",
      build: "success",
      deploy: "success",
      "tell-bad": "not_run",
      "tell-good": "success",
    });
    assert.deepEqual(noted(), [
      "build feature/a 7 small build no-ci no-token r1",
      ...["deploy from-the-context jar", "after", "always", "tell-good"],
    ]);
    assert.match(said, /slack\/notify: skipped, because it is a step of an orb/);
    assert.match(said, /run: skipped: CircleCI's machine: builder/);
  }).timeout(60_000);

  it("takes a job as good without running it, and asks for an approval when it comes to it", async () => {
    const asked: string[] = [];
    const approve = (name: string): Promise<boolean> => {
      asked.push(name, ...noted());
      return Promise.resolve(false);
    };
    const { ends, said } = await run({ approve, skip: ["build"] });
    assert.deepEqual(asked, ["approve"]);
    assert.deepEqual([ends["build"], ends["approve"], ends["deploy"]], ["success", "held", "held"]);
    assert.match(said, /build: counts as a success/);
  }).timeout(60_000);

  it("after a failed step runs what asks for it, and reports with the file that was kept", async () => {
    const { ends } = await run({ approve: ["approve"], env: { FAIL: "yes" } });
    assert.deepEqual(ends, {
      approve: "success",
      build: "success",
      deploy: "failed",
      "tell-bad": "success",
      "tell-good": "not_run",
    });
    assert.deepEqual(noted().slice(1), [
      ...["deploy from-the-context jar", "always", "tell-bad cause no-token"],
    ]);
  }).timeout(60_000);

  it("gives no job the AWS identity of the person, and gives the one that a context has", async () => {
    const identity = "$AWS_CONFIG_FILE $AWS_SHARED_CREDENTIALS_FILE $AWS_EC2_METADATA_DISABLED";
    const tell = note(`${identity} \${AWS_PROFILE:-none}`);
    const all = { ...scripts, build: `${tell} && mkdir made`, deploy: tell };
    writeFileSync(join(root, "package.json"), JSON.stringify({ name: "x", scripts: all }));
    git("commit", "--quiet", "--message", "identity", "package.json");
    const env = { AWS_CONFIG_FILE: "/home/me/.aws/config", AWS_PROFILE: "administrator" };
    writeFileSync(join(root, "secrets.env"), "AWS_CONFIG_FILE=/of/the/context\n");
    await run({ approve: ["approve"], env });
    assert.deepEqual(noted().slice(0, 2), [
      "/dev/null /dev/null true none",
      "/of/the/context /dev/null true none",
    ]);
  }).timeout(60_000);

  it("gives a branch's name to commands as it is, no matter what it contains", async () => {
    await run({ branch: "x`touch${IFS}hacked`$(id)" });
    assert.deepEqual(noted(), ["build x`touch${IFS}hacked`$(id) 3 small build no-ci no-token r1"]);
  }).timeout(60_000);

  it("runs the commit and not what lies around it", async () => {
    writeFileSync(join(root, "package.json"), "{}");
    const { said } = await run();
    assert.equal(noted().length, 1);
    assert.match(said, /Uncommitted changes are not part of the run/);
  }).timeout(60_000);

  it("runs the workflows of the deploy project, from the clone of its repository", async () => {
    const options = { branch: "main", deployDirectory: join(root, "clone") };
    await assert.rejects(run(options, "ship"), /clone does not exist: clone the deploy project/);
    mkdirSync(options.deployDirectory);
    const when = 'pipeline.git.branch == "main"';
    const ofDeploy = config.replace(/ {2}branch:\n {4}when: .*\n/, `  ship:\n    when: ${when}\n`);
    writeFileSync(join(options.deployDirectory, "deploy.yml"), ofDeploy);
    const { ends } = await run(options, "ship");
    assert.equal(ends["build"], "success");
    assert.deepEqual(noted(), ["build main 3 small build no-ci no-token r1"]);
  }).timeout(60_000);

  /** Commits other npm scripts, so that the jobs run these scripts. */
  const commitScripts = (other: Readonly<Record<string, string>>): void => {
    const all = { ...scripts, ...other };
    writeFileSync(join(root, "package.json"), JSON.stringify({ name: "x", scripts: all }));
    git("commit", "--quiet", "--message", "scripts", "package.json");
  };
  const restricted =
    (restriction: Partial<Restriction>) =>
    (name: string): Restriction | undefined =>
      name === "secrets"
        ? { approversOnly: false, expression: "true", projects: ["service"], ...restriction }
        : undefined;

  it("runs no job whose context refuses it, and says why", async () => {
    const restrictionFor = restricted({ expression: 'pipeline.git.branch == "main"' });
    const { ends, said } = await run({ approve: ["approve"], restrictionFor });
    assert.deepEqual([ends["deploy"], ends["tell-bad"]], ["unauthorized", "not_run"]);
    assert.equal(noted().length, 1);
    assert.match(said, /unauthorized: context secrets refuses this job: its expression is false/);
    assert.match(said, /deploy +UNAUTHORIZED/);
  }).timeout(60_000);

  it("gives a group's context only if the person who approves is in the group", async () => {
    const outsider = { id: uuidOf("outsider") };
    const approver = { approver: true, id: uuidOf("approver") };
    const restrictionFor = restricted({ approversOnly: true });
    const end = async (...[actor, who]: readonly Actor[]) => {
      const people = { actor: actor ?? outsider, approver: who ?? outsider };
      return (await run({ approve: ["approve"], people, restrictionFor })).ends["deploy"];
    };
    assert.equal(await end(approver, outsider), "unauthorized");
    assert.equal(await end(outsider, approver), "success");
  }).timeout(60_000);

  it("gives each job its own token, which names the job's contexts and the person behind it", async () => {
    const tell = note("$CIRCLE_OIDC_TOKEN_V2");
    commitScripts({ build: `${tell} && mkdir made && echo x > made/jar`, deploy: tell });
    const people = { actor: { id: uuidOf("ada") }, approver: { id: uuidOf("bea") } };
    await run({ approve: ["approve"], people });
    const claims = noted()
      .slice(0, 2)
      .map((token) => Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"))
      .map((text) => JSON.parse(text) as Readonly<Record<string, unknown>>);
    const of = (name: string) => claims.map((one) => one[name]);
    const [first, second] = of("oidc.circleci.com/job-id");
    assert.ok(first !== undefined && first !== second);
    assert.deepEqual(of("oidc.circleci.com/context-ids"), [[], [uuidOf("context secrets")]]);
    assert.deepEqual(of("oidc.circleci.com/vcs-ref"), Array(2).fill("refs/heads/feature/a"));
    const users = of("sub").map((sub) => /user\/([^/]+)/.exec(String(sub))?.[1]);
    assert.deepEqual(users, [uuidOf("ada"), uuidOf("bea")]);
  }).timeout(60_000);

  it("as a rerun with SSH gives no context that refuses SSH, and says so in the token", async () => {
    commitScripts({ build: note("$CIRCLE_OIDC_TOKEN_V2") + " && mkdir made && touch made/jar" });
    const restrictionFor = restricted({ expression: "not job.ssh.enabled" });
    const { ends } = await run({ approve: ["approve"], restrictionFor, ssh: true });
    assert.equal(ends["deploy"], "unauthorized");
    const [, body = ""] = (noted()[0] ?? "").split(".");
    assert.match(Buffer.from(body, "base64url").toString("utf8"), /ssh-rerun":true/);
  }).timeout(60_000);

  it("takes the configuration and the code from two branches, as who starts a pipeline may", async () => {
    git("checkout", "--quiet", "-b", "evil");
    const evil = config.replace("command: npm run build", `command: 'echo evil >> "$SEEN"'`);
    writeFileSync(join(root, ".circleci", "config.yml"), evil);
    git("commit", "--quiet", "--message", "evil", ".circleci");
    git("checkout", "--quiet", "feature/a");
    const refs = 'pipeline.git.branch == "feature/a" and pipeline.config.ref == ';
    const ofEvil = { expression: `${refs}"refs/heads/evil"` };
    const persists = { configBranch: "evil", skip: ["build"], approve: ["approve"] };
    const { ends } = await run({ ...persists, restrictionFor: restricted(ofEvil) });
    assert.notEqual(ends["deploy"], "unauthorized");
    const ofOne = { expression: `${refs}"refs/heads/feature/a"` };
    const other = await run({ ...persists, restrictionFor: restricted(ofOne) });
    assert.equal(other.ends["deploy"], "unauthorized");
    await run({ configBranch: "evil" });
    assert.equal(noted().at(-1), "evil");
  }).timeout(60_000);

  it("lets no context replace a variable of CircleCI, and the job's own variables replace both", async () => {
    const tell = `$CIRCLE_JOB $NAME $CIRCLE_BUILD_NUM`;
    commitScripts({ build: `${note(tell)} && mkdir made && touch made/jar`, deploy: note(tell) });
    const deploy = config.replace(
      "  deploy:\n",
      "  deploy:\n    environment: { NAME: of-the-job }\n",
    );
    writeFileSync(join(root, ".circleci", "config.yml"), deploy);
    git("commit", "--quiet", "--message", "environment", ".circleci");
    writeFileSync(join(root, "secrets.env"), "CIRCLE_JOB=x\nNAME=of-the-context\n");
    await run({ approve: ["approve"] });
    assert.deepEqual(noted().slice(0, 2), ["build feature/a 1", "deploy of-the-job 3"]);
  }).timeout(60_000);

  it("shares caches with the runs of other branches, by prefix, and only if they share a directory", async () => {
    const key = '"report-{{ .Environment.CIRCLE_WORKFLOW_ID }}"';
    const other = config
      .replace(`key: ${key}`, 'key: "report-{{ .Branch }}"')
      .replace(`keys: [${key}]`, 'keys: ["report-"]')
      .replace("{ deploy: [failed, canceled] }", "build");
    writeFileSync(join(root, ".circleci", "config.yml"), other);
    git("commit", "--quiet", "--message", "caches", ".circleci");
    const cached = { caches: join(root, "caches") };
    await run({ ...cached, approve: ["approve"], branch: "other" });
    await run({ ...cached, approve: [] });
    assert.equal(noted().at(-1), "tell-bad cause no-token");
    const { ends } = await run({ approve: [] });
    assert.equal(ends["tell-bad"], "success");
    assert.equal(noted().at(-1), "tell-bad  no-token");
  }).timeout(60_000);

  it("fails a job that persists nothing, as CircleCI does", async () => {
    commitScripts({ build: "true" });
    const { ends, said } = await run();
    assert.equal(ends["build"], "failed");
    assert.match(said, /persist_to_workspace: FAILED: The specified paths did not match any files/);
  }).timeout(60_000);

  for (const [what, workflow, options, says] of [
    ["a workflow that does not exist", "brunch", {}, /no workflow "brunch"; there are branch/],
    [
      "a branch that it never runs on",
      "branch",
      { branch: "main" },
      /would not run workflow "branch"/,
    ],
    ["an approval that does not exist", "branch", { approve: ["x"] }, /has no approval "x"/],
    ["a job to skip that does not exist", "branch", { skip: ["x"] }, /no job "x"; there are build/],
    [
      "a parameter that does not exist",
      "branch",
      { parameters: { x: "1" } },
      /no parameter "x"; there are count/,
    ],
    ["a parameter of another type", "branch", { parameters: { count: "a" } }, /must be an integer/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(rehearse(workflow, { root, ...options }), says);
      assert.deepEqual(noted(), []);
    });
  }
});

describe("the order of jobs", () => {
  const place = (name: string, ...requires: readonly (readonly [string, string])[]): PlacedJob => ({
    approval: false,
    contexts: [],
    name,
    path: [],
    requires: requires.map(([of, status]) => ({
      bare: false,
      name: of,
      path: [],
      statuses: [status],
    })),
    serialGroup: undefined,
  });
  const decide = (end: End, status: string) =>
    next([place("a"), place("b", ["a", status])], new Map([["a", end]]))?.act;

  it("runs a job when its requirement ended as it asks", () => {
    assert.equal(decide("success", "success"), "run");
    assert.equal(decide("failed", "failed"), "run");
    assert.equal(decide("not_run", "terminal"), "run");
    assert.equal(decide("unauthorized", "terminal"), "run");
    assert.equal(decide("unauthorized", "unauthorized"), "run");
    assert.equal(decide("unauthorized", "failed"), "skip");
  });

  it("never runs a job whose requirement ended otherwise", () => {
    assert.equal(decide("failed", "success"), "skip");
    assert.equal(decide("not_run", "success"), "skip");
    assert.equal(decide("success", "failed"), "skip");
  });

  it("holds what comes after something held", () => {
    assert.equal(decide("held", "success"), "hold");
    assert.equal(decide("held", "terminal"), "hold");
  });

  it("waits for every requirement", () => {
    const jobs = [place("a"), place("b"), place("c", ["a", "success"], ["b", "success"])];
    assert.equal(next(jobs, new Map([["a", "success"]]))?.place.name, "b");
    assert.equal(
      next(
        jobs,
        new Map([
          ["a", "success"],
          ["b", "held"],
        ]),
      )?.act,
      "hold",
    );
    assert.equal(
      next(
        jobs,
        new Map([
          ["a", "failed"],
          ["b", "held"],
        ]),
      )?.act,
      "skip",
    );
  });
});
