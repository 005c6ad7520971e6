import assert from "node:assert/strict";
import { apply, kubectl, npmRun, succeeded } from "./support/commands";
import { isRunning } from "../../sandbox/sandbox";
import { goldens, type Manifest, objectsOf, podOf } from "./support/goldens";

const namespace = `manifests-${String(process.pid)}`;
/**
 * Namespace for the pods, with the ServiceAccounts that pods need. These ServiceAccounts cannot be
 * in `namespace`, because some golden manifests create ServiceAccounts with the same names there.
 */
const namespaceOfPods = `${namespace}-pods`;

/**
 * Creates an object in dry-run mode: the API server checks the object and does not store it. Fails
 * if the API server refuses the object or prints a warning.
 */
async function dryRun(object: Manifest): Promise<void> {
  const into = object.kind === "Pod" ? namespaceOfPods : namespace;
  const own = { ...object, metadata: { ...object.metadata, namespace: into } };
  await kubectl(
    ["create", "--dry-run=server", "--validate=strict", "--warnings-as-errors", "-f", "-"],
    JSON.stringify(object.kind === "Namespace" ? object : own),
  );
}

/**
 * Returns the first pod of the golden manifest `web-service`, after `change` has made the pod
 * invalid.
 */
function spoilt(change: (pod: Manifest) => void): Manifest {
  const pod: Manifest = objectsOf("web-service").map(podOf).find(Boolean);
  change(pod);
  return pod;
}

describe("golden manifests in a namespace that enforces Pod Security restricted", () => {
  before(async () => {
    if (!isRunning()) succeeded(await npmRun(["sandbox", "up"]));
    const restricted = Object.fromEntries(
      ["enforce", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]),
    );
    // The API server refuses a pod whose ServiceAccount does not exist. The API server does not
    // check the other objects that a pod refers to.
    const accounts = new Set(
      goldens
        .flatMap((golden) => objectsOf(golden).map(podOf).filter(Boolean))
        .map(({ spec }) => String(spec.serviceAccountName ?? "default")),
    );
    await apply(
      ...[namespace, namespaceOfPods].map((name) => ({
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { labels: restricted, name },
      })),
      ...[...accounts].map((name) => ({
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name, namespace: namespaceOfPods },
      })),
    );
  });
  after(async () => {
    const both = [namespace, namespaceOfPods];
    await kubectl(["delete", "namespace", ...both, "--ignore-not-found", "--wait=false"]);
  });

  for (const golden of goldens) {
    it(`${golden}: the API server takes every object, without a warning`, async () => {
      const objects = objectsOf(golden);
      assert.ok(objects.length > 0);
      for (const object of objects) await dryRun(object);
    });

    const pods = objectsOf(golden).map(podOf).filter(Boolean);
    if (pods.length === 0) continue;
    it(`${golden}: Pod Security admits its pods, which it would not say of what makes them`, async () => {
      for (const pod of pods) await dryRun(pod);
    });
  }

  it("a pod that may run as root is refused", async () => {
    const pod = spoilt(({ spec }) => delete spec.securityContext.runAsNonRoot);
    await assert.rejects(dryRun(pod), /violates PodSecurity "restricted:latest": runAsNonRoot/);
  });

  it("a field that does not exist is refused", async () => {
    const pod = spoilt(({ spec }) => (spec.containers[0].imagePullPolizei = "Never"));
    await assert.rejects(dryRun(pod), /unknown field "spec\.containers\[0\]\.imagePullPolizei"/);
  });

  it("a warning is a refusal", async () => {
    const pod = spoilt(({ spec }) => spec.containers[0].env.push(spec.containers[0].env[0]));
    await assert.rejects(dryRun(pod), /hides previous definition/);
  });
});
