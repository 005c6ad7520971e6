import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { migrationsDirectory } from "../../config/service";
import { longMigrationOf } from "../../program/long-migration";
import type { JobFacts } from "../../program/rollout/migration";
import type { Settings } from "../../settings";
import { Repository, identity, imageRef } from "../support/fixtures";
import { record } from "../support/mocks";
import { blocksOf } from "../support/recipes";

describe("the long migration of a release", () => {
  const home = process.cwd();
  let files: Repository;
  beforeEach(async () => {
    await record();
    files = new Repository();
    process.chdir(files.root);
  });
  afterEach(() => {
    process.chdir(home);
    files.remove();
  });

  const write = (file: string, sql: string): void => {
    files.write(`${migrationsDirectory}/${file}`, sql);
  };
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-c", "user.name=test", "-c", "user.email=test@localhost", ...args], {
      cwd: files.root,
      encoding: "utf8",
    }).trim();
  function committed(): string {
    git("init", "--quiet");
    git("add", ".");
    git("commit", "--quiet", "-m", "A change");
    return git("rev-parse", "HEAD");
  }
  const settings = (commit = "unknown", image?: string) =>
    ({ identity, imageRef: image, release: { branch: "main", commit } }) as Settings;
  const reader = {
    job: async (): Promise<JobFacts | undefined> => Promise.resolve(undefined),
    jobPods: async () => Promise.resolve({ failedMounts: [], pods: [], refused: undefined }),
  };

  it("does not exist without a declaration", async () => {
    write("V1__orders.sql", "CREATE TABLE orders ();");
    write("V2__note.sql", "-- expand\n");
    assert.equal(await longMigrationOf(settings(), reader), undefined);
  });

  it("is the one with the highest version, as a number", async () => {
    write("V9__a.sql", "-- expand, long\n");
    write("V10__b.sql", "-- contract, long: a column\n");
    write("V11__c.sql", "-- expand\n");
    assert.equal((await longMigrationOf(settings(), reader))?.version, "10");
  });

  it("is the one that the guide shows", async () => {
    const [recipe] = blocksOf("guide/migrations.md").filter(
      ({ heading, language }) => heading === "A migration of many minutes" && language === "sql",
    );
    write("V12__orders_by_note.sql", recipe?.text ?? "");
    assert.equal((await longMigrationOf(settings(), reader))?.version, "12");
  });

  it("is that of the image's commit, if the code that is checked out is newer", async () => {
    write("V2__a.sql", "-- expand, long\n");
    const commit = committed();
    write("V3__b.sql", "-- expand, long\n");
    assert.equal((await longMigrationOf(settings(commit, imageRef), reader))?.version, "2");
    assert.equal((await longMigrationOf(settings(), reader))?.version, "3");
  });

  it("does not exist if git does not know the image's commit", async () => {
    write("V2__a.sql", "-- expand, long\n");
    committed();
    const unknown = "0123456789".repeat(4);
    assert.equal(await longMigrationOf(settings(unknown, imageRef), reader), undefined);
  });

  it("runs again after a failure", async () => {
    write("V2__a.sql", "-- expand, long\n");
    const failed = { conditions: [{ status: "True", type: "Failed" }] };
    const job = async () =>
      Promise.resolve({ metadata: { name: "x", uid: "u1" }, spec: {}, status: failed });
    assert.equal((await longMigrationOf(settings(), { ...reader, job }))?.retryOf, "u1");
  });
});
