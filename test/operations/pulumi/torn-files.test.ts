import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTornFiles, stateDirectory } from "../../../operations/pulumi/torn-files";

describe("the files of a state that a killed Pulumi wrote", () => {
  let directory: string;
  const write = (file: string, text: string, secondsAgo = 0): void => {
    const path = join(directory, ".pulumi", file);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, text);
    const time = Date.now() / 1000 - secondsAgo;
    utimesSync(path, time, time);
  };
  const left = (): readonly string[] =>
    (readdirSync(join(directory, ".pulumi"), { recursive: true }) as string[])
      .filter((name) => /\.(yaml|json|attrs|tmp)$/.test(name))
      .sort();

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-torn-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("are removed when they are not whole", () => {
    write("meta.yaml", "version: 1");
    write("meta.yaml.attrs", "");
    write("stacks/services-orders/a.json", "{}");
    write("stacks/services-orders/a.json.attrs", "");
    write("stacks/services-orders/b.json", "{}");
    write("stacks/services-orders/b.json.attrs", '{"user.cache_cont');
    write("locks/organization/services-orders/a/one.json.18ab.tmp", "", 60);
    removeTornFiles(`file://${directory}?no_tmp_dir=true`);
    assert.deepEqual(left(), [
      "meta.yaml",
      "stacks/services-orders/a.json",
      "stacks/services-orders/b.json",
    ]);
  });

  it("stay when they are whole, or are being written", () => {
    const files = [
      "locks/organization/services-orders/a/one.json",
      "locks/organization/services-orders/a/two.json.18ab.tmp",
      "meta.yaml",
      "meta.yaml.attrs",
      "stacks/services-orders/a.json",
      "stacks/services-orders/a.json.attrs",
    ];
    for (const file of files) write(file, '{ "md5": "" }');
    removeTornFiles(`file://${directory}`);
    assert.deepEqual(left(), files);
  });

  it("are looked for in files only", () => {
    for (const url of [undefined, "s3://bucket", "file://~", "https://api.pulumi.com"]) {
      assert.equal(stateDirectory(url), undefined);
      removeTornFiles(url);
    }
    removeTornFiles(`file://${directory}`);
    assert.deepEqual(readdirSync(directory), []);
  });
});
