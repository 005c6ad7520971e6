import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RunError } from "@pulumi/pulumi";
import { readCluster } from "../../program/cluster";

/** A stand-in for kubectl. The stand-in prints what the real kubectl prints. */
const script = `#!/bin/sh
case "$*" in
  *"config view"*) printf 'https://127.0.0.1:6443' ;;
  *namespaces/kube-system*) [ "$MODE" = down ] && { echo 'E1122 noise' >&2; echo 'The connection to the server was refused' >&2; exit 1; }
    [ "$MODE" = anonymous ] && { printf 'Please enter Username: '; read -r name || echo 'error: EOF' >&2; exit 1; }
    [ "$MODE" = slow ] && exec sleep 30
    [ "$MODE" = other ] && { echo 'Error from server (NotFound): the server could not find it' >&2; exit 1; }
    [ "$MODE" = cold ] && case "$*" in *--request-timeout=20s*) ;; *) exit 1;; esac
    echo '{"metadata":{"uid":"uid-1"}}' ;;
  *namespaces/ours*) echo '{"metadata":{"uid":"u","labels":{"a":"b"},"deletionTimestamp":"2026-01-01T00:00:00Z"}}' ;;
  *) echo 'Error from server (NotFound): namespaces not found' >&2; exit 1 ;;
esac
`;

describe("readCluster", () => {
  const path = process.env["PATH"];
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kubectl-"));
    writeFileSync(join(directory, "kubectl"), script);
    chmodSync(join(directory, "kubectl"), 0o755);
    process.env["PATH"] = `${directory}:${String(path)}`;
    delete process.env["MODE"];
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
    process.env["PATH"] = path;
    delete process.env["MODE"];
  });

  const failure = async (): Promise<string> => {
    try {
      await readCluster({ context: "c", namespace: "none" });
      return "";
    } catch (error) {
      assert.ok(RunError.isInstance(error));
      return error.message;
    }
  };

  it("finds the cluster's UID, and no namespace when there is none", async () => {
    const facts = await readCluster({ context: undefined, namespace: "none" });
    assert.deepEqual(facts, { clusterUid: "uid-1", namespace: undefined });
  });

  it("finds the namespace's labels, and whether it is being deleted", async () => {
    const { namespace } = await readCluster({ context: undefined, namespace: "ours" });
    assert.deepEqual(namespace, { labels: { a: "b" }, terminating: true });
  });

  it("says that the kubeconfig has no credentials, and does not wait for a user name", async () => {
    process.env["MODE"] = "anonymous";
    assert.match(
      await failure(),
      /cannot be read: kubectl asks for a user name, because .*\. Check/,
    );
  });

  it("names the address and kubectl's last line when the cluster cannot be reached", async () => {
    process.env["MODE"] = "down";
    assert.equal(
      await failure(),
      "The cluster at https://127.0.0.1:6443 cannot be read: The connection to the server was refused. Check the kubeconfig and its context, and that the cluster runs.",
    );
  });

  it("gives up after 20 s", async () => {
    process.env["MODE"] = "slow";
    assert.match(await failure(), /cannot be read: no answer within 20 s/);
  }).timeout(60_000);

  it("has more patience on EKS, where the AWS CLI first gets a token", async () => {
    process.env["MODE"] = "cold";
    const facts = await readCluster({ context: undefined, kubeconfig: "{}", namespace: "none" });
    assert.equal(facts.clusterUid, "uid-1");
  });

  it("says that something other than Kubernetes answers", async () => {
    process.env["MODE"] = "other";
    assert.equal(
      await failure(),
      "The cluster at https://127.0.0.1:6443 has no namespace kube-system, so something other than Kubernetes answers there. Check the kubeconfig and its context.",
    );
  });

  it("says so when there is no kubectl", async () => {
    process.env["PATH"] = join(directory, "empty");
    assert.equal(
      await failure(),
      "kubectl is not on the PATH: install kubectl, because the program reads the cluster with it.",
    );
  });
});
