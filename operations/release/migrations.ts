import { changedFiles, fileAt } from "../clients/git";
import type { Workspace } from "../pulumi/run-pulumi";

/** Where the service's database migrations are. */
export const migrationsDirectory = "service/src/main/resources/db/migration";

/** What a migration does to the code that runs on the schema before it. */
type MigrationKind = "contract" | "expand";

/** Declared in the file's first line. Undefined if it is not. */
export function kindOf(sql: string): MigrationKind | undefined {
  return /^-- (contract|expand)\b/.exec(sql)?.[1] as MigrationKind | undefined;
}

/** Migrations that older code does not run on, each with the reason. */
export async function contractions(
  older: string,
  newer: string,
  workspace: Workspace,
): Promise<readonly string[]> {
  const files = (await changedFiles(older, newer, migrationsDirectory, workspace)) ?? [];
  const found = await Promise.all(
    files.map(async (file) => {
      // Such as V2__index.sql.conf, which tells Flyway how to run V2__index.sql.
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
