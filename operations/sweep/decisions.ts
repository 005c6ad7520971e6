import { environments, parseStack, slugOf } from "../../environments";
import { mainBranch, reviewAccess } from "../../components/conventions/ci-roles";
import { lifeLeft } from "../../lib/time";
import type { ReviewStack } from "../stacks/review-stack";
import type { RunningCanary } from "../stacks/running-canary";

/** Everything that a decision depends on. */
export interface Inventory {
  /**
   * Branches at the remote. Undefined if the remote could not be asked. Then no branch counts as
   * gone.
   */
  readonly branches: ReadonlySet<string> | undefined;
  readonly canary: Canary | undefined;
  /** UID of the cluster of the review stacks. */
  readonly cluster: string;
  /** Namespaces whose names have the prefix of review stacks. */
  readonly namespaces: readonly Namespace[];
  readonly now: Date;
  /** Repository that was asked for the branches. */
  readonly remote: string | undefined;
  readonly stacks: readonly Stack[];
}

export type Stack = Pick<ReviewStack, "branch" | "clusterUid" | "name" | "namespace" | "remote"> & {
  readonly expires: Date | undefined;
};

export interface Namespace {
  readonly name: string;
  /** Whether the namespace has the labels of the review stack with the same name. */
  readonly ours: boolean;
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

const { namespacePrefix } = reviewAccess;

/**
 * Decides what is removed and what stays, each with its reason. A review stack is removed only if
 * all of this is proven: the stack is in this state and this cluster, the stack's name, branch and
 * namespace match, and the stack has expired or its branch is gone.
 */
export function decide(inventory: Inventory): readonly Decision[] {
  const { canary, namespaces, stacks } = inventory;
  const known = new Set(stacks.map(({ namespace }) => namespace));
  return [
    ...(canary === undefined ? [] : [decideCanary(canary, inventory.now)]),
    ...stacks.map((stack) => decideStack(stack, inventory)),
    ...namespaces
      .filter(({ name }) => name.startsWith(namespacePrefix) && !known.has(name))
      .map(decideNamespace),
  ];
}

/** Decides whether a review stack is removed. */
export function decideStack(stack: Stack, inventory: Inventory): Decision {
  const { cluster, namespaces, now } = inventory;
  const { branch, clusterUid, expires, name, namespace } = stack;
  const stays = (why: string): Decision => ({ goes: false, name, what: "stack", why });
  const goes = (why: string): Decision => ({ goes: true, name, what: "stack", why });

  const parsed = parseStack(name);
  if (parsed === undefined || !environments[parsed.environment].perBranch)
    return stays("is not a review stack");
  if (branch === undefined) return stays("has no branch tag, so its owner is unknown");
  if (slugOfAny(branch) !== parsed.slug) {
    return stays(`names branch "${branch}", which is not the branch of this name`);
  }
  if (namespace !== `${namespacePrefix}${parsed.slug}`) {
    return stays(`has the namespace ${namespace}, which does not belong to a review stack`);
  }
  if (clusterUid === undefined) return stays("has no cluster tag, so its cluster is unknown");
  if (clusterUid !== cluster) return stays(`is in another cluster (${clusterUid})`);
  if (namespaces.some((found) => found.name === namespace && !found.ours)) {
    return stays(`its namespace ${namespace} has someone else's labels`);
  }

  const { gone, why } = branchOf(branch, stack.remote, inventory);
  if (gone) return goes(why);
  if (expires === undefined)
    return stays("was never updated, and has no tag with its creation time");
  const left = lifeLeft(expires, now);
  return expires <= now ? goes(left) : stays(`${why}, and it ${left}`);
}

/**
 * Whether a branch is gone. The branch does not count as gone if the remote does not answer or does
 * not have the branch `main`, or if the branch belongs to another repository, such as a fork.
 */
function branchOf(
  branch: string,
  itsRemote: string | undefined,
  { branches, remote }: Inventory,
): { readonly gone: boolean; readonly why: string } {
  const there = (why: string) => ({ gone: false, why });
  if (branches === undefined) return there("the remote could not be asked");
  if (branches.has(branch)) return there("its branch exists");
  if (!branches.has(mainBranch)) return there(`the remote does not have the branch ${mainBranch}`);
  if (itsRemote !== undefined && itsRemote !== remote) {
    return there(`its branch belongs to ${itsRemote}, which was not asked`);
  }
  return { gone: true, why: `branch "${branch}" is gone` };
}

/** Decides whether the canary is removed. */
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
      why: `of "${branch}" has no expiry: stop it with npm run canary -- stop`,
    };
  }
  return { ...decision, goes: expires <= now, why: `of "${branch}" ${lifeLeft(expires, now)}` };
}

/**
 * A namespace without a stack in this state always stays, because another state may contain the
 * namespace.
 */
function decideNamespace({ name, ours }: Namespace): Decision {
  const why = ours
    ? `has no stack in this state; if no other state holds it: kubectl delete namespace ${name}`
    : "has someone else's labels";
  return { goes: false, name, what: "namespace", why };
}

function slugOfAny(branch: string): string | undefined {
  try {
    return slugOf(branch);
  } catch {
    return undefined;
  }
}
