import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { modules } from "../../sandbox/install/go-build";

/**
 * Programs that need old versions of shared modules. The test ignores these programs. These
 * programs have few packages, so the compilation of a second version of these packages takes little
 * time.
 */
const old = [
  // kube-score does not compile with k8s.io/apimachinery 0.34. Only a test uses kube-score.
  "kube-score",
  // Helm requires old versions of containerd and of other modules. Only a benchmark uses Helm.
  "helm",
  // versitygw requires newer versions of other modules. Only a benchmark uses versitygw.
  "versitygw",
  // The language host requires an old version of Pulumi's SDK. This SDK requires old versions of
  // other modules.
  "language-host",
];

/**
 * Returns the version of each Go module that a go.mod requires. If the go.mod replaces the version
 * of a module, returns the new version.
 */
function versionsIn(text: string): ReadonlyMap<string, string> {
  const required = [...text.matchAll(/^(?:require )?\s*([\w./~-]+) (v\S+)(?: \/\/ indirect)?$/gm)];
  const replaced = new Map(
    [...text.matchAll(/^(?:replace )?\s*([\w./~-]+)(?: v\S+)? => \S+ (v\S+)$/gm)].map(
      ([, module = "", version = ""]) => [module, version],
    ),
  );
  return new Map(
    required.map(([, module = "", version = ""]) => [module, replaced.get(module) ?? version]),
  );
}

describe("the Go modules of the sandbox", () => {
  it("have one version of each shared module, so that Go compiles its packages once", () => {
    const parts = readdirSync(modules).filter((part) => !old.includes(part));
    const found = new Map<string, Map<string, readonly string[]>>();
    for (const part of parts) {
      const text = readFileSync(join(modules, part, "go.mod"), "utf8");
      for (const [module, version] of versionsIn(text)) {
        const versions = found.get(module) ?? new Map<string, readonly string[]>();
        versions.set(version, [...(versions.get(version) ?? []), part]);
        found.set(module, versions);
      }
    }
    assert.ok((found.get("k8s.io/client-go")?.get("v0.34.4")?.length ?? 0) >= 6);
    const different = [...found]
      .filter(([, versions]) => versions.size > 1)
      .map(([module, versions]) => {
        const each = [...versions].map(([version, of]) => `${version} (${of.join(", ")})`);
        return `${module}: ${each.join(", ")}`;
      });
    assert.deepEqual(different, []);
  });
});
