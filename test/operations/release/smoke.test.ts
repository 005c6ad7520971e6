import assert from "node:assert/strict";
import { type Answer, ask } from "../../../operations/clients/http";
import { checks, hint } from "../../../operations/release/smoke";
import { type Answers, StandIn } from "../support/http-stand-in";

const good: Answers = ({ path }) => {
  const headers = { "Service-Version": "1234567" };
  if (path === "/health/ready") return { headers, status: 200 };
  if (path.startsWith("/orders?")) return { body: '{"orders":[]}', headers, status: 200 };
  return { headers, status: 404 };
};

/**
 * Runs all checks against a service that gives these answers. Returns the issue that each check
 * finds.
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
    assert.deepEqual(issues, ["status 503, not 200", "status 503, not 200", "status 503, not 404"]);
  });

  it("fails on the page of another program", async () => {
    const issues = await found(() => ({ body: "<h1>Welcome</h1>", status: 200 }));
    assert.deepEqual(issues.slice(1), [
      "an answer that is not a list of orders",
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
});
