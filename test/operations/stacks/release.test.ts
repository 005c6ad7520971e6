import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { imageRefOf } from "../../../operations/deploy/built-image";
import { lastImage, promote, releaseTag, webImage } from "../../../operations/release/promote";
import { promoted, promotedTag, releaseEnv } from "../../../operations/stacks/release";
import { canaryConfig } from "../../../settings";
import { budgets } from "../../../components/conventions/names";

const digest = `sha256:${"a".repeat(64)}`;
const release = {
  branch: "main",
  commit: "0123456789".repeat(4),
  imageRef: `localhost:5000/services-orders@${digest}`,
};

describe("a release", () => {
  it("reaches the program as it was promoted", () => {
    const tags = { [promotedTag]: JSON.stringify({ ...release, reason: "revert of x'`$(id)`" }) };
    const found = promoted(tags);
    assert.deepEqual(found && releaseEnv(found), {
      RELEASE_BRANCH: "main",
      RELEASE_COMMIT: release.commit,
      RELEASE_IMAGE_REF: release.imageRef,
      RELEASE_REASON: "revert of x'`$(id)`",
    });
    assert.equal(promoted({}), undefined);
  });

  it("has a tag that names commit and digest, and that a registry accepts", () => {
    assert.equal(releaseTag(release), "release-0123456-aaaaaaaaaaaa");
    const dirty = releaseTag({ ...release, commit: `${release.commit}-dirty.abcdef0` });
    assert.equal(dirty, "release-0123456-dirty.abcdef0-aaaaaaaaaaaa");
    assert.ok(dirty.length <= budgets.ecrTag);
  });

  it("is read from the state by what the pods run, not by what was built", () => {
    const spec = { template: { spec: { containers: [{ image: release.imageRef }] } } };
    const resources = [
      { outputs: {}, type: "kubernetes:core/v1:Service", urn: "a" },
      { outputs: { spec }, type: "kubernetes:apps/v1:Deployment", urn: "b" },
    ];
    assert.equal(webImage({ resources }), release.imageRef);
    assert.equal(webImage({ resources: [] }), undefined);
  });

  it("is read from an encrypted state without its key", () => {
    const { imageRef } = release;
    const resources = [
      { outputs: { imageRef: "other" }, type: "kubernetes:core/v1:Service", urn: "a" },
      { outputs: { imageRef }, type: "pulumi:pulumi:Stack", urn: "b" },
    ];
    assert.equal(lastImage({ resources }), imageRef);
    assert.equal(lastImage({ resources: [] }), undefined);
  });

  it("names a built image by its digest, in a registry with a port too", () => {
    const built = {
      inputs: { tags: ["localhost:5000/services-orders:build-1"] },
      outputs: { digest },
      type: "docker-build:index:Image",
      urn: "a",
    };
    assert.equal(imageRefOf(built), release.imageRef);
    assert.equal(imageRefOf(undefined), undefined);
  });
});

describe("an image that is promoted by hand", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-promote-"));
    writeFileSync(join(directory, "pulumi"), '#!/bin/sh\necho "$*" >> calls; echo "[]"', {
      mode: 0o755,
    });
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  for (const [option, given, text] of [
    ["commit", "0123456", /^Error: --commit must be a commit of 40 hex digits.*got "0123456"/],
    ["branch", "a b", /^Error: --branch must be the name of a branch.*got "a b"/],
  ] as const) {
    it(`is refused with a ${option} that no deploy would take, before it is tagged`, async () => {
      const workspace = { cwd: directory, env: { PATH: `${directory}:/usr/bin:/bin` } };
      const options = { image: release.imageRef, reason: "a revert", [option]: given };
      await assert.rejects(promote(options, workspace), text);
      const calls = readFileSync(join(directory, "calls"), "utf8");
      assert.equal(calls, "stack ls --json --non-interactive\n");
    });
  }
});

describe("a canary's configuration", () => {
  it("is that of production, except for its image and its number of pods", () => {
    const production = {
      "services-orders:databaseHost": "db",
      "services-orders:imageRef": "a",
      "services-orders:releaseCommit": "b",
      "services-orders:replicas": "9",
    };
    assert.deepEqual(canaryConfig(production), { "services-orders:databaseHost": "db" });
  });
});
