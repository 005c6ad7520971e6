import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { command } from "../../../lib/command";
import { runPreview } from "../../../operations/pulumi/run-preview";
import { previewOf } from "../../../operations/preview/preview-result";
import { changesOf } from "../../../operations/preview/changes/changes";
import { keyOf } from "../../../operations/pulumi/live-objects";
import { planOf, savePlan } from "../../../operations/preview/plan";
import { showPreview } from "../../../operations/deploy/show-preview";
import { recorded } from "../support/recorded-previews";

const fixtures = join(import.meta.dirname, "..", "preview", "recorded");

/** A stand-in for the engine. The stand-in writes a recorded event log, and records its calls. */
const script = `#!/bin/sh
echo "$PULUMI_BACKEND_URL $*" >> "$CALLS"
if [ "$*" = "\${*#*stack init}" ]; then :; else exit 0; fi
case "$PULUMI_BACKEND_URL" in file://*) ;; *) if [ -n "$MISSING" ]; then echo "error: no stack named '$MISSING' found" >&2; exit 255; fi ;; esac
while [ $# -gt 1 ]; do if [ "$1" = --event-log ]; then cp "$EVENTS" "$2"; fi; shift; done
echo "the diff"
exit "\${CODE:-0}"
`;

describe("running the engine", () => {
  let directory: string;
  let shown: string;
  const to = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      shown += chunk.toString("utf8");
      done();
    },
  });
  const workspace = (name: string, more: Readonly<Record<string, string>> = {}) => ({
    cwd: directory,
    env: {
      CALLS: join(directory, "calls"),
      EVENTS: join(fixtures, `${name}.jsonl`),
      PATH: `${directory}:${process.env["PATH"] ?? ""}`,
      PULUMI_BACKEND_URL: "s3://state",
      ...more,
    },
  });
  const calls = () => readFileSync(join(directory, "calls"), "utf8").trim().split("\n");

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-engine-"));
    writeFileSync(join(directory, "pulumi"), script, { mode: 0o755 });
    shown = "";
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("has the notes that matter only to new pods if new pods start", async () => {
    const notes = ["always", { ifPodsChange: "jobs run" }];
    const of = async (name: string): Promise<readonly string[]> =>
      (await previewOf({ workspace: workspace(name), stack: "local", to }, notes)).summary.notes;
    const shown = ["always", "jobs run"];
    assert.deepEqual(
      (await of("env")).filter((note) => shown.includes(note)),
      shown,
    );
    for (const name of ["new-job", "replicas", "nothing"]) {
      assert.deepEqual(
        (await of(name)).filter((note) => shown.includes(note)),
        ["always"],
        name,
      );
    }
  });

  it("shows what it prints, and reads its events, in one run", async () => {
    const { complete, summary } = await previewOf({
      workspace: workspace("env"),
      stack: "local",
      to,
    });
    assert.equal(shown, "the diff\n");
    assert.equal(calls().length, 1);
    assert.match(calls()[0] ?? "", /preview --diff .*--stack local .*--color never/);
    assert.doesNotMatch(calls()[0] ?? "", /--policy-pack|--show-secrets|--refresh/);
    assert.equal(summary.headline, "new pods, rolling, no downtime");
    assert.equal(complete, true);
  });

  it("holds the policies of a project that has some", async () => {
    mkdirSync(join(directory, "policy"));
    writeFileSync(join(directory, "policy", "PulumiPolicy.yaml"), "");
    await previewOf({ workspace: workspace("env"), stack: "local", to });
    assert.match(calls()[0] ?? "", /--policy-pack policy/);
  });

  it("says what to do when there is no Pulumi", async () => {
    const nothing = {
      ...workspace("env"),
      env: { ...workspace("env").env, PATH: join(directory, "none") },
    };
    await assert.rejects(
      runPreview({ workspace: nothing, stack: "local", to }),
      /no pulumi on the PATH\. On a laptop, run: eval/,
    );
  });

  it("previews a stack that does not exist yet in an empty state, which it removes", async () => {
    const stack = "review-new";
    const { summary } = await previewOf({
      workspace: workspace("new-job", { MISSING: stack }),
      stack,
      to,
    });
    assert.equal(summary.headline, "new job");
    const [first = "", init = "", second = ""] = calls();
    assert.match(first, /^s3:\/\/state preview/);
    assert.match(init, /^file:\/\/.* stack init review-new --no-select/);
    assert.match(second, /^file:\/\/.* preview/);
    assert.throws(() => readFileSync(new URL(second.split(" ")[0] ?? "").pathname), /ENOENT/);
  });

  it("does not do so for a stack with a file, and says how to make it with the key that it names", async () => {
    const key = "awskms://alias/a?region=r";
    writeFileSync(join(directory, "Pulumi.staging.yaml"), `secretsprovider: ${key}\n`);
    const given = workspace("new-job", { MISSING: "staging" });
    await assert.rejects(
      previewOf({ workspace: given, stack: "staging", to }),
      (error: Error) =>
        error.message.includes(`stack init staging --no-select --secrets-provider '${key}'`) &&
        /commit what the command writes into Pulumi\.staging\.yaml/.test(error.message),
    );
    assert.equal(calls().length, 1);
  });
});

