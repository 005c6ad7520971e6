import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stopCanary } from "../../../operations/canary/canary";
import { assertCheckout } from "../../../operations/canary/checkout";
import {
  type Production,
  readyPods,
  runningCanary,
} from "../../../operations/stacks/running-canary";
import type { Workspace } from "../../../operations/pulumi/run-pulumi";
import { identityOf } from "../../../settings/identity";
import { command } from "../../../lib/command";

const imageRef = `registry.example/services-orders@sha256:${"a".repeat(64)}`;
const deployment = {
  metadata: { labels: { branch: "feature-a", track: "canary" }, name: "services-orders-canary" },
  spec: { template: { spec: { containers: [{ image: imageRef }] } } },
};

describe("a canary that runs", () => {
  let directory: string;
  let asked: string[];
  /** The objects in the cluster. Each key is the name of a resource type, such as `deployments`. */
  let objects: Readonly<Record<string, readonly object[]>>;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-canary-"));
    asked = [];
    objects = {};
    state({});
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** Creates a stand-in for Pulumi. The stand-in prints this state. */
  function state({ outputs = {}, resources = [], tags = {} }: Record<string, unknown>): void {
    const script = `#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
  *"stack export"*) echo '${JSON.stringify({ deployment: { pending_operations: [{}], resources } })}';;
  *"tag ls"*) echo '${JSON.stringify(tags)}';;
  *"stack output"*) echo '${JSON.stringify(outputs)}';;
esac`;
    writeFileSync(join(directory, "pulumi"), script, { mode: 0o755 });
  }

  const workspace = (): Workspace => ({
    cwd: directory,
    env: {
      CALLS: join(directory, "calls"),
      PATH: `${directory}:${process.env["PATH"] ?? ""}`,
      PULUMI_BACKEND_URL: "s3://state",
    },
  });
  const production = (stacks: readonly string[] = ["prod", "prod-canary"]): Production => ({
    cluster: {
      kubectl: async (args) => {
        asked.push(args.join(" "));
        const items = objects[args[1] ?? ""] ?? [];
        return Promise.resolve(args[0] === "get" ? JSON.stringify({ items }) : "");
      },
      uid: "here",
    },
    settings: { identity: identityOf("canary", "prod"), namespace: "services-orders" },
    stacks,
  });

  it("is undefined when neither state nor cluster has its Deployment", async () => {
    assert.equal(await runningCanary(production(), workspace()), undefined);
    assert.match(asked.join(), /^get deployments --namespace services-orders .*track=canary/);
  });

  it("is one that the state has", async () => {
    const expires = "2026-01-10T12:00:00.000Z";
    const resources = [{ type: "kubernetes:apps/v1:Deployment", urn: "a" }];
    state({ outputs: { clusterUid: "here", imageRef }, resources, tags: { branch: "b", expires } });
    assert.deepEqual(await runningCanary(production(), workspace()), {
      branch: "b",
      clusterUid: "here",
      expires: new Date(expires),
      imageRef,
      percent: undefined,
      started: true,
    });
  });

  it("is one whose start was killed before the state had it, with the tags that were set first", async () => {
    objects = { deployments: [deployment] };
    state({ tags: { branch: "feature/a", clusterUid: "here", percent: "10" } });
    const found = await runningCanary(production(), workspace());
    assert.deepEqual([found?.branch, found?.imageRef], ["feature/a", imageRef]);
    assert.deepEqual([found?.clusterUid, found?.percent, found?.started], ["here", "10", false]);
  });

  it("is one of another state, too, by its label", async () => {
    objects = { deployments: [deployment] };
    const found = await runningCanary(production([]), workspace());
    assert.deepEqual([found?.branch, found?.started], ["feature-a", true]);
  });

  it("is not another Deployment of the track", async () => {
    objects = { deployments: [{ ...deployment, metadata: { labels: {}, name: "other" } }] };
    assert.equal(await runningCanary(production(), workspace()), undefined);
  });

  it("is deleted by stop when there is one, also when a killed start's lock keeps Pulumi from destroying it", async () => {
    await stopCanary(production(), workspace());
    assert.ok(!asked.some((args) => args.startsWith("delete")));
    objects = { deployments: [deployment] };
    await stopCanary(production(), workspace());
    assert.match(readFileSync(join(directory, "calls"), "utf8"), /destroy --stack prod-canary/);
    const deletion =
      "delete deployment services-orders-canary --namespace services-orders --cascade=foreground --ignore-not-found";
    assert.equal(asked.at(-1), deletion);

    asked.length = 0;
    const locked = "echo 'error: the stack is currently locked by 1 lock(s)' >&2; exit 255";
    const program = readFileSync(join(directory, "pulumi"), "utf8");
    writeFileSync(
      join(directory, "pulumi"),
      program.replace("\n", `\ncase "$*" in destroy*) ${locked};; esac\n`),
    );
    const impatient = { ...workspace(), lockWait: { patienceMs: 0 } };
    await assert.rejects(stopCanary(production(), impatient), /currently locked/);
    assert.equal(asked.at(-1), deletion);
  });

  it("is left alone in a cluster other than its own", async () => {
    objects = { deployments: [deployment] };
    state({ tags: { clusterUid: "elsewhere" } });
    await assert.rejects(stopCanary(production(), workspace()), /is in the cluster elsewhere/);
    assert.deepEqual(asked, []);
  });

  it("has its share of the pods that get requests: Ready ones that do not end", async () => {
    const pod = (status: string, metadata: object = {}) => ({
      metadata,
      status: { conditions: [{ status, type: "Ready" }] },
    });
    const ending = { deletionTimestamp: "2026-01-10T12:00:00Z" };
    const waiting = { metadata: {}, status: {} };
    objects = { pods: [pod("True"), pod("False"), pod("True", ending), waiting] };
    assert.equal(await readyPods(production()), 1);
    assert.match(asked.join(), /track=stable/);
  });
});

