import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { mock } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Outcome, readRecord } from "../../../operations/prove/assertions";
import { proveAws } from "../../../operations/prove/command";
import { EcrStandIn } from "../support/ecr-stand-in";
import { StandIn } from "../support/http-stand-in";
import { Programs } from "../support/programs";

/**
 * Returns a registry without the rules of ECR. The registry accepts every push, and keeps the
 * pushed paths in memory.
 */
const memory = (): StandIn => {
  const pushed = new Set<string>();
  return new StandIn(({ method, path }) => {
    if (method === "POST") return { headers: { location: `${path}1` }, status: 202 };
    if (method === "HEAD") return { status: pushed.has(path) ? 200 : 404 };
    pushed.add(path);
    return { status: 201 };
  });
};
const rule = {
  imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
  imageTagMutabilityExclusionFilters: [{ filter: "build-*" }, { filter: "deployed-*" }],
};
const token = (ref: string): string =>
  `e30.${Buffer.from(JSON.stringify({ "oidc.circleci.com/vcs-ref": ref })).toString("base64url")}.x`;

describe("npm run prove -- aws, against the stand-in for ECR", () => {
  let directory: string;
  let outcomes: readonly Outcome[];
  let programs: Programs;
  const ids = (result: Outcome["result"]): readonly string[] =>
    outcomes.filter((one) => one.result === result).map(({ id }) => id);
  beforeEach(() => {
    mock.method(console, "log", () => undefined);
    directory = mkdtempSync(join(tmpdir(), "services-orders-prove-"));
    programs = new Programs();
  });
  afterEach(() => {
    mock.restoreAll();
    programs.remove();
    rmSync(directory, { force: true, recursive: true });
  });

  /**
   * Runs the command with a registry whose repository has the settings `actual`, and returns the
   * exit code.
   */
  async function prove(
    actual = rule,
    given: {
      readonly env?: Readonly<Record<string, string>>;
      readonly open?: boolean;
      readonly roles?: readonly string[];
    } = {},
  ): Promise<number> {
    const upstream = memory();
    const url = await upstream.start();
    const ecr = new EcrStandIn({
      // The registry has only the repository that the command has created.
      repositories: async () => {
        const create = programs.calls.findLast((call) => call.includes("create-repository"));
        const repositoryName = /--repository-name (\S+)/.exec(create ?? "")?.[1];
        return Promise.resolve([{ ...actual, repositoryName }]);
      },
      upstream: url,
    });
    const host = given.open === true ? url.replace("http://", "") : await ecr.start();
    const described = { repositories: [{ ...rule, repositoryUri: `${host}/services-orders` }] };
    const { roles = ["preview", "review"] } = given;
    const pattern = roles.map((role) => `*:role/services-orders-${role}`).join("|");
    const denied = "echo AccessDenied >&2; exit 1";
    const assumed = `case "$AWS_ROLE_ARN" in "") echo 111122223333;; ${pattern}) echo ok;; *) ${denied};; esac`;
    programs.add("aws", {
      "ecr describe-repositories*": `echo '${JSON.stringify(described)}'`,
      "ecr get-login-password*": `echo ${ecr.token().password}`,
      "sts get-caller-identity*": assumed,
    });
    const env = {
      ...programs.workspace().env,
      ...{ AWS_ROLE_ARN: "", CIRCLE_OIDC_TOKEN_V2: token("refs/heads/feature") },
      ...{ DOCKER_CONFIG: programs.directory, SANDBOX_ECR_REGION: "eu-central-1" },
      SANDBOX_REGISTRY: host,
      ...given.env,
    };
    const record = join(directory, "proofs.json");
    try {
      return await proveAws({ env, record, yes: true });
    } finally {
      if (given.open !== true) await ecr.stop();
      await upstream.stop();
      outcomes = readRecord(record).aws?.outcomes ?? [];
    }
  }

  it("proves every assertion, and deletes the repository that it has created", async () => {
    assert.equal(await prove(), 0, JSON.stringify(outcomes));
    const calls = programs.calls.filter((call) => call.startsWith("aws ecr"));
    assert.match(calls.at(-1) ?? "", /delete-repository --repository-name services-orders-prove-/);
  });

  it("sees a registry that moves immutable tags", async () => {
    assert.equal(await prove({ ...rule, imageTagMutability: "MUTABLE" }), 3);
    assert.deepEqual(ids("differs"), ["ecr-immutable"]);
  });

  it("sees a registry that moves no tag, also none that is excluded", async () => {
    assert.equal(await prove({ ...rule, imageTagMutabilityExclusionFilters: [] }), 3);
    assert.deepEqual(ids("differs"), ["ecr-excluded"]);
  });

  it("sees a registry without a login", async () => {
    assert.equal(await prove(rule, { open: true }), 3);
    assert.ok(ids("differs").includes("ecr-login"));
  });

  it("sees a role of main that a branch may assume", async () => {
    assert.equal(await prove(rule, { roles: ["preview", "review", "staging"] }), 3);
    assert.deepEqual(ids("differs"), ["trust-branch"]);
  });

  it("leaves the roles open outside of a job, and in a job of main", async () => {
    assert.equal(await prove(rule, { env: { CIRCLE_OIDC_TOKEN_V2: "" } }), 3);
    assert.deepEqual(ids("open"), ["trust-branch"]);
    assert.equal(await prove(rule, { env: { CIRCLE_OIDC_TOKEN_V2: token("refs/heads/main") } }), 3);
    assert.deepEqual(ids("open"), ["trust-branch"]);
  });

  it("changes nothing without a confirmation", async () => {
    const terminal = Object.getOwnPropertyDescriptor(process.stdin, "isTTY");
    Object.defineProperty(process.stdin, "isTTY", { configurable: true, value: false });
    try {
      await assert.rejects(proveAws({ env: programs.workspace().env }), /Nothing was changed/);
    } finally {
      Object.defineProperty(
        process.stdin,
        "isTTY",
        terminal ?? { configurable: true, value: undefined },
      );
    }
    assert.deepEqual(programs.calls, []);
  });
});
