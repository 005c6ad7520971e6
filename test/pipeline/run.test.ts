import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mock } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PlacedJob } from "../../pipeline/checks/shape";
import { type End, next } from "../../pipeline/run/order";
import { rehearse, type RunOptions } from "../../pipeline/run/run";

/** A pipeline with an example of each feature that the runner supports. */
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
    assert.match(said, /build: taken as good/);
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
    assert.match(said, /What is not committed is not part of the run/);
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
