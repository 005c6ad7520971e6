import { declarationOf } from "../../components/conventions/migrations/declaration";
import { migrationsDirectory } from "../../config/service";
import { changedFiles, fileAt } from "../clients/git";
import type { Workspace } from "../pulumi/run-pulumi";

/**
 * Returns the migrations that prevent a rollback from the newer to the older commit, each with the
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
      // A file whose name does not end in `.sql` is not a migration. For example,
      // V2__index.sql.conf contains Flyway's settings for V2__index.sql.
      if (!file.endsWith(".sql")) return [];
      const kind = declarationOf((await fileAt(newer, file, workspace)) ?? "")?.kind;
      if (kind === "expand") return [];
      const why =
        kind === "contract"
          ? "removes what older code uses"
          : "does not say in its first line whether it expands or contracts";
      return [`${file} ${why}`];
    }),
  );
  return found.flat();
}
