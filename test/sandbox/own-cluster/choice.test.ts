import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  absoluteKubeconfig,
  assertNotOwn,
  forgetOwnCluster,
  isKnown,
  ownCluster,
  saveOwnCluster,
  stateOf,
  type OwnCluster,
} from "../../../sandbox/own-cluster/choice";
import { ownEnvironment } from "../../../sandbox/own-cluster/environment";

const mine: OwnCluster = {
  context: "kind-mine",
  kubeconfig: "/home/ada/.kube/config",
  platforms: ["linux/arm64"],
  registry: "localhost:5001",
  server: "https://127.0.0.1:41234",
  uid: "00000000-0000-0000-0000-000000000001",
};

describe("the cluster that a developer has chosen", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-own-"));
  });
  afterEach(() => {
    rmSync(directory, { force: true, recursive: true });
  });

  it("does not exist in a new clone", () => {
    assert.equal(ownCluster(directory), undefined);
    assert.equal(isKnown(mine, directory), false);
    assertNotOwn(directory);
  });

  it("is remembered until the developer chooses the sandbox, and its state stays", () => {
    saveOwnCluster(mine, directory);
    assert.deepEqual(ownCluster(directory), mine);
    assert.throws(() => {
      assertNotOwn(directory);
    }, /^Error: stack local is in the cluster of context "kind-mine" at https:\/\/127\.0\.0\.1:41234, and not in the sandbox; to use the sandbox again: npm run up -- --sandbox$/);
    forgetOwnCluster(directory);
    assert.equal(ownCluster(directory), undefined);
    assert.equal(isKnown(mine, directory), true);
  });

  it("has a state that no other user can read, and that no other cluster gets", () => {
    saveOwnCluster(mine, directory);
    const other = { ...mine, uid: "00000000-0000-0000-0000-000000000002" };
    assert.notEqual(stateOf(other, directory), stateOf(mine, directory));
    assert.equal(isKnown(other, directory), false);
    assert.equal(statSync(stateOf(mine, directory)).mode & 0o077, 0);
    assert.equal(statSync(join(directory, "kubeconfig")).mode & 0o077, 0);
  });

  it("is chosen by a kubeconfig that has a context's name, and no key of the developer", () => {
    saveOwnCluster(mine, directory);
    const { KUBECONFIG = "" } = ownEnvironment(mine, directory);
    const [first = "", ...others] = KUBECONFIG.split(":");
    assert.deepEqual(others, [mine.kubeconfig]);
    assert.deepEqual(JSON.parse(readFileSync(first, "utf8")), {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "kind-mine",
    });
    assert.deepEqual(readdirSync(directory).sort(), ["choice.json", "kubeconfig", mine.uid].sort());
  });

  it("gives Pulumi a state in the clone and the only cluster that it may change, and nothing of the sandbox", () => {
    const { KUBECONFIG, ...variables } = ownEnvironment(mine, directory);
    assert.ok(KUBECONFIG);
    assert.deepEqual(variables, {
      PULUMI_BACKEND_URL: `file://${stateOf(mine, directory)}`,
      PULUMI_CONFIG_PASSPHRASE: "",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      SANDBOX_CLUSTER_UID: mine.uid,
      SANDBOX_DOMAIN: "localhost",
      SANDBOX_EKS_CLUSTER: "none",
      SANDBOX_INGRESS_PRESET: "none",
      SANDBOX_PLATFORMS: "linux/arm64",
      SANDBOX_REGISTRY: "localhost:5001",
      SANDBOX_SECRETS_PROVIDER: "passphrase",
      SANDBOX_TLS: "false",
      SANDBOX_WAIT_FOR_INGRESS: "false",
    });
  });

  it("builds for the builder's platform if the nodes are unknown, and sets the only IngressClass", () => {
    const unknown = ownEnvironment({ ...mine, ingressClass: "nginx", platforms: [] }, directory);
    assert.equal("SANDBOX_PLATFORMS" in unknown, false);
    assert.equal(unknown["SANDBOX_INGRESS_CLASS"], "nginx");
  });

  it("has absolute paths of the kubeconfig, without the file of the clone", () => {
    const given = (text: string) => absoluteKubeconfig(text, "/home/ada", directory);
    assert.equal(given(""), "/home/ada/.kube/config");
    assert.equal(given("/a:/b"), "/a:/b");
    assert.equal(given("mine"), join(process.cwd(), "mine"));
    assert.equal(given(`${join(directory, "kubeconfig")}:/a`), "/a");
  });
});
