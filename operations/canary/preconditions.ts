import { mainBranch } from "../../components/conventions/ci-roles";
import type { RunningCanary } from "../stacks/running-canary";

/** Facts about a branch that may become a canary. */
export interface CanaryFacts {
  readonly branch: string;
  /**
   * Commit from which the image is built. Undefined if `--image` is given without a full hash in
   * `--commit`.
   */
  readonly commit: string | undefined;
  /** Whether production's commit is in the branch's history. Undefined if git fails. */
  readonly containsProduction: boolean | undefined;
  /** Why production has a hold, and how to end the hold. Undefined if production has no hold. */
  readonly hold: string | undefined;
  /**
   * Database migrations that differ between production's commit and the image's commit. Undefined
   * if git fails.
   */
  readonly migrations: readonly string[] | undefined;
  readonly productionCommit: string | undefined;
  /** Whether production is deployed. */
  readonly productionRuns: boolean;
  readonly running: Pick<RunningCanary, "branch" | "started"> | undefined;
}

/**
 * The reason why a branch must not become a canary, and what to do. Undefined if the branch may
 * become a canary.
 */
export function validateCanary(candidate: CanaryFacts): string | undefined {
  const { branch, commit, containsProduction, migrations, productionCommit } = candidate;
  const { hold, productionRuns, running } = candidate;
  if (hold !== undefined) return hold;
  // If an earlier command could not complete the start of a canary of this branch, this command may
  // continue that start.
  if (running !== undefined && (running.started || running.branch !== branch)) {
    return `A canary of "${running.branch}" is already running. Stop it first: npm run canary -- stop`;
  }
  if (productionCommit === undefined) {
    return productionRuns
      ? "Production does not say which commit it runs: promote its image again, with --image, --reason and --commit, and deploy it."
      : "Production runs nothing yet. Deploy it first: npm run deploy -- prod";
  }
  if (commit === undefined) {
    return "--image needs --commit, the 40 hex digits of the commit that the image was built from.";
  }
  if (containsProduction === undefined || migrations === undefined) {
    return `Git does not know ${commit.slice(0, 7)} or ${productionCommit.slice(0, 7)} here: run git fetch, and try again.`;
  }
  if (!containsProduction) {
    return (
      `Branch "${branch}" does not contain the commit that production runs (${productionCommit.slice(0, 7)}), ` +
      "so the canary would answer requests with older code. " +
      "Merge main into the branch, and push it."
    );
  }
  if (migrations.length > 0) {
    return (
      `Branch "${branch}" has database migrations that production does not have: ${migrations.join(", ")}. ` +
      "A canary never migrates the database: release the migrations to production first, " +
      "in a form that works with production's current code."
    );
  }
  return undefined;
}

/** Facts about the commit from which the image of a canary is built. */
export interface BuildFacts {
  readonly branch: string;
  readonly commit: string;
  /**
   * Files that determine how to build the image, and that differ between main's checkout and the
   * commit. Undefined if git fails.
   */
  readonly otherBuildFiles: readonly string[] | undefined;
  /**
   * Symbolic links and submodules in the directory of the service's code. Undefined if git fails.
   */
  readonly unusualFiles: readonly string[] | undefined;
  /**
   * Newest commit of the branch at the remote. Undefined if the remote does not have the branch.
   */
  readonly tip: string | undefined;
}

/**
 * The reason why a command must not build the image of a commit, and what to do. Undefined if the
 * command may build the image. The build only compiles and copies files of the branch. None of
 * these files may determine which programs the build runs.
 */
export function validateBuild(facts: BuildFacts): string | undefined {
  const { branch, commit, otherBuildFiles, tip, unusualFiles } = facts;
  if (tip === undefined) return `Branch "${branch}" is not at the remote: push it.`;
  if (commit !== tip) {
    return (
      `${commit} is not the newest commit of branch "${branch}" at the remote: the newest one is ${tip}. ` +
      "Start again with the newest commit, so that everyone looks at the same code."
    );
  }
  if (otherBuildFiles === undefined || unusualFiles === undefined) {
    return `Git does not know ${commit.slice(0, 7)} here: run git fetch, and try again.`;
  }
  if (otherBuildFiles.length > 0) {
    return (
      `Branch "${branch}" has build files that differ from ${mainBranch}: ${otherBuildFiles.join(", ")}. ` +
      `A canary is built with ${mainBranch}'s files, because these files decide ` +
      "which programs the build runs. " +
      `Merge ${mainBranch} into the branch, ` +
      `or merge the changes of these files to ${mainBranch} first.`
    );
  }
  if (unusualFiles.length > 0) {
    return (
      `Branch "${branch}" has symbolic links or submodules in its code: ${unusualFiles.join(", ")}. ` +
      "A link could copy a file of the build machine into the image. Replace them with files."
    );
  }
  return undefined;
}

/** Facts about the checkout. A canary uses the program and the settings of the checkout. */
export interface CheckoutFacts {
  /**
   * Whether the checked-out commit is in the history of the remote's `main`. Undefined if git
   * fails.
   */
  readonly onMain: boolean | undefined;
  /** Tracked files with uncommitted changes. Undefined if git fails. */
  readonly uncommitted: readonly string[] | undefined;
}

/**
 * The reasons why a canary must not start from this checkout, and what to do for each reason. Empty
 * if a canary may start.
 */
export function validateCheckout({ onMain, uncommitted }: CheckoutFacts): readonly string[] {
  const files = uncommitted ?? [];
  return [
    ...(onMain === true && uncommitted !== undefined
      ? []
      : [
          `The checked-out commit is ${onMain === false ? "not" : "not known to be"} on the remote's ${mainBranch}. ` +
            `A canary uses the program and the settings of ${mainBranch}: git checkout ${mainBranch} && git pull`,
        ]),
    ...(files.length === 0
      ? []
      : [
          `Uncommitted changes would go to production: ${files.join(", ")}. ` +
            `Merge them to ${mainBranch} first (for example the key that Pulumi writes into ` +
            "a stack settings file), or put them aside: git stash",
        ]),
  ];
}
