import assert from "node:assert/strict";
import { renameSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { builtFrom, contentHash } from "../../../components/conventions/content-hash";
import { Repository } from "../../support/fixtures";

describe("contentHash", () => {
  let files: Repository;
  let before: string;
  beforeEach(() => {
    files = new Repository();
    before = contentHash(files.root);
  });
  afterEach(() => {
    files.remove();
  });

  it("is 64 hex characters, and the same for the same files elsewhere", () => {
    const other = new Repository();
    assert.match(before, /^[0-9a-f]{64}$/);
    assert.equal(contentHash(other.root), before);
    other.remove();
  });

  it("does not change with times of files, what is built, tests or documents", () => {
    utimesSync(join(files.root, "service/pom.xml"), 1, 1);
    files.write("service/target/image/lib/a.jar", "x");
    files.write("service/src/test/java/Test.java", "x");
    files.write("service/README.md", "x");
    assert.equal(contentHash(files.root), before);
  });

  for (const path of [
    "service/Dockerfile",
    "service/pom.xml",
    "service/src/main/resources/new.sql",
  ]) {
    it(`changes with ${path}`, () => {
      files.write(path, "changed");
      assert.notEqual(contentHash(files.root), before);
    });
  }

  it("changes when a file is renamed, or a byte moves to the next file", () => {
    const main = join(files.root, "service/src/main/java");
    renameSync(join(main, "Main.java"), join(main, "Other.java"));
    const renamed = contentHash(files.root);
    assert.notEqual(renamed, before);
    files.write("service/src/main/java/A", "1");
    files.write("service/src/main/java/B", "23");
    const one = contentHash(files.root);
    files.write("service/src/main/java/A", "12");
    files.write("service/src/main/java/B", "3");
    assert.notEqual(contentHash(files.root), one);
  });
});

describe("builtFrom", () => {
  let files: Repository;
  beforeEach(() => {
    files = new Repository(false);
  });
  afterEach(() => {
    files.remove();
  });
  const image = (): string => join(files.root, "service/target/image");

  it("is the hash in the jar's name, so that no two jars with other content have one name", () => {
    files.build();
    assert.equal(builtFrom(image()), contentHash(files.root));
  });

  it("is undefined without a jar, with libraries only, and while Maven still writes the jar", () => {
    assert.equal(builtFrom(image()), undefined);
    files.write("service/target/image/lib/a.jar", "x");
    files.write("service/target/image/services-orders.jar", "x");
    assert.equal(builtFrom(image()), undefined);
  });
});
