import assert from "node:assert/strict";
import { assertNamespaceNotShared } from "../../../operations/deploy/foreign-objects";
import { CommandError, command } from "../../../lib/command";
import { labels } from "../../../components/conventions/labels";
import { reviewTarget } from "../support/programs";

const { settings } = reviewTarget({ cwd: ".", env: {} });
const ours = labels(settings.identity, "web");

interface Found {
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

const object = (kind: string, name: string, more: object = {}): Found => ({
  kind,
  metadata: { name, namespace: settings.namespace, ...more },
});

const helm = {
  managedFields: [
    { manager: "kubelet", operation: "Update", time: "2026-02-02T00:00:00Z" },
    { manager: "helm", operation: "Update", time: "2026-01-01T00:00:00Z" },
  ],
};

/**
 * Checks a namespace that contains these objects, and returns how often the check called kubectl.
 */
async function check(items: readonly Found[], clusterUid?: string): Promise<number> {
  let asked = 0;
  await assertNamespaceNotShared({
    cluster: {
      kubectl: async () => {
        asked += 1;
        return Promise.resolve(JSON.stringify({ items }));
      },
      uid: "here",
    },
    last: { outputs: clusterUid === undefined ? {} : { clusterUid }, tags: {} },
    settings,
  });
  return asked;
}

describe("the namespace of a stack that was never updated", () => {
  it("may hold what Kubernetes puts there, what is ours, and what belongs to another object", async () => {
    await check([]);
    await check([
      object("ConfigMap", "kube-root-ca.crt"),
      object("ServiceAccount", "default"),
      object("Deployment", "services-orders", { labels: ours }),
      object("Pod", "theirs-1", { ownerReferences: [{ kind: "ReplicaSet", name: "theirs" }] }),
    ]);
  });

  it("is refused with an object of someone else, by its name and the tool that made it", async () => {
    await assert.rejects(check([object("Deployment", "billing", helm)]), {
      message: [
        `These objects in namespace "${settings.namespace}" do not belong to this stack, and a removal of the stack would delete them:`,
        `  Deployment billing in ${settings.namespace}: made by helm`,
        'Nothing was changed: remove these objects, or choose another namespace with the setting "namespace".',
      ].join("\n"),
    });
  });

  for (const label of [
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/part-of",
  ]) {
    it(`is refused with an object whose label ${label} is another one`, async () => {
      await assert.rejects(
        check([object("Service", "near", { labels: { ...ours, [label]: "other" } })]),
        /Service near/,
      );
    });
  }

  it("names at most ten objects", async () => {
    const many = Array.from({ length: 13 }, (_, n) => object("Secret", `token-${String(n)}`));
    await assert.rejects(check(many), (error: Error) => {
      assert.match(error.message, /Secret token-9 .*\n {2}and 3 more\n/);
      assert.doesNotMatch(error.message, /token-10/);
      return true;
    });
  });

  it("is accepted while the role has no rights in it: its first update gives them", async () => {
    const failing = (output: string) => ({
      cluster: {
        kubectl: async () => command("sh", ["-c", 'echo "$0" >&2; exit 1', output]),
        uid: "here",
      },
      last: undefined,
      settings,
    });
    await assertNamespaceNotShared(failing("Error from server (Forbidden): secrets is forbidden"));
    await assert.rejects(assertNamespaceNotShared(failing("Unable to connect")), CommandError);
  });

  it("is not read again after an update that succeeded", async () => {
    assert.equal(await check([], undefined), 1);
    assert.equal(await check([object("Deployment", "billing")], "here"), 0);
  });
});
