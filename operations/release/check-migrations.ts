import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { mainBranch } from "../../components/conventions/ci-roles";
import { UserError } from "../../lib/errors";
import { project } from "../../lib/project";
import { filesAt, remoteTip } from "../clients/git";
import { defaultWorkspace } from "../pulumi/run-pulumi";
import { kindOf, migrationsDirectory } from "./migrations";

/**
 * Returns the version of a migration from the file's name, such as 12 for `V12__name.sql`.
 * Undefined if the name has another form.
 */
function versionOf(file: string): number | undefined {
  const version = /^V([1-9][0-9]*)__[a-z0-9_]+\.sql$/.exec(file)?.[1];
  return version === undefined ? undefined : Number(version);
}

/**
 * Finds the issues because of which Flyway or a rollback would fail later, when the change is
 * already on `main`.
 *
 * @param here text of each migration in the working directory, by the name of the file
 * @param onMain files in the directory of migrations at the remote's `main`
 */
export function migrationIssues(
  here: ReadonlyMap<string, string>,
  onMain: readonly string[],
): readonly string[] {
  const versions = new Map<number, string>();
  const newest = Math.max(0, ...onMain.map((file) => versionOf(file) ?? 0));
  return [...here].flatMap(([file, sql]) => {
    const version = versionOf(file);
    if (version === undefined) return [`${file} must have a name such as V12__note_of_order.sql`];
    const issues: string[] = [];
    const other = versions.get(version);
    if (other !== undefined) issues.push(`${file} has the same version as ${other}`);
    versions.set(version, file);
    if (version > 1 && kindOf(sql) === undefined) {
      issues.push(`${file} must begin with the line "-- expand" or "-- contract"`);
    }
    if (!onMain.includes(file) && version <= newest) {
      issues.push(
        `${file} must have a version above ${String(newest)}, which ${mainBranch} has: ` +
          `Flyway does not apply it where ${String(newest)} is applied. Rename it.`,
      );
    }
    return issues;
  });
}

/**
 * Checks the migrations of the working directory, also against the remote's `main`.
 *
 * @throws UserError with every issue.
 */
export async function checkMigrations(root: string = project): Promise<void> {
  const directory = join(root, migrationsDirectory);
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const here = names
    .filter((name) => name.endsWith(".sql"))
    .map((name) => [name, readFileSync(join(directory, name), "utf8")] as const);
  const workspace = { ...defaultWorkspace, cwd: root };
  const main = await remoteTip(mainBranch, workspace);
  const onMain = main === undefined ? [] : await filesAt(main, migrationsDirectory, workspace);
  const issues = migrationIssues(new Map(here), onMain ?? []);
  if (issues.length > 0) {
    throw new UserError(issues.map((issue) => `${migrationsDirectory}: ${issue}`).join("\n"));
  }
}
