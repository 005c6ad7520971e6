import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Answer, ask } from "../../../operations/clients/http";
import { checks, hint, isRelease, releasePath, smoke } from "../../../operations/release/smoke";
import { type Answers, StandIn } from "../support/http-stand-in";
import { Programs } from "../support/programs";

const good: Answers = ({ path }) => {
  const headers = { "Service-Version": "1234567" };
  if (path.startsWith("/orders?")) return { body: '{"orders":[]}', headers, status: 200 };
  return { headers, status: 404 };
};

/**
 * Runs all checks against a service that gives these responses. For each check, returns the issue,
 * or undefined if the check finds no issue.
 */
async function found(answers: Answers): Promise<readonly (string | undefined)[]> {
  const service = new StandIn(answers);
  const url = await service.start();
  try {
    return await Promise.all(
      checks.map(async ({ issue, path }) => issue(await ask(`${url}/${path}`))),
    );
  } finally {
    await service.stop();
  }
}

describe("the smoke test", () => {
  it("finds nothing at a service that works", async () => {
    assert.deepEqual(await found(good), [undefined, undefined, undefined]);
  });

  it("finds a database that cannot be reached, and what else does not answer", async () => {
    const issues = await found(() => ({ status: 503 }));
    assert.deepEqual(issues, ["status 503, not 200", "status 503, not 404", "status 503, not 404"]);
  });

  it("finds health and metrics that the public URL leads to", async () => {
    const management: Answers = (request) =>
      /^\/(?:health\/live|metrics)$/.test(request.path) ? { status: 200 } : good(request);
    const issues = await found(management);
    assert.deepEqual(issues, [undefined, "status 200, not 404", "status 200, not 404"]);
  });

  it("knows the release by the service's own answer about an order that does not exist", async () => {
    const service = new StandIn(good);
    const url = await service.start();
    try {
      const answer = await ask(`${url}/${releasePath}`);
      assert.equal(isRelease(answer, "1234567"), true);
      assert.equal(isRelease(answer, "7654321"), false);
      // The next three lines test the response of a load balancer, the response of a service
      // without a database, and an error instead of a response.
      assert.equal(isRelease({ ...answer, version: "" }, ""), false);
      assert.equal(isRelease({ ...answer, status: 503 }, "1234567"), false);
      assert.equal(isRelease("Error: no answer", "1234567"), false);
      assert.equal(service.asked[0]?.method, "GET");
    } finally {
      await service.stop();
    }
  });

  it("fails on the page of another program", async () => {
    const issues = await found(() => ({ body: "<h1>Welcome</h1>", status: 200 }));
    assert.deepEqual(issues, [
      "the answer is not a list of orders",
      "status 200, not 404",
      "status 200, not 404",
    ]);
  });

  it("follows no redirect, and sees which release answers, below localhost too", async () => {
    const location = { Location: "/login", "Service-Version": "abc" };
    const service = new StandIn(() => ({ headers: location, status: 302 }));
    const url = new URL(await service.start());
    try {
      const answer: Answer = await ask(`http://orders.localhost:${url.port}/`);
      assert.deepEqual([answer.status, answer.version], [302, "abc"]);
      assert.equal(service.asked[0]?.headers.host, `orders.localhost:${url.port}`);
    } finally {
      await service.stop();
    }
  });

  it("asks whether it runs inside the network when nothing answers at all, and only there", () => {
    assert.match(hint("Error: no answer within 10 s"), /internal\?.*config\/circleci\.ts/);
    assert.equal(hint({ body: "", status: 503, version: "" }), "");
  });

  it("says that the port refuses connections", async () => {
    const service = new StandIn(good);
    const url = await service.start();
    await service.stop();
    await assert.rejects(ask(url), /ECONNREFUSED/);
  });

  describe("of what a pipeline has deployed", () => {
    const commit = "1234567".padEnd(40, "0");
    const imageRef = `registry/services-orders@sha256:${"a".repeat(64)}`;
    let programs: Programs;
    let service: StandIn;
    beforeEach(() => {
      programs = new Programs();
    });
    afterEach(async () => {
      await service.stop();
      programs.remove();
    });

    /** Runs the smoke test. The outputs of the stack change to `later` while the checks run. */
    async function tested(answers: Answers, later: object = {}): Promise<void> {
      service = new StandIn(answers);
      const outputs = { commit, imageRef, url: `${await service.start()}/` };
      const echo = (value: object) => `echo '${JSON.stringify(value)}'`;
      programs.add("pulumi", {
        "*stack ls*": echo([{ name: "staging" }]),
        "*stack output*": [echo(outputs), echo({ ...outputs, ...later })],
      });
      const deployed = join(programs.directory, "deployed.json");
      writeFileSync(deployed, JSON.stringify({ commit, imageRef, stack: "staging" }));
      await smoke("staging", { deployed }, programs.workspace());
    }

    it("passes when only this release answers", async () => {
      await tested(good);
    });

    it("asks again when another release answers, such as a canary", async () => {
      let others = 0;
      await tested((asked) => {
        if (!asked.path.startsWith("/orders?") || others > 0) return good(asked);
        others += 1;
        return { headers: { "Service-Version": "7654321" }, status: 503 };
      });
      assert.equal(others, 1);
    });

    it("fails when another update ends while the checks run", async () => {
      const next = "7654321".padEnd(40, "0");
      await assert.rejects(tested(good, { commit: next }), /now runs \S+ \(7654321\), but this/);
    });
  });
});
