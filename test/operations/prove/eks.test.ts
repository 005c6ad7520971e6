import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { mock } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Row, checks, notNeeded } from "../../../operations/doctor/finding";
import { readRecord } from "../../../operations/prove/assertions";
import { proveEks } from "../../../operations/prove/command";

/**
 * Returns the rows of a cluster in which every check succeeds. A row in `replaced` replaces the row
 * of the same check.
 */
const rows = (replaced: readonly Row[] = []): readonly Row[] =>
  Object.values(checks).map(
    (check) =>
      replaced.find((row) => row.check === check) ?? { check, status: "ok", text: "there" },
  );

describe("npm run prove -- eks", () => {
  let directory: string;
  let record: string;
  beforeEach(() => {
    mock.method(console, "log", () => undefined);
    directory = mkdtempSync(join(tmpdir(), "services-orders-prove-"));
    record = join(directory, "proofs.json");
  });
  afterEach(() => {
    mock.restoreAll();
    rmSync(directory, { force: true, recursive: true });
  });
  const prove = async (seen: readonly Row[], context?: string): Promise<number> =>
    proveEks({
      check: async (asked) => {
        assert.equal(asked, context);
        return Promise.resolve({ cluster: "a cluster", rows: seen });
      },
      record,
      yes: true,
      ...(context === undefined ? {} : { context }),
    });
  const results = () =>
    Object.fromEntries(
      (readRecord(record).eks?.outcomes ?? []).map(({ id, result }) => [id, result]),
    );

  it("records every check of a cluster that has everything", async () => {
    assert.equal(await prove(rows(), "staging"), 0);
    const all = Object.values(results());
    assert.deepEqual(all, Array(Object.keys(checks).length).fill("proven"));
  });

  it("records what differs, and what the role may not ask", async () => {
    const seen = rows([
      { check: checks.policies, status: "wrong", text: "reached DNS" },
      { check: checks.certificate, status: "unknown", text: "this role may not ask ACM" },
      { check: checks.readinessGates, ...notNeeded("ingressPreset is not eks-alb") },
    ]);
    assert.equal(await prove(seen), 3);
    const { "eks-certificate": certificate, "eks-first-instruction": policies } = results();
    assert.deepEqual([certificate, policies], ["open", "differs"]);
    assert.equal(results()["eks-readiness-gates"], "open");
    const found = readRecord(record).eks?.outcomes.find(({ result }) => result === "differs");
    assert.equal(found?.detail, "reached DNS");
  });

  it("records nothing if the cluster does not answer, or no one can confirm", async () => {
    const check = async () => Promise.resolve({ cluster: "c", error: "no answer", rows: [] });
    await assert.rejects(proveEks({ check, record, yes: true }), /no answer/);
    await assert.rejects(proveEks({ check, record }), /Pass --yes\. Nothing was changed/);
    assert.deepEqual(readRecord(record), {});
  });
});
