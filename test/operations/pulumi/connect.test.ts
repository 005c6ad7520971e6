import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../../../operations/pulumi/connect";
import type { Workspace } from "../../../operations/pulumi/run-pulumi";

const ambientCluster = { context: undefined, eksCluster: undefined, environment: "local" } as const;
const system = '{"metadata":{"uid":"1234"}}';

describe("what every command asks first", function () {
  this.timeout(30_000);
  let bin: string;

  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), "services-orders-reach-"));
    program("pulumi", "echo '[]'");
    program(
      "kubectl",
      `case "$*" in *view*) printf https://cluster.example:6443;; *) echo '${system}';; esac`,
    );
  });
  afterEach(() => {
    rmSync(bin, { force: true, recursive: true });
  });

  function program(name: string, script: string): void {
    const file = join(bin, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }

  const workspace = (): Workspace => ({
    cwd: tmpdir(),
    env: { PATH: `${bin}:/usr/bin:/bin`, PULUMI_BACKEND_URL: "s3://state.example" },
  });

  it("gives the cluster's identity when both answer", async () => {
    assert.equal((await connect(ambientCluster, workspace())).cluster.uid, "1234");
  });

  it("gives the annotations of the cluster's namespace kube-system", async () => {
    const annotated = '{"metadata":{"annotations":{"a/b":"c"},"uid":"1234"}}';
    program("kubectl", `echo '${annotated}'`);
    assert.deepEqual((await connect(ambientCluster, workspace())).cluster.annotations, {
      "a/b": "c",
    });
  });

  it("refuses every cluster, except the cluster of the stack", async () => {
    assert.equal(
      (await connect({ ...ambientCluster, clusterUid: "1234" }, workspace())).cluster.uid,
      "1234",
    );
    await assert.rejects(
      connect({ ...ambientCluster, clusterUid: "5678" }, workspace()),
      /^Error: This stack belongs to the cluster 5678, but the cluster at https:\/\/cluster\.example:6443 is 1234\. Choose the right context, .* Nothing was changed\.$/,
    );
  });

  it("names the state that cannot be read, and why", async () => {
    program("pulumi", "echo 'error: no credentials.' >&2; exit 255");
    await assert.rejects(
      connect(ambientCluster, workspace()),
      /^Error: The state backend at s3:\/\/state\.example cannot be read: no credentials\. Check/,
    );
  });

  it("says where to look for the state if no variable names it", async () => {
    program("pulumi", "echo 'error: no credentials.' >&2; exit 255");
    await assert.rejects(
      connect(ambientCluster, { ...workspace(), env: { PATH: `${bin}:/usr/bin:/bin` } }),
      /^Error: The state backend of the login \("pulumi whoami --verbose" shows its address\) cannot be read: no credentials\. Check/,
    );
  });

  it("names the cluster that refuses, and why", async () => {
    program(
      "kubectl",
      'case "$*" in *view*) printf https://cluster.example:6443;; *) echo "Unable to connect" >&2; exit 1;; esac',
    );
    await assert.rejects(
      connect(ambientCluster, workspace()),
      /^Error: The cluster at https:\/\/cluster\.example:6443 cannot be read: Unable to connect\. Check/,
    );
  });

  it("gives up when no answer comes", async () => {
    const silent = 'trap "" TERM; exec sleep 60';
    program("pulumi", silent);
    program("kubectl", silent);
    await assert.rejects(connect(ambientCluster, workspace()), /cannot be read: no answer in time/);
  }).timeout(60_000);

  it("finds an EKS cluster by AWS' own command, and is known there as the program is", async () => {
    const made = "users: [{ name: arn, user: { exec: { command: aws } } }]";
    program("aws", `for last; do :; done; echo '${made}' > "$last"`);
    // This stand-in for kubectl answers only if the kubeconfig contains `CIRCLE_OIDC_TOKEN_V2`: the
    // name of the variable with the job's token.
    program(
      "kubectl",
      `for arg; do case "$arg" in --kubeconfig=*) grep -q CIRCLE_OIDC_TOKEN_V2 "\${arg#*=}" && echo '${system}' && exit 0;; esac; done; exit 1`,
    );
    const eksCluster = { name: "staging", region: "eu-central-1" };
    const review = { context: undefined, eksCluster, environment: "review" } as const;
    assert.equal((await connect(review, workspace())).cluster.uid, "1234");
    await assert.rejects(
      connect({ ...review, environment: "prod" }, workspace()),
      /cannot be read/,
    );
  });

  it("says that a program is missing", async () => {
    rmSync(join(bin, "pulumi"));
    await assert.rejects(connect(ambientCluster, workspace()), /not on the PATH/);
  });
});
