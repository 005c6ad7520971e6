import { execFile } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { migrationJobName, newestLong } from "../components/conventions/migrations/declaration";
import { shortCommit } from "../components/conventions/names";
import type { LongMigration } from "../components/web-service/web-service";
import { migrationsDirectory } from "../config/service";
import type { Settings } from "../settings";
import { type JobReader, jobToReplace } from "./rollout/migration";

const run = promisify(execFile);

/**
 * Texts of migrations, by the name of the file. Each text contains at least the first line, which
 * shows whether the migration is long.
 */
type FirstLines = ReadonlyMap<string, string>;

/** Reads the migrations in the working directory. */
function inWorkingDirectory(): FirstLines {
  let files: readonly string[];
  try {
    files = readdirSync(migrationsDirectory);
  } catch {
    // A service without a database has no migrations.
    return new Map();
  }
  return new Map(
    files
      .filter((file) => file.endsWith(".sql"))
      .map((file) => [file, readFileSync(join(migrationsDirectory, file), "utf8")]),
  );
}

/** Reads the migrations of a commit. Undefined if git does not find the commit. */
async function atCommit(commit: string): Promise<FirstLines | undefined> {
  // The commit comes from the configuration or from a stack's outputs. This check ensures that git
  // does not treat the commit as an option.
  if (!/^[0-9a-f]{40}$/.test(commit)) return undefined;
  // For each line that matches, git prints <commit>:<path>:<number of the line>:<line>.
  const args = ["grep", "--line-number", "--full-name", "^-- ", commit, "--", migrationsDirectory];
  try {
    const { stdout } = await run("git", args);
    const lines = stdout.split("\n").map((line) => /^[^:]+:[^:]*\/([^:/]+):1:(.*)$/.exec(line));
    return new Map(lines.flatMap((found) => (found ? [[found[1] ?? "", found[2] ?? ""]] : [])));
  } catch (error) {
    // Exit code 1 means that git has found the commit, but no line that matches.
    return (error as { readonly code?: unknown }).code === 1 ? new Map() : undefined;
  }
}

/**
 * Returns the newest long migration of the release that the update deploys. Undefined if no
 * migration is long.
 *
 * The image may be older than the code that is checked out, because production keeps its release
 * until a person promotes another release. So if the settings name an image, this function reads
 * the migrations of the image's commit. If the image contains changes that are not in a commit,
 * this function reads the migrations in the working directory. If git does not find the image's
 * commit, no Job runs a long migration, and the init containers of the pods run all migrations.
 */
export async function longMigrationOf(
  { identity, imageRef, release }: Settings,
  reader: Pick<JobReader, "job" | "jobPods">,
): Promise<LongMigration | undefined> {
  const here = newestLong(inWorkingDirectory());
  const isHere = imageRef === undefined || release.commit.includes("-dirty.");
  const known = isHere ? undefined : await atCommit(release.commit);
  if (!isHere && known === undefined && here !== undefined) {
    await pulumi.log.warn(
      `git does not know commit ${shortCommit(release.commit)} of the image, so no Job runs a long ` +
        "migration before the rollout. Run git fetch --unshallow, and then this command again.",
    );
  }
  const version = isHere ? here : newestLong(known ?? new Map());
  if (version === undefined) return undefined;
  const name = migrationJobName(identity.service, version);
  return { retryOf: await jobToReplace(name, reader), version };
}
