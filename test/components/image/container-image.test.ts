import assert from "node:assert/strict";
import { join } from "node:path";
import { ContainerImage, type ContainerImageArgs } from "../../../components/image/container-image";
import { Repository, digest } from "../../support/fixtures";
import { type Recorder, builtDigest, record, settled, valueOf } from "../../support/mocks";

const type = "docker-build:index:Image";
const repository = "localhost:5000/services-orders";

describe("ContainerImage", () => {
  let files: Repository;
  beforeEach(() => {
    files = new Repository();
  });
  afterEach(() => {
    files.remove();
  });

  async function made(args: Partial<ContainerImageArgs> = {}) {
    const recorder = await record();
    const image = new ContainerImage("image", { repository, root: files.root, ...args });
    await settled();
    return { image, recorder };
  }
  const inputsOf = async (args: Partial<ContainerImageArgs> = {}) =>
    (await made(args)).recorder.one(type).inputs;
  const tagOf = async (args: Partial<ContainerImageArgs> = {}): Promise<string> => {
    const [tag] = (await inputsOf(args)).tags as [string];
    return tag;
  };

  it("sends the builder exactly these inputs", async () => {
    assert.deepEqual(await inputsOf(), {
      buildArgs: { SOURCE_DATE_EPOCH: "0" },
      buildOnPreview: false,
      context: { location: join(files.root, "service/target/image") },
      dockerfile: { location: join(files.root, "service/Dockerfile") },
      network: "default", // the SDK adds this default
      push: true,
      tags: [await tagOf()],
    });
  });

  it("is one image, a child of the component", async () => {
    const { recorder } = await made();
    assert.equal(recorder.custom().length, 1);
    assert.equal(recorder.one(type).parentage, `services:image:ContainerImage$${type}`);
  });

  it("is deployed by digest, without the tag", async () => {
    const { image } = await made();
    assert.equal(await valueOf(image.ref), `${repository}@${builtDigest}`);
  });

  it("stays in the registry when it leaves the state", async () => {
    assert.equal((await made()).recorder.one(type).retainOnDelete, true);
  });

  it("substitutes the stage base, and passes builder and platforms", async () => {
    const baseImageRef = `localhost:5000/base@${digest}`;
    const inputs = await inputsOf({ baseImageRef, builder: "b", platforms: ["linux/arm64"] });
    assert.deepEqual(inputs.context.named, {
      base: { location: `docker-image://${baseImageRef}` },
    });
    assert.deepEqual(inputs.builder, { name: "b" });
    assert.deepEqual(inputs.platforms, ["linux/arm64"]);
  });

  describe("has a tag", () => {
    it("of build- and a hash", async () => {
      assert.match(await tagOf(), /^localhost:5000\/services-orders:build-[0-9a-f]{40}$/);
    });

    it("that stays when nothing changes, nor the order of platforms", async () => {
      const one = await tagOf({ platforms: ["linux/amd64", "linux/arm64"] });
      assert.equal(await tagOf({ platforms: ["linux/arm64", "linux/amd64"] }), one);
    });

    it("that changes with code, base image and platforms", async () => {
      const tags = [await tagOf(), await tagOf({ platforms: ["linux/arm64"] })];
      tags.push(await tagOf({ baseImageRef: `localhost:5000/base@${digest}` }));
      files.write("service/src/main/java/Main.java", "class Main { int x; }");
      files.build();
      tags.push(await tagOf());
      assert.equal(new Set(tags).size, 4);
    });
  });

  describe("refuses, before any image is registered,", () => {
    async function message(args: Partial<ContainerImageArgs> = {}): Promise<string> {
      const recorder: Recorder = await record();
      let text = "";
      try {
        new ContainerImage("image", { repository, root: files.root, ...args });
      } catch (error) {
        text = (error as Error).message;
      }
      await settled();
      assert.equal(recorder.custom().length, 0);
      return text;
    }

    it("jars that are missing", async () => {
      files.remove();
      files = new Repository(false);
      assert.equal(
        await message(),
        'ContainerImage "image": service/target/image must hold the service\'s jars, got "nothing"; run "npm run build"',
      );
    });

    it("jars that were built from other code", async () => {
      files.write("service/pom.xml", "<project>changed</project>");
      assert.match(
        await message(),
        /^ContainerImage "image": service\/target\/image must be built from the current code \(content hash [0-9a-f]{7}\), got "content hash [0-9a-f]{7}"; run "npm run build"$/,
      );
    });

    it("a repository with a tag, a base image without digest, and other platforms, all at once", async () => {
      const platforms = ["linux/s390x"] as unknown as ContainerImageArgs["platforms"];
      const text = await message({ baseImageRef: "base:1", platforms, repository: "a/b:tag" });
      assert.deepEqual(text.split("\n"), [
        'ContainerImage "image": repository must be a registry and a path without tag or digest, got "a/b:tag"; write it as "registry/services-orders"',
        'ContainerImage "image": baseImageRef must be repository@sha256:<64 hex digits>, got "base:1"; name the image by its digest: a tag may be moved',
        'ContainerImage "image": platforms[0] must be linux/amd64 or linux/arm64, got "linux/s390x"; remove it',
      ]);
    });
  });
});
