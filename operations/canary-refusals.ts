/** What is known about a branch that is to join production. */
export interface Candidate {
  readonly branch: string;
  /** Commit the image was built from; undefined when it is in no commit. */
  readonly commit: string | undefined;
  /** Whether production's commit is in the branch's history; undefined where git cannot say. */
  readonly containsProduction: boolean | undefined;
  readonly imageRef: string | undefined;
  /** Files of database migrations that differ from production's; undefined where git cannot say. */
  readonly migrations: readonly string[] | undefined;
  readonly productionCommit: string | undefined;
  /** Branch of the canary that runs already. */
  readonly running: string | undefined;
}

/** Why a branch must not join production, each with the way out; empty when it may. */
export function canaryRefusals(candidate: Candidate): readonly string[] {
  const { branch, commit, containsProduction, imageRef, migrations, productionCommit, running } =
    candidate;
  if (running !== undefined) {
    return [`A canary of "${running}" runs already: stop it first by npm run canary -- stop`];
  }
  if (imageRef === undefined) {
    return [
      `Branch "${branch}" has no image: deploy its review stack by npm run review -- up, or give one by --image and --commit.`,
    ];
  }
  if (productionCommit === undefined) {
    return ["Production names no commit that it runs: deploy it first by npm run deploy -- prod"];
  }
  if (commit === undefined) {
    return [
      `The image of "${branch}" was built from code that is in no commit: commit it, and update its review stack.`,
    ];
  }
  if (containsProduction === undefined || migrations === undefined) {
    return [
      `Git does not know ${commit.slice(0, 7)} or ${productionCommit.slice(0, 7)} here: run git fetch, and try again.`,
    ];
  }
  if (!containsProduction) {
    return [
      `Branch "${branch}" does not contain what production runs (${productionCommit.slice(0, 7)}): ` +
        "requests would meet older code. Merge main into it, and update its review stack.",
    ];
  }
  if (migrations.length > 0) {
    return [
      `Branch "${branch}" has database migrations that production has not: ${migrations.join(", ")}. ` +
        "A canary never migrates: release them to production first, in a way that its code can live with.",
    ];
  }
  return [];
}