describe("the checkout that a canary is started from", () => {
  let directory: string;
  const workspace = (): Workspace => ({ cwd: join(directory, "here"), env: {} });
  const git = async (...args: string[]): Promise<string> =>
    command("git", args, { cwd: workspace().cwd, timeout: 30_000 });

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-checkout-"));
    const remote = join(directory, "remote");
    await command("git", ["init", "--quiet", "--bare", remote]);
    await command("git", ["init", "--quiet", "--initial-branch=main", workspace().cwd]);
    await git("config", "user.name", "Ada");
    await git("config", "user.email", "ada@example.com");
    await git("remote", "add", "origin", remote);
    writeFileSync(join(workspace().cwd, "index.ts"), "1");
    await git("add", "index.ts");
    await git("commit", "--quiet", "--message", "One");
    await git("push", "--quiet", "origin", "main");
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("is a commit of main, also an older one, with any files that git does not track", async () => {
    writeFileSync(join(workspace().cwd, "Pulumi.prod-canary.yaml"), "");
    await assertCheckout(workspace());
    await git("commit", "--quiet", "--allow-empty", "--message", "Two");
    await git("push", "--quiet", "origin", "main");
    await git("checkout", "--quiet", "HEAD^");
    await assertCheckout(workspace());
  });

  it("is never a commit of a branch, nor a commit of main that is not pushed", async () => {
    await git("commit", "--quiet", "--allow-empty", "--message", "Not pushed");
    await assert.rejects(
      assertCheckout(workspace()),
      /not on the remote's main.*\nNothing was changed/,
    );
  });

  it("has no uncommitted changes", async () => {
    writeFileSync(join(workspace().cwd, "index.ts"), "2");
    await assert.rejects(assertCheckout(workspace()), /Uncommitted changes .*: index\.ts\./);
  });

  it("has a remote to be compared with", async () => {
    await git("remote", "remove", "origin");
    await assert.rejects(assertCheckout(workspace()), /not known to be on the remote's main/);
  });
});
