import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promote } from "../../../operations/release/promote";
import { StandIn } from "../support/http-stand-in";

const digest = `sha256:${"a".repeat(64)}`;
const commit = "0123456789".repeat(4);

/**
 * A stand-in for Pulumi with the permissions of staging's IAM role. This role can list and export
 * every stack, but can decrypt only the state of staging. The role can also read the tags of every
 * stack, because tags are not encrypted.
 */
const script = `#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
  *"stack ls"*) echo '[{"name":"staging"},{"name":"prod"}]' ;;
  *"stack output --stack staging"*) cat "$STATES/outputs.json" ;;
  *"stack export --stack staging"*) cat "$STATES/staging.json" ;;
  *"stack export --stack prod"*) cat "$STATES/prod.json" ;;
  *"stack tag ls --stack prod"*) cat "$STATES/tags.json" ;;
  *) echo "error: AccessDeniedException: kms:Decrypt" >&2; exit 255 ;;
esac
`;

describe("a promotion in a pipeline", () => {
  let directory: string;
  let registry: StandIn;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-promote-"));
    registry = new StandIn(({ method, path }) => {
      if (method === "PUT") return { status: 201 };
      return { body: "{}", status: path.endsWith(digest) ? 200 : 404 };
    });
  });
  afterEach(async () => {
    await registry.stop();
    rmSync(directory, { recursive: true });
  });

  it("opens only the state of staging, and hands the release on", async () => {
    const host = (await registry.start()).slice("http://".length);
    const imageRef = `${host}/services-orders@${digest}`;
    const outputs = { branch: "main", commit, imageRef };
    const web = { template: { spec: { containers: [{ image: imageRef }] } } };
    const resources = [
      { outputs, type: "pulumi:pulumi:Stack", urn: "a" },
      { outputs: { spec: web }, type: "kubernetes:apps/v1:Deployment", urn: "b" },
    ];
    const files = {
      outputs,
      tags: {},
      prod: { deployment: { resources: [{ ...resources[0], outputs: { imageRef: "before" } }] } },
      staging: { deployment: { resources } },
    };
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(directory, `${name}.json`), JSON.stringify(content));
    writeFileSync(join(directory, "pulumi"), script, { mode: 0o755 });
    const env = {
      CALLS: join(directory, "calls"),
      PATH: `${directory}:${process.env["PATH"] ?? ""}`,
      STATES: directory,
    };
    const saveRelease = join(directory, "release.env");
    const deployed = join(directory, "deployed.json");
    writeFileSync(deployed, JSON.stringify({ commit, imageRef, stack: "staging" }));
    await promote({ deployed, saveRelease }, { cwd: directory, env });
    assert.match(readFileSync(saveRelease, "utf8"), new RegExp(`^export .*='${imageRef}'$`, "m"));
    assert.deepEqual(
      registry.asked.filter(({ method }) => method === "PUT").map(({ path }) => path),
      [`/v2/services-orders/manifests/release-0123456-${"a".repeat(12)}`],
    );
    assert.doesNotMatch(readFileSync(env.CALLS, "utf8"), /output --stack prod|tag set/);
  });

  it("stops where production is held, and tags no image", async () => {
    const hold = JSON.stringify({ by: "ada", reason: "it fails", since: "2026-11-24T14:02:00Z" });
    writeFileSync(join(directory, "tags.json"), JSON.stringify({ hold }));
    const outputs = { branch: "main", commit, imageRef: `registry/services-orders@${digest}` };
    writeFileSync(join(directory, "outputs.json"), JSON.stringify(outputs));
    const web = { template: { spec: { containers: [{ image: outputs.imageRef }] } } };
    const resources = [{ outputs: { spec: web }, type: "kubernetes:apps/v1:Deployment", urn: "b" }];
    writeFileSync(join(directory, "staging.json"), JSON.stringify({ deployment: { resources } }));
    writeFileSync(join(directory, "pulumi"), script, { mode: 0o755 });
    const PATH = `${directory}:${process.env["PATH"] ?? ""}`;
    const env = { CALLS: join(directory, "calls"), PATH, STATES: directory };
    await assert.rejects(promote({}, { cwd: directory, env }), /is held since .* by ada: it fails/);
    assert.deepEqual(registry.asked, []);
  });

  it("hands on no release without the report of a deploy to staging", async () => {
    const saveRelease = join(directory, "release.env");
    await assert.rejects(promote({ saveRelease }), /^Error: --save-release needs --deployed /);
    const outputs = { branch: "main", commit, imageRef: `registry/services-orders@${digest}` };
    writeFileSync(join(directory, "outputs.json"), JSON.stringify(outputs));
    writeFileSync(join(directory, "pulumi"), script, { mode: 0o755 });
    const PATH = `${directory}:${process.env["PATH"] ?? ""}`;
    const env = { CALLS: join(directory, "calls"), PATH, STATES: directory };
    const deployed = join(directory, "deployed.json");
    for (const report of ["", "{", JSON.stringify({ ...outputs, stack: "prod" })]) {
      writeFileSync(deployed, report);
      await assert.rejects(
        promote({ deployed, saveRelease }, { cwd: directory, env }),
        /deployed\.json does not say what was deployed to stack "staging": /,
      );
    }
    assert.ok(!existsSync(saveRelease));
    assert.deepEqual(registry.asked, []);
  });
});
