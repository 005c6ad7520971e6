/** Kind of a migration. Older code still works after `expand`, but may fail after `contract`. */
type MigrationKind = "contract" | "expand";

/** What the first line of a migration's file declares. */
export interface Declaration {
  readonly kind: MigrationKind;
  /**
   * Whether the migration may take longer than the deadline of a rollout. A Job runs such a
   * migration before the rollout.
   */
  readonly long: boolean;
}

/** The allowed first lines of a migration, as text for a message. */
export const firstLines = '"-- expand", "-- contract", "-- expand, long" or "-- contract, long"';

/**
 * Reads the declaration in the first line of a migration. The line may continue with a colon and a
 * text, such as `-- expand: a nullable column`. Undefined if the line does not have this form.
 */
export function declarationOf(sql: string): Declaration | undefined {
  const found = /^-- (contract|expand)(, long)?(?::[^\n]*)?[ \r]*(?:\n|$)/.exec(sql);
  if (found === null) return undefined;
  return { kind: found[1] as MigrationKind, long: found[2] !== undefined };
}

/**
 * Returns the version of a migration from the file's name, such as 12 for `V12__name.sql`.
 * Undefined if the name does not have this form.
 */
export function versionOf(file: string): number | undefined {
  const version = /^V([1-9][0-9]*)__[a-z0-9_]+\.sql$/.exec(file)?.[1];
  return version === undefined ? undefined : Number(version);
}

/**
 * Returns the highest version among the migrations that are declared as long. Undefined if no
 * migration is long.
 *
 * @param migrations map from the name of each migration's file to its text, or to its first line
 */
export function newestLong(migrations: ReadonlyMap<string, string>): string | undefined {
  const versions = [...migrations].flatMap(([file, sql]) => {
    const version = versionOf(file);
    return version !== undefined && declarationOf(sql)?.long === true ? [version] : [];
  });
  return versions.length === 0 ? undefined : String(Math.max(...versions));
}

/** Returns the name of the Job that runs a long migration. */
export function migrationJobName(service: string, version: string): string {
  return `${service}-migrate-v${version}`;
}

/** Returns the version that a Job migrates to, from the Job's name. Undefined for other Jobs. */
export function versionOfJob(name: string): string | undefined {
  return /-migrate-v([1-9][0-9]*)$/.exec(name)?.[1];
}
