import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { assertConnections } from "../../program/database";

const requests = { cpu: "100m", memory: "128Mi" };
const service = { name: "orders", pods: 12, requests };
const jobs = [
  { name: "export", pods: 2, requests },
  { name: "command run by hand", pods: 1, requests },
];

function check(databaseConnections: number | undefined, env = {}): void {
  assertConnections({ databaseConnections }, { env }, { jobs, service });
}

describe("the connections of a database", () => {
  it("are enough for every pod of a rollout and every job, or the program stops", () => {
    check(12 * 11 + 3);
    assert.throws(
      () => {
        check(12 * 11 + 2);
      },
      {
        message:
          "The database allows 134 connections, but the stack may need 135 at the same time: " +
          "12 pods of orders during a rollout, with 11 connections each, and 3 for jobs and commands. " +
          'Lower "replicas" or the variable DATABASE_POOL_SIZE, or set "databaseConnections" if the database allows more.',
      },
    );
  });

  it("are counted with the pool size that the stack sets", () => {
    check(12 * 5 + 3, { DATABASE_POOL_SIZE: "4" });
    assert.throws(() => {
      check(12 * 5 + 2, { DATABASE_POOL_SIZE: "4" });
    }, /may need 63 .* with 5 connections each/);
  });

  it("are not checked without a limit, or if a Secret has the pool size", () => {
    check(undefined);
    check(1, { DATABASE_POOL_SIZE: { key: "size", secretName: "pool" } });
  });

  it("are those of the service's own default", () => {
    const java = "service/src/main/java/com/example/orders/config/Configuration.java";
    const text = readFileSync(join(__dirname, "../..", java), "utf8");
    const size = /"DATABASE_POOL_SIZE", (\d+),/.exec(text)?.[1];
    assert.throws(
      () => {
        assertConnections({ databaseConnections: 1 }, {}, { jobs: [], service });
      },
      new RegExp(
        `12 pods of orders during a rollout, with ${String(Number(size) + 1)} connections each\\.`,
      ),
    );
  });
});
