import { changedFiles, fileAt } from "../clients/git";
import type { Workspace } from "../pulumi/run-pulumi";

/** Directory of the service's database migrations. */
export const migrationsDirectory = "service/src/main/resources/db/migration";

/** Kind of a migration. Older code still runs after `expand`, but not after `contract`. */
type MigrationKind = "contract" | "expand";

/**
 * Reads a migration's kind from the first line of its file. Undefined if the line does not declare
 * a kind.
 */
export function kindOf(sql: string): MigrationKind | undefined {
  return /^-- (contract|expand)\b/.exec(sql)?.[1] as MigrationKind | undefined;
}

/**
 * Lists the migrations that prevent a return from the newer to the older commit, each with the
 * reason.
 */
export async function contractions(
  older: string,
  newer: string,
  workspace: Workspace,
): Promise<readonly string[]> {
  const files = (await changedFiles(older, newer, migrationsDirectory, workspace)) ?? [];
  const found = await Promise.all(
    files.map(async (file) => {
      // Skips other files, such as V2__index.sql.conf, which tells Flyway how to run V2__index.sql.
      if (!file.endsWith(".sql")) return [];
      const kind = kindOf((await fileAt(newer, file, workspace)) ?? "");
      if (kind === "expand") return [];
      const why =
        kind === "contract"
          ? "takes away what older code uses"
          : "does not say in its first line whether it expands or contracts";
      return [`${file} ${why}`];
    }),
  );
  return found.flat();
}
