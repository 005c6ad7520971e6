import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mock } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Outcome, readRecord } from "../../../operations/prove/assertions";
import { circleciAssertions } from "../../../operations/prove/circleci-assertions";
import { proofPipeline } from "../../../operations/prove/circleci-pipeline";
import { proveCircleci } from "../../../operations/prove/command";
import { type Cache, Caches } from "../../../pipeline/run/caches";
import { rehearse, type RunOptions } from "../../../pipeline/run/run";
import { Issuer, uuidOf } from "../../../pipeline/run/token";
import { Workspace } from "../../../pipeline/run/workspace";
import { circleciApi, type Ran } from "../support/circleci-api-stand-in";

const actor = { id: uuidOf("ada") };
const approver = { id: uuidOf("bea") };
let root: string;
let outcomes: readonly Outcome[];

const git = (...args: readonly string[]): void => {
  const by = ["-c", "user.name=x", "-c", "user.email=x@example.com"];
  execFileSync("git", [...by, ...args], { cwd: root, stdio: "ignore" });
};

/**
 * Runs the pipeline `prove` locally, in the same way as CircleCI after a person has started the
 * pipeline.
 */
async function ran(name: string, options: RunOptions = {}): Promise<Ran> {
  const artifacts = join(root, "artifacts", name);
  const result = await rehearse("prove", {
    ...{ approve: ["approve"], artifacts, branch: "feature", caches: join(root, "caches") },
    env: { HOME: root, PATH: process.env["PATH"] },
    people: { actor, approver },
    root,
    ...options,
  });
  return { approver: approver.id, artifacts, result, startedBy: actor.id };
}

/**
 * Runs the command with a stand-in for CircleCI's API. The stand-in answers requests about these
 * workflows. Returns the exit code.
 */
async function prove(workflows: Readonly<Record<string, Ran>>, token = "token"): Promise<number> {
  const api = circleciApi(workflows);
  const env = { CIRCLE_API_URL: await api.start(), CIRCLE_TOKEN: token };
  const file = join(root, "proofs.json");
  try {
    const rerun = "rerun" in workflows ? { rerun: "rerun" } : {};
    const code = await proveCircleci("last", { env, ...rerun, record: file });
    outcomes = readRecord(file).circleci?.outcomes ?? [];
    return code;
  } finally {
    await api.stop();
  }
}
const ids = (result: Outcome["result"]): readonly string[] =>
  outcomes.filter((one) => one.result === result).map(({ id }) => id);

describe("npm run prove -- circleci, against the stand-in", () => {
  beforeEach(() => {
    mock.method(console, "log", () => undefined);
    root = mkdtempSync(join(tmpdir(), "services-orders-prove-"));
    mkdirSync(join(root, ".circleci"));
    writeFileSync(join(root, ".circleci", "prove.yml"), proofPipeline());
    git("init", "--quiet", "--initial-branch", "feature");
    git("add", ".circleci");
    git("commit", "--quiet", "--message", "proof");
    git("branch", "evil");
  });
  afterEach(() => {
    mock.restoreAll();
    rmSync(root, { force: true, recursive: true });
  });

  it("proves every assertion, with a second branch, split refs and a rerun with SSH", async () => {
    await ran("first", { branch: "other" });
    const last = await ran("last", { configBranch: "evil" });
    const rerun = await ran("rerun", { ssh: true });
    assert.equal(await prove({ last, rerun }), 0);
    assert.deepEqual(
      ids("proven"),
      circleciAssertions.map(({ id }) => id),
    );
    const file = join(root, "proofs.json");
    assert.match(readRecord(file).circleci?.date ?? "", /^\d{4}-\d\d-\d\d$/);
    const text = readFileSync(file, "utf8");
    assert.ok(!text.includes("eyJ"), "no token is in the record");
  }).timeout(120_000);

  it("leaves open what one run cannot show, and says what to do", async () => {
    assert.equal(await prove({ last: await ran("last") }), 3);
    assert.deepEqual(ids("differs"), []);
    assert.deepEqual(ids("open"), ["cache-branches", "token-checkout", "ssh-token"]);
  }).timeout(60_000);

  /** Adds these claims to every token. These claims replace claims with the same name. */
  function forge(claims: object): void {
    mock.method(Issuer.prototype, "token", (own: object) => {
      const body = Buffer.from(JSON.stringify({ ...own, ...claims })).toString("base64url");
      return `e30.${body}.e30`;
    });
  }

  const lenient: Readonly<Record<string, () => void>> = {
    "cache-immutable": () => {
      const saved: Cache<unknown>[] = [];
      mock.method(Caches.prototype, "save", (key: string, content: () => unknown) => {
        saved.push({ content: content(), key, saved: 0 });
        return true;
      });
      mock.method(Caches.prototype, "restore", ([key = ""]: readonly string[]) =>
        saved.findLast((one) => one.key.startsWith(key)),
      );
    },
    "cache-prefix": () => {
      mock.method(
        Caches.prototype,
        "restore",
        function (this: Caches<unknown>, keys: readonly string[]) {
          return this.stored.find((one) => keys.includes(one.key));
        },
      );
    },
    "token-approver": () => {
      forge({ sub: `org/x/project/x/user/${actor.id}` });
    },
    "token-hour": () => {
      forge({ exp: 9_999_999_999 });
    },
    "workspace-parallel": () => {
      mock.method(Workspace.prototype, "attach", (_: string, to: string) => {
        mkdirSync(join(to, "prove"), { recursive: true });
        writeFileSync(join(to, "prove", "of-parallel"), "parallel");
        return [];
      });
    },
  };
  for (const [id, makeLenient] of Object.entries(lenient)) {
    it(`sees a stand-in that is too lenient: ${id}`, async () => {
      makeLenient();
      assert.equal(await prove({ last: await ran("last") }), 3);
      assert.ok(ids("differs").includes(id), JSON.stringify(outcomes));
    }).timeout(60_000);
  }

  it("sees a context that its restriction does not protect", async () => {
    const last = await ran("last", { restrictionFor: () => undefined });
    assert.equal(await prove({ last }), 3);
    assert.deepEqual(ids("differs"), ["context-main"]);
  }).timeout(60_000);

  it("fails without a token, with a wrong one, and without a workflow, and records nothing", async () => {
    await assert.rejects(prove({}, ""), /set CIRCLE_TOKEN/);
    await assert.rejects(prove({}, "wrong"), /answers 401/);
    await assert.rejects(proveCircleci(undefined), /give the id of the workflow/);
    assert.ok(!existsSync(join(root, "proofs.json")));
  });

  it("writes the pipeline's configuration, and replaces no file", async () => {
    const write = join(root, "new", "prove.yml");
    assert.equal(await proveCircleci(undefined, { write }), 0);
    assert.equal(readFileSync(write, "utf8"), proofPipeline());
    await assert.rejects(
      proveCircleci(undefined, { write }),
      /already exists\. Choose another file\. Nothing was changed/,
    );
  });
});
