import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(__dirname, "..", "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

interface Definition {
  readonly customizations: { readonly vscode: { readonly extensions: readonly string[] } };
  readonly features: Readonly<Record<string, { readonly version?: string }>>;
  readonly image: string;
  readonly postCreateCommand: string;
}

describe("the development container", () => {
  const definition = JSON.parse(read(".devcontainer/devcontainer.json")) as Definition;
  const feature = (name: string): string | undefined => {
    const found = Object.entries(definition.features).find(([id]) => id.includes(`/${name}:`));
    return found?.[1].version;
  };

  it("has an image with a digest, and features of exact versions", () => {
    assert.match(definition.image, /^[a-z./-]+:3\.\d+\.\d+-17-[a-z]+@sha256:[0-9a-f]{64}$/);
    for (const id of Object.keys(definition.features)) {
      assert.match(id, /^ghcr\.io\/devcontainers\/features\/[a-z-]+:\d+\.\d+\.\d+$/);
    }
  });

  it("has the versions of the project: Node.js, kubectl and Pulumi", () => {
    assert.equal(feature("node"), read(".nvmrc").trim());
    const [, kubernetes] = /kubernetes: "([\d.]+)"/.exec(read("sandbox/install/parts.ts")) ?? [];
    assert.equal(feature("kubectl-helm-minikube"), kubernetes);
    // The command reads the version in package.json, so the command contains no version.
    assert.match(definition.postCreateCommand, /dependencies\['@pulumi\/pulumi'\]/);
  });

  it("has the extensions that the project recommends", () => {
    const { recommendations } = JSON.parse(read(".vscode/extensions.json")) as {
      readonly recommendations: readonly string[];
    };
    assert.deepEqual(definition.customizations.vscode.extensions, recommendations);
  });
});
