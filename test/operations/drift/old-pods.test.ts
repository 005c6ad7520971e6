import assert from "node:assert/strict";
import { command } from "../../../lib/command";
import { olderThanSecrets } from "../../../operations/drift/old-pods";

/** Output of kubectl: the name of each Secret, and the times of the changes to the Secret. */
const secrets = [
  "partner 2026-01-01T00:00:00Z 2026-01-01T00:00:00Z 2026-03-01T10:00:00Z",
  "database 2026-01-01T00:00:00Z",
].join("\n");

function pod(startTime: string, spec: object, phase = "Running"): object {
  return {
    metadata: { labels: { "app.kubernetes.io/component": "web" }, name: "orders-1" },
    spec: { containers: [], ...spec },
    status: { phase, startTime },
  };
}

const variable = { env: [{ valueFrom: { secretKeyRef: { key: "token", name: "partner" } } }] };
const before = "2026-02-01T00:00:00Z";
const after = "2026-03-01T10:00:01Z";

async function lines(...items: readonly object[]): Promise<readonly string[]> {
  return olderThanSecrets("orders", {
    kubectl: async ([, kind]) =>
      Promise.resolve(kind === "secrets" ? secrets : JSON.stringify({ items })),
  });
}

const line = (count: string): string =>
  `${count} of component web started before Secret partner was changed (2026-03-01 10:00 UTC), and may have the Secret's old values until kubectl rollout restart or the next release`;

describe("pods that are older than a Secret they use", () => {
  const uses: Readonly<Record<string, object>> = {
    "a variable": { containers: [variable] },
    "a variable of an init container": { initContainers: [variable] },
    "all its variables": { containers: [{ envFrom: [{ secretRef: { name: "partner" } }] }] },
    "a volume": { volumes: [{ secret: { secretName: "partner" } }] },
    "a projected volume": {
      volumes: [{ projected: { sources: [{}, { secret: { name: "partner" } }] } }],
    },
  };
  for (const [how, spec] of Object.entries(uses)) {
    it(`are found by ${how}`, async () => {
      assert.deepEqual(await lines(pod(before, spec)), [line("1 pod")]);
      assert.deepEqual(await lines(pod(after, spec)), []);
    });
  }

  it("are counted once each, also with two uses", async () => {
    const spec = { containers: [variable, variable], ...uses["a volume"] };
    assert.deepEqual(await lines(pod(before, spec), pod(before, spec)), [line("2 pods")]);
  });

  it("are not those that have ended, or that use a Secret which was never changed", async () => {
    const spec = { containers: [variable] };
    const volume = { volumes: [{ secret: { secretName: "database" } }, { emptyDir: {} }] };
    assert.deepEqual(await lines(pod(before, spec, "Succeeded"), pod(before, volume)), []);
  });

  it("are unknown to a role that may not read Secrets, and another error is an error", async () => {
    const failing = (text: string) => ({
      kubectl: async () => command("sh", ["-c", 'echo "$0" >&2; exit 1', text]),
    });
    const forbidden = failing("Error from server (Forbidden): secrets is forbidden");
    assert.deepEqual(await olderThanSecrets("orders", forbidden), []);
    await assert.rejects(olderThanSecrets("orders", failing("Unable to connect")));
  });
});
