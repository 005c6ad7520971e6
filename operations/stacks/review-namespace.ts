import { foreignLabel, labels } from "../../components/conventions/labels";
import { reviewAccess, reviewUser } from "../../components/conventions/ci-roles";
import { company } from "../../config/company";
import { service } from "../../config/service";
import { parseStack } from "../../environments";
import { messageOf } from "../../lib/errors";
import { dateOf } from "../../lib/time";
import { identityOf } from "../../settings/identity";
import type { Cluster } from "../clients/kubectl";
import { type Life, expiry } from "./expiry";

/**
 * A review stack, with the facts from its namespace in the cluster. The jobs of other branches
 * cannot change the annotations, and no one can change the creation time. This module does not use
 * the state of a review stack, because the jobs of every branch can write the states of all review
 * stacks.
 */
export interface ReviewNamespace {
  /**
   * Branch of the Kubernetes user that created the namespace, from an annotation that no one can
   * change. Undefined if the creator was not a job of a branch.
   */
  readonly branch: string | undefined;
  readonly isTerminating: boolean;
  /** Whether the namespace has the labels of the review stack with the slug in `slug`. */
  readonly isOurs: boolean;
  readonly life: Life;
  /** Name of the namespace. */
  readonly name: string;
  /** Person who deployed last. The branch's jobs may write any name, so the name proves nothing. */
  readonly person: string | undefined;
  /**
   * Repository of the branch. The branch's jobs may write any address, so the address proves
   * nothing.
   */
  readonly remote: string | undefined;
  /**
   * Slug in the namespace's name. Undefined if no review stack can have a namespace with this name.
   */
  readonly slug: string | undefined;
}

/**
 * A Namespace in the output of `kubectl get --output json`, with only the fields that the commands
 * read.
 */
export interface NamespaceObject {
  readonly metadata: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly name: string;
    readonly uid: string;
  };
  readonly status?: {
    readonly conditions?: readonly { readonly message?: string; readonly status: string }[];
  };
}

const { annotations, namespacePrefix, ownerAnnotation } = reviewAccess;

/** Returns the name of a review stack's namespace. */
export const namespaceOfStack = (stack: string): string => `${service}-${stack}`;

/** Returns the name of the review stack with this slug. */
export const stackOfSlug = (slug: string): string => `review-${slug}`;

/** Reads all namespaces whose names have the prefix of review stacks. */
export async function reviewNamespaces({
  kubectl,
}: Pick<Cluster, "kubectl">): Promise<readonly ReviewNamespace[]> {
  const answer = await kubectl(["get", "namespaces", "--output", "json"], 30_000);
  const { items } = JSON.parse(answer) as { readonly items: readonly NamespaceObject[] };
  return items
    .filter(({ metadata }) => metadata.name.startsWith(namespacePrefix))
    .map((object) => reviewNamespace(object));
}

/** Reads a namespace. Undefined if the namespace does not exist. */
export async function readNamespace(
  name: string,
  { kubectl }: Pick<Cluster, "kubectl">,
): Promise<NamespaceObject | undefined> {
  const args = ["get", "namespace", name, "--ignore-not-found", "--output", "json"];
  const answer = await kubectl(args, 30_000);
  return answer.trim() === "" ? undefined : (JSON.parse(answer) as NamespaceObject);
}

/**
 * Largest expected difference between the clocks of two machines, in milliseconds. If the time of
 * the last update in an annotation is further in the future, the code ignores the annotation.
 * Otherwise, a job of the branch could write a future time, and the stack would never expire.
 */
const clockAheadMs = 5 * 60_000;

/**
 * Matches a text that a command may print: without control characters, and at most 250 characters
 * long.
 */
const printable = /^[^\p{C}]{1,250}$/u;

/** Creates the description of a review stack from its namespace. */
export function reviewNamespace({ metadata }: NamespaceObject, now = new Date()): ReviewNamespace {
  const { annotations: found = {}, creationTimestamp, name } = metadata;
  const parsed = parseStack(name.slice(service.length + 1));
  const slug = parsed?.environment === "review" ? parsed.slug : undefined;
  const text = (key: string): string | undefined =>
    printable.test(found[key] ?? "") ? found[key] : undefined;
  const update = dateOf(found[annotations.lastUpdate]);
  const isPossible = update !== undefined && update.getTime() <= now.getTime() + clockAheadMs;
  return {
    branch: branchIn(text(ownerAnnotation)),
    isOurs: slug !== undefined && isOurs(metadata.labels ?? {}, slug),
    isTerminating: metadata.deletionTimestamp !== undefined,
    life: {
      extendedUntil: dateOf(found[annotations.extendedUntil]),
      lastUpdate: isPossible ? update : new Date(creationTimestamp),
      ttlHours: company.reviewStacks.ttlHours,
    },
    name,
    person: text(annotations.person),
    remote: text(annotations.remote),
    slug,
  };
}

/** Returns the branch in the name of a Kubernetes user ({@link reviewUser}). */
function branchIn(user: string | undefined): string | undefined {
  const start = reviewUser("");
  const branch = user?.startsWith(start) === true ? user.slice(start.length) : "";
  return branch === "" ? undefined : branch;
}

/** Whether a namespace with these labels belongs to the review stack with this slug. */
export function isOurs(found: Readonly<Record<string, string>>, slug: string): boolean {
  const expected = labels(identityOf("review", slug), "namespace");
  return foreignLabel(found, expected) === undefined;
}

export const expiryOf = ({ life }: Pick<ReviewNamespace, "life">): Date => expiry(life);

/** Facts about a review stack that a command writes into annotations of the namespace. */
type Facts = Readonly<Partial<Record<keyof typeof annotations, string | undefined>>>;

/** Writes facts about a review stack into annotations of its namespace. */
export async function annotate(
  name: string,
  facts: Facts,
  { kubectl }: Pick<Cluster, "kubectl">,
): Promise<void> {
  const values = Object.entries(facts).flatMap(([fact, value]) =>
    value === undefined ? [] : [`${annotations[fact as keyof Facts]}=${value}`],
  );
  await kubectl(["annotate", "namespace", name, "--overwrite", ...values], 30_000);
}

/**
 * Records an update of a review stack in its namespace, so that the time until the stack's expiry
 * starts again. Does nothing if the namespace does not exist yet or belongs to someone else. If the
 * function cannot record the update, it prints a warning and throws no error. The only effect of
 * the missing record is that the stack expires earlier.
 */
export async function recordUpdate(
  stack: string,
  facts: Omit<Facts, "extendedUntil" | "lastUpdate">,
  cluster: Pick<Cluster, "kubectl">,
): Promise<void> {
  const name = namespaceOfStack(stack);
  try {
    const object = await readNamespace(name, cluster);
    if (object === undefined || !reviewNamespace(object).isOurs) return;
    await annotate(name, { ...facts, lastUpdate: new Date().toISOString() }, cluster);
  } catch (error) {
    console.error(`warning: the time of this update was not recorded: ${messageOf(error)}`);
  }
}
