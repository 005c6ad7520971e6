import assert from "node:assert/strict";
import { connections, doors } from "../../../components/conventions/connections";
import {
  type Row,
  isUnenforced,
  lines,
  summary,
  verdict,
  withoutOpenNode,
} from "../../../operations/probe/table";

const row = (more: Partial<Row>): Row => ({
  allowed: true,
  from: "service",
  seen: "open",
  to: "database",
  ...more,
});

/**
 * Returns the rows that the probe finds in a cluster. If `enforced` is true, the cluster enforces
 * all policies. Otherwise, the cluster enforces no policy.
 */
const table = (enforced: boolean): readonly Row[] =>
  connections.map((connection) => ({
    ...connection,
    seen: connection.allowed || !enforced ? "refused" : "time-out",
  }));

describe("the verdict about a connection", () => {
  const cases: readonly [string, Partial<Row>, string][] = [
    ["opened as expected", {}, "ok"],
    ["refused by the host itself, which it got to", { seen: "refused" }, "ok"],
    ["timed out against the expectation", { seen: "time-out" }, "FAIL"],
    ["without a route", { seen: "no-route-to-host" }, "FAIL"],
    ["timed out as expected", { allowed: false, seen: "time-out" }, "ok"],
    ["opened against the expectation", { allowed: false }, "FAIL"],
    ["refused against the expectation", { allowed: false, seen: "refused" }, "FAIL"],
    ["not tried", { seen: undefined }, "unknown"],
    ["to a DNS server that does not answer", { seen: "silent", to: "DNS by UDP" }, "FAIL"],
    ["to an agent that never answers", { seen: "silent", to: "Datadog agent, metrics" }, "unknown"],
    [
      "to a silent host, as expected",
      { allowed: false, seen: "silent", to: "node, another UDP port" },
      "ok",
    ],
  ];
  for (const [what, more, expected] of cases) {
    it(`${what} is ${expected}`, () => {
      assert.equal(verdict(row(more)), expected);
    });
  }
});

describe("a probe's table", () => {
  it("is good for every connection when every policy is enforced", () => {
    const rows = withoutOpenNode(table(true));
    assert.ok(rows.every((row) => verdict(row) === "ok"));
    assert.equal(isUnenforced(rows), false);
    const count = String(connections.length);
    assert.deepEqual(summary(rows), [
      `${count} connections: ${count} as expected, 0 not as expected, 0 unknown`,
    ]);
  });

  it("says in one line that a cluster enforces no policies, and fails", () => {
    const rows = withoutOpenNode(table(false));
    assert.ok(rows.some((row) => verdict(row) === "FAIL"));
    assert.equal(
      summary(rows).at(-1),
      "This cluster does not enforce NetworkPolicies: every forbidden connection succeeded.",
    );
  });

  it("leaves the node out when every pod reaches it, and says why", () => {
    const rows = withoutOpenNode(
      table(true).map((row) =>
        doors[row.to].party === "Datadog agent" ? { ...row, seen: "refused" } : row,
      ),
    );
    assert.equal(rows.filter((row) => verdict(row) === "FAIL").length, 0);
    assert.match(summary(rows)[0] ?? "", /this cluster always lets pods reach the node/);
    const traces = rows.find(({ from, to }) => from === "job" && to === "Datadog agent, traces");
    assert.equal(traces && verdict(traces), "ok");
  });

  it("keeps the node when only one pod reaches it", () => {
    const rows = withoutOpenNode(
      table(true).map((row) =>
        row.from === "job" && row.to === "node, kubelet" ? { ...row, seen: "refused" } : row,
      ),
    );
    const failed = rows.filter((row) => verdict(row) === "FAIL");
    assert.deepEqual(
      failed.map(({ from, to }) => `${from} ${to}`),
      ["job node, kubelet"],
    );
  });

  it("is printed with one line for each connection, in columns", () => {
    const rows = [row({}), row({ allowed: false, from: "another pod", seen: undefined })];
    assert.deepEqual(lines(rows), [
      "from         to        expected  seen",
      "service      database  open      open       ok",
      "another pod  database  closed    not tried  ?",
    ]);
  });
});
