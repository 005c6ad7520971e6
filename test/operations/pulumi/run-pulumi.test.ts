import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mock } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { change, plainLines } from "../../../operations/pulumi/run-pulumi";
import { errorsIn } from "../../../operations/pulumi/events";
import { reports } from "../../../lib/reports";

/**
 * A stand-in for Pulumi that reads five environment variables. Each call adds its arguments to the
 * file `CALLS`. The first `LOCKED` calls fail with the message that the stack is locked. Later
 * calls write the text in `EVENTS` into the file that the option `--event-log` names, print the
 * text in `SAYS`, and end with the exit code in `CODE`.
 */
const script = `#!/bin/sh
echo "$*" >> "$CALLS"
if [ "$(grep -c . "$CALLS")" -le "\${LOCKED:-0}" ]; then
  echo "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file" >&2
  echo "  file:///state/lock.json: created by ada@laptop (pid 7) at 2026-01-02T03:04:05Z" >&2
  exit 255
fi
while [ $# -gt 1 ]; do if [ "$1" = --event-log ] && [ -n "$EVENTS" ]; then printf '%s\\n' "$EVENTS" > "$2"; fi; shift; done
if [ -n "$SAYS" ]; then echo "$SAYS" >&2; fi
exit "\${CODE:-0}"
`;

const event = (kind: string, content: object): string =>
  JSON.stringify({ sequence: 1, timestamp: 1, [kind]: content });

describe("an update by Pulumi", () => {
  let directory: string;
  let causes: string[];
  let told: string[];
  const path = process.env["PATH"];
  const workspace = (env: Readonly<Record<string, string>> = {}, patienceMs?: number) => ({
    cwd: directory,
    env: {
      CALLS: join(directory, "calls"),
      PULUMI_BACKEND_URL: `file://${directory}`,
      ...env,
    },
    lockWait: { patienceMs, pauseMs: 5 },
  });
  const calls = () => readFileSync(join(directory, "calls"), "utf8").trim().split("\n").length;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-engine-"));
    writeFileSync(join(directory, "pulumi"), script, { mode: 0o755 });
    writeFileSync(join(directory, "Pulumi.yaml"), "name: services-orders\nruntime: nodejs\n");
    process.env["PATH"] = `${directory}:${path ?? ""}`;
    causes = [];
    told = [];
    mock.method(reports, "addCause", (text: string) => causes.push(text));
    mock.method(console, "log", (text: string) => told.push(text));
    mock.method(process.stderr, "write", () => true);
  });
  afterEach(() => {
    mock.restoreAll();
    process.env["PATH"] = path;
    rmSync(directory, { recursive: true });
  });

  it("shows plain lines, and colors only on a terminal that wants them", async () => {
    await change("up", "staging", workspace());
    const call = readFileSync(join(directory, "calls"), "utf8");
    assert.match(call, / --non-interactive --suppress-progress --color /);
    const color = (env: Readonly<Record<string, string>>, isTTY: boolean) =>
      plainLines(workspace(env), { isTTY }).at(-1);
    const cases = [color({}, true), color({ NO_COLOR: "1" }, true), color({}, false)];
    assert.deepEqual(cases, ["always", "never", "never"]);
  });

  it("waits while another one holds the lock, says who has it, and is tried again", async () => {
    const before = mock.fn(async () => Promise.resolve());
    await change("up", "staging", workspace({ LOCKED: "2" }), { before });
    assert.equal(calls(), 3);
    assert.equal(before.mock.callCount(), 3);
    assert.equal(told.length, 2);
    assert.match(told[0] ?? "", /^Waiting for the stack's lock \(created by ada@laptop \(pid 7\)/);
    assert.deepEqual(causes, []);
  });

  it("gives up after its patience, with Pulumi's own words", async () => {
    const locked = workspace({ LOCKED: "100" }, 1_000);
    await assert.rejects(
      change("up", "staging", locked),
      /currently locked by 1 lock[^]*ada@laptop/,
    );
    assert.ok(calls() > 1);
    await assert.rejects(
      change("up", "staging", workspace({ LOCKED: "100" }, 0)),
      /currently locked/,
    );
  });

  it("is not tried again when it failed, and leaves what the engine and the policies say", async () => {
    const EVENTS = [
      event("diagnosticEvent", { message: "<{%reset%}>pod web-1 is not ready", severity: "error" }),
      event("diagnosticEvent", { message: "by the way", severity: "warning" }),
      event("policyEvent", {
        enforcementLevel: "mandatory",
        message: "two replicas at least",
        policyName: "replicas",
      }),
    ].join("\n");
    await assert.rejects(
      change("up", "staging", workspace({ CODE: "1", EVENTS })),
      /pulumi up failed/,
    );
    assert.equal(calls(), 1);
    assert.deepEqual(causes, ["pod web-1 is not ready", "replicas: two replicas at least"]);
  });

  it("leaves what Pulumi said last when its engine did not begin", async () => {
    const env = { CODE: "255", SAYS: "error: no stack named 'staging' found" };
    await assert.rejects(change("destroy", "staging", workspace(env)), /pulumi destroy failed/);
    assert.deepEqual(causes, ["error: no stack named 'staging' found"]);
  });

  it("waits to destroy, and leaves its causes, in the same way", async () => {
    await change("destroy", "review-a", workspace({ LOCKED: "1" }));
    assert.equal(calls(), 2);
    const failing = workspace({ CODE: "1", SAYS: "error: it is stuck" });
    await assert.rejects(change("destroy", "review-a", failing), /pulumi destroy failed/);
    assert.match(causes.join(), /error: it is stuck/);
    const locked = workspace({ LOCKED: "100" }, 0);
    await assert.rejects(change("destroy", "review-a", locked), /currently locked by 1 lock/);
  });
});

describe("the last words of a program", () => {
  it("are Pulumi's own summary of its errors, without what follows it", () => {
    const printed = [
      " ~  kubernetes:apps/v1:Deployment web updating (9s)",
      "Diagnostics:",
      "  kubernetes:apps/v1:Deployment (web):",
      "    error: 2 errors occurred:",
      "",
      "Resources:",
      "    1 unchanged",
    ].join("\n");
    assert.equal(
      errorsIn(printed),
      "  kubernetes:apps/v1:Deployment (web):\n    error: 2 errors occurred:",
    );
  });

  it("are its last lines when there is no such summary", () => {
    const lines = Array.from({ length: 50 }, (_, index) => `line ${String(index)}`);
    assert.match(errorsIn(lines.join("\n\n")), /^line 20\nline 21\n[^]*\nline 49$/);
  });
});