/** A cluster without objects. */
const empty = { kubectl: async () => Promise.resolve("") };

describe("a deploy", () => {
  let directory: string;
  const workspace = (name: string, code = 0) => ({
    cwd: directory,
    env: {
      CALLS: join(directory, "calls"),
      CODE: String(code),
      EVENTS: join(fixtures, `${name}.jsonl`),
      PATH: `${directory}:${process.env["PATH"] ?? ""}`,
    },
  });
  const approved = (name: string) => {
    const file = join(directory, "plan.json");
    savePlan(file, planOf("local", recorded(name)));
    return file;
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-engine-"));
    writeFileSync(join(directory, "pulumi"), script, { mode: 0o755 });
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("continues with what was approved, and with less", async () => {
    await showPreview("local", workspace("env"), { approved: approved("env"), cluster: empty });
    await showPreview("local", workspace("nothing"), { approved: approved("env"), cluster: empty });
  });

  it("stops when more would change than was approved, and says what", async () => {
    await assert.rejects(
      showPreview("local", workspace("replicas"), { approved: approved("env"), cluster: empty }),
      /More would change than was approved:\n- [\s\S]*Deployment services-orders: spec\.replicas would now change too, to 2[\s\S]*Nothing was changed/,
    );
  });

  it("stops before its preview when the approved plan cannot be read", async () => {
    await assert.rejects(
      showPreview("local", workspace("env"), { approved: join(directory, "none"), cluster: empty }),
      /is not a plan/,
    );
    assert.throws(() => readFileSync(join(directory, "calls")), /ENOENT/);
  });

  it("stops when an object that it would create exists and belongs to someone else", async () => {
    const [created] = changesOf(recorded("new-job")).filter(({ kind }) => kind === "CronJob");
    assert.ok(created);
    const { labels, ...metadata } = keyOf(created).metadata;
    const answered: string[] = [];
    const cluster = (found: object) => ({
      kubectl: async (_args: readonly string[], _timeout?: number, input = "") => {
        answered.push(input);
        return Promise.resolve(JSON.stringify({ ...keyOf(created), metadata: found }));
      },
    });
    await assert.rejects(
      showPreview("local", workspace("new-job"), { cluster: cluster(metadata) }),
      (error: Error) =>
        error.message.includes(
          `CronJob ${metadata.name} in ${metadata.namespace ?? ""}: has no label`,
        ),
    );
    await showPreview("local", workspace("new-job"), { cluster: cluster({ ...metadata, labels }) });
    assert.match(answered.join(""), new RegExp(`"name":"${metadata.name}"`));
  });

  it("continues for a branch that has no rights in its namespace yet", async () => {
    const failing = (text: string) => ({
      kubectl: async () => command("sh", ["-c", 'echo "$0" >&2; exit 1', text]),
    });
    const forbidden = 'Error from server (Forbidden): cronjobs.batch "x" is forbidden';
    await showPreview("local", workspace("new-job"), { cluster: failing(forbidden) });
    await assert.rejects(
      showPreview("local", workspace("new-job"), { cluster: failing("Unable to connect") }),
      /Unable to connect/,
    );
  });

  it("stops when the preview did not come to its end: not all of it was shown", async () => {
    await assert.rejects(
      showPreview("local", workspace("immutable", 255), { cluster: empty }),
      /The preview failed/,
    );
  });
});
