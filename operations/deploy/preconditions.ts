import { type Environment, environments } from "../../environments";
import { clusterIssue } from "../doctor/record";

/** Facts about a stack before a deploy changes it. */
export interface DeployFacts {
  /**
   * For a review stack: whether the branch exists at the remote. Undefined if there is no remote.
   */
  readonly branchAtRemote: boolean | undefined;
  readonly branch: string;
  readonly cluster: string;
  readonly environment: Environment;
  /**
   * Image that the stack must run, but that the registry no longer has. Undefined if the registry
   * has the image, or if the stack builds its own image.
   */
  readonly goneImage: string | undefined;
  /**
   * The cluster's record about network policies. operations/doctor/record.ts defines the form of
   * the record. Undefined if the cluster has no record.
   */
  readonly networkPolicies: string | undefined;
  /**
   * For a review stack: whether the branch's pull request is open. Undefined if there is no pull
   * request, or if the state of the pull request is unknown.
   */
  readonly pullRequestOpen: boolean | undefined;
  /** UID of the cluster of the stack's last update. Undefined if the stack was never updated. */
  readonly lastCluster: string | undefined;
  /** Set if this deploy has an older image or an older program than the stack. */
  readonly downgrade: Downgrade | undefined;
  readonly stack: string;
  readonly allowOlder: boolean;
}

/** A deploy of older code: the commit `wanted` is in the history of the commit `running`. */
export interface Downgrade {
  readonly running: string;
  readonly what: "image" | "program";
  readonly wanted: string;
}

/** How to build an image again. The same code gives the same digest. */
export const again = "check out its commit, and run npm run image -- staging.";

/**
 * Returns the reasons why a deploy must not change a stack, and what to do in each case. Empty if
 * the deploy may change the stack.
 */
export function validateDeploy(facts: DeployFacts): readonly string[] {
  const { allowOlder, branch, branchAtRemote, cluster, environment, downgrade, lastCluster } =
    facts;
  const { goneImage, networkPolicies, pullRequestOpen, stack } = facts;
  const { perBranch } = environments[environment];
  const exposed = perBranch ? clusterIssue(networkPolicies) : undefined;
  return [
    ...(lastCluster !== undefined && lastCluster !== cluster
      ? [
          `Stack "${stack}" is in the cluster ${lastCluster}, but the kubeconfig points to ${cluster}: ` +
            "choose the right context.",
        ]
      : []),
    ...(exposed === undefined ? [] : [exposed]),
    ...(goneImage !== undefined
      ? [
          `The registry does not have ${goneImage} any more, so no new pod of stack "${stack}" could start. ` +
            `Choose another release, or build this image again: ${again}`,
        ]
      : []),
    ...(perBranch && branchAtRemote === false
      ? [
          `Branch "${branch}" is not at the remote: push it first. If it was merged or deleted, ` +
            "its review stack is not created again.",
        ]
      : []),
    ...(perBranch && pullRequestOpen === false
      ? [
          `The pull request of branch "${branch}" is merged or closed: its review stack is not created again. ` +
            "Reopen the pull request if someone closed it by mistake.",
        ]
      : []),
    ...(downgrade !== undefined && !allowOlder
      ? [
          `Stack "${stack}" already ${downgrade.what === "image" ? "runs code" : "has a deploy"} of ${downgrade.running.slice(0, 7)}, ` +
            `which is newer than ${downgrade.wanted.slice(0, 7)}. ` +
            `To deploy the older code: npm run ${perBranch ? `review -- up BRANCH` : `deploy -- ${stack}`} --allow-older`,
        ]
      : []),
  ];
}
