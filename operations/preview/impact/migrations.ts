import { versionOfJob } from "../../../components/conventions/migrations/declaration";
import type { Change } from "../changes/changes";

/** Returns a note for each long migration that the update will run in a Job before the rollout. */
export function migrationNotes(changes: readonly Change[]): readonly string[] {
  return changes
    .filter(({ kind, operation }) => kind === "Job" && ["create", "replace"].includes(operation))
    .flatMap(({ name, operation }) => {
      const version = versionOfJob(name);
      if (version === undefined) return [];
      const again = operation === "replace" ? " again" : "";
      return [`migration V${version} runs${again} as Job ${name} before the rollout`];
    });
}
