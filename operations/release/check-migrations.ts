import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { mainBranch } from "../../components/conventions/ci-roles";
import {
  declarationOf,
  firstLines,
  versionOf,
} from "../../components/conventions/migrations/declaration";
import { migrationsDirectory } from "../../config/service";
import { UserError } from "../../lib/errors";
import { project } from "../../lib/project";
import { filesAt, remoteTip } from "../clients/git";
import { defaultWorkspace } from "../pulumi/run-pulumi";

/**
 * Returns the issues in migrations. Because of such an issue, Flyway or a rollback would fail
 * later, when the migrations are already on `main`.
 *
 * @param here text of each migration in the working directory, by the name of the file
 * @param onMain names of the files in the directory of migrations on `main` of the Git remote
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
    if (version > 1 && declarationOf(sql) === undefined) {
      const [first = ""] = sql.split("\n", 1);
      issues.push(`${file} must begin with the line ${firstLines}, got ${JSON.stringify(first)}`);
    }
    if (!onMain.includes(file) && version <= newest) {
      issues.push(
        `${file} must have a version above ${String(newest)}, the newest version on ${mainBranch}: ` +
          `Flyway does not apply it to a database that has version ${String(newest)}. Rename the file.`,
      );
    }
    return issues;
  });
}

/**
 * Checks the migrations in the working directory. Also checks that new migrations have higher
 * versions than the migrations on `main` of the Git remote.
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
