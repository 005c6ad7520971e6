import { slugOf } from "../../environments";
import { mainBranch } from "../../components/conventions/ci-roles";
import { company } from "../../config/company";
import { hour, lifeLeft } from "../../lib/time";
import {
  type ReviewNamespace,
  expiryOf,
  namespaceOfStack,
  stackOfSlug,
} from "../stacks/review-namespace";
import type { ReviewState } from "../stacks/review-state";
import type { RunningCanary } from "../stacks/running-canary";

/** All facts that a sweep uses for its decisions. */
export interface Inventory {
  /**
   * Branches of the Git remote. Undefined if there is no remote, or if the remote did not answer.
   * In these cases, the sweep assumes that all branches exist.
   */
  readonly branches: ReadonlySet<string> | undefined;
  readonly canary: Canary | undefined;
  /** Namespaces in the cluster whose names have the prefix of review stacks. */
  readonly namespaces: readonly ReviewNamespace[];
  readonly now: Date;
  /**
   * Repository of the Git remote whose branches are in `branches`, such as
   * `github.com/acme/orders`.
   */
  readonly remote: string | undefined;
  /** Review stacks that have a state in the state backend. */
  readonly states: readonly ReviewState[];
}

/**
 * The running canary, and the UID of production's cluster. Review stacks may be in another cluster.
 */
export type Canary = Pick<RunningCanary, "branch" | "clusterUid" | "expires"> & {
  readonly cluster: string;
};

export interface Decision {
  readonly goes: boolean;
  readonly name: string;
  readonly what: "canary" | "namespace" | "stack";
  readonly why: string;
}

/**
 * Decides for the canary and for each review stack whether the sweep removes the stack, and why.
 * The facts about a review stack come from its namespace. If a review stack has a state but no
 * namespace, the only facts are the stack's name and the time of the last write to its state.
 */
export function decide(inventory: Inventory): readonly Decision[] {
  const { canary, namespaces, states } = inventory;
  const known = new Set(namespaces.map(({ name }) => name));
  return [
    ...(canary === undefined ? [] : [decideCanary(canary, inventory.now)]),
    ...namespaces.map((namespace) => decideNamespace(namespace, inventory)),
    ...states
      .filter(({ name }) => !known.has(namespaceOfStack(name)))
      .map((state) => decideState(state, inventory)),
  ];
}

/** Decides whether the sweep removes a review stack with a namespace. */
function decideNamespace(review: ReviewNamespace, inventory: Inventory): Decision {
  const { branch, isOurs, isTerminating, name, slug } = review;
  if (!isOurs || slug === undefined) {
    return { goes: false, name, what: "namespace", why: "has someone else's labels" };
  }
  const decision = { name: stackOfSlug(slug), what: "stack" } as const;
  if (isTerminating) return { ...decision, goes: true, why: "its removal has begun" };
  const { gone, why } = branchOf(branch, slug, review.remote, inventory);
  if (gone) return { ...decision, goes: true, why };
  const expires = expiryOf(review);
  const left = lifeLeft(expires, inventory.now);
  return expires <= inventory.now
    ? { ...decision, goes: true, why: left }
    : { ...decision, goes: false, why: `${why}, and the stack ${left}` };
}

/**
 * Decides whether the sweep removes a review stack that has a state but no namespace. Such a stack
 * exists if someone killed its removal, or if no deploy has created its namespace yet. If two
 * branches have the same slug, the stack's branch counts as gone only if both branches are gone.
 */
function decideState({ modified, name }: ReviewState, inventory: Inventory): Decision {
  const decision = { name, what: "stack" } as const;
  const { branches, now } = inventory;
  if (branches?.has(mainBranch) === true && ![...branches].some((one) => isStackOf(name, one))) {
    return { ...decision, goes: true, why: "has no namespace, and its branch is gone" };
  }
  const expires = new Date(modified.getTime() + company.reviewStacks.ttlHours * hour);
  const why = `has no namespace, and ${lifeLeft(expires, now)}`;
  return { ...decision, goes: expires <= now, why };
}

/**
 * Whether a branch is gone. If the answer is not certain, `gone` is false, and the stack stays
 * until it expires. The answer is not certain if the branch is unknown or does not have this slug.
 * The answer is also not certain if the remote did not answer or has no branch `main`, or if the
 * branch belongs to another repository, such as a fork.
 */
function branchOf(
  branch: string | undefined,
  slug: string,
  itsRemote: string | undefined,
  { branches, remote }: Inventory,
): { readonly gone: boolean; readonly why: string } {
  const there = (why: string) => ({ gone: false, why });
  if (branch === undefined) return there("its namespace names no branch");
  if (!isStackOf(stackOfSlug(slug), branch)) {
    return there(`its namespace names branch "${branch}", which is not the branch of this stack`);
  }
  if (branches === undefined) return there("the Git remote could not be read");
  if (branches.has(branch)) return there("its branch exists");
  if (!branches.has(mainBranch)) return there(`the remote does not have the branch ${mainBranch}`);
  if (itsRemote !== undefined && itsRemote !== remote) {
    return there(`its branch belongs to ${itsRemote}, which the sweep does not read`);
  }
  return { gone: true, why: `branch "${branch}" is gone` };
}

/** Decides whether the sweep removes the canary. */
export function decideCanary(canary: Canary, now: Date): Decision {
  const decision = { name: "prod-canary", what: "canary" } as const;
  const { branch, cluster, clusterUid, expires } = canary;
  if (clusterUid !== undefined && clusterUid !== cluster) {
    return { ...decision, goes: false, why: `is in another cluster (${clusterUid})` };
  }
  if (expires === undefined) {
    return {
      ...decision,
      goes: false,
      why: `runs branch "${branch}" and has no expiry: stop it with npm run canary -- stop`,
    };
  }
  return {
    ...decision,
    goes: expires <= now,
    why: `runs branch "${branch}" and ${lifeLeft(expires, now)}`,
  };
}

/** Whether a stack is the review stack of a branch. */
function isStackOf(stack: string, branch: string): boolean {
  try {
    return stack === stackOfSlug(slugOf(branch));
  } catch {
    // The branch cannot have a review stack, for example because its name is reserved.
    return false;
  }
}
