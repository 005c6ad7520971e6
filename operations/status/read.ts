import { trackSelector } from "../../components/conventions/labels";
import { defined } from "../../components/conventions/with-defaults";
import { environments } from "../../environments";
import { reasonOf } from "../../lib/command";
import type { Settings } from "../../settings";
import { type Cluster, list, withLabels } from "../clients/kubectl";
import { driftOf, linesOf } from "../drift/drift";
import { type Update, updatesOf } from "../history/updates";
import { jobsIn } from "../jobs/read";
import type { JobStatus } from "../jobs/runs";
import { type Lock, lockStore } from "../locks/lock-store";
import { type NotifierStatus, readNotifier } from "../notify/jobs/last-run";
import { connectToCluster, stackNames } from "../pulumi/connect";
import { seenIn } from "../pulumi/live-objects";
import { type Workspace, stateOfProject } from "../pulumi/run-pulumi";
import { settingsOf } from "../pulumi/settings";
import { type Outputs, type State, outputsIn, stateOf, tagsOf } from "../pulumi/stacks";
import { type Hold, holdOf } from "../release/hold";
import { type Release, promoted, withoutRelease } from "../stacks/release";
import {
  expiryOf,
  namespaceOfStack,
  readNamespace,
  reviewNamespace,
} from "../stacks/review-namespace";
import { type RunningCanary, runningCanary } from "../stacks/running-canary";
import { assertStackName } from "../stacks/stack-name";

/** A value, or the reason why the command could not read it. */
export type Known<Value> = { readonly unknown: string } | { readonly value: Value };

/** Pods of the service's Deployment, as Kubernetes counts them. */
interface Pods {
  /** Number of pods that get requests. */
  readonly ready: number;
  /**
   * Number of pods of the Deployment's newest revision. During a rollout, the other pods still run
   * an earlier revision.
   */
  readonly updated: number;
  readonly wanted: number;
}

/** A Deployment, with only the fields that contain numbers of pods. */
interface CountedDeployment {
  readonly spec: { readonly replicas?: number };
  readonly status?: { readonly readyReplicas?: number; readonly updatedReplicas?: number };
}

/** Everything that `npm run status` shows about a stack. */
export interface StackStatus {
  /**
   * The canary that runs among the pods of this stack. Missing if this stack cannot have a canary.
   */
  readonly canary?: Known<RunningCanary | undefined>;
  /** The cluster in the stack's settings, as a text such as `EKS cluster "services"`. */
  readonly cluster: string;
  /** Lines about the changes that someone has made in the cluster since the last update. */
  readonly drift: Known<readonly string[]>;
  /**
   * Time after which `npm run sweep` removes the stack. Missing for a stack that is not a review
   * stack.
   */
  readonly expires?: Known<Date | undefined>;
  readonly hold: Known<Hold | undefined>;
  /** Scheduled jobs. Missing in an environment without jobs. */
  readonly jobs?: Known<readonly JobStatus[]>;
  /** The newest update, which may have failed. */
  readonly lastUpdate: Known<Update | undefined>;
  readonly locks: Known<readonly Lock[]>;
  readonly namespace: string;
  /**
   * The last run of the job notifier. Missing in an environment without jobs. The value is
   * `undefined` if the notifier has never run for the stack.
   */
  readonly notifier?: Known<NotifierStatus | undefined>;
  /**
   * The pods of the service's Deployment. The value is `undefined` if the Deployment does not
   * exist.
   */
  readonly pods: Known<Pods | undefined>;
  /**
   * The promoted release. The next deploy deploys this release. The value is `undefined` if no
   * release is promoted.
   */
  readonly promoted: Known<Release | undefined>;
  /** What the last successful update deployed. */
  readonly release: Known<Outputs>;
  readonly stack: string;
}

/**
 * Reads the state and the cluster of a stack. Changes nothing, and takes no lock. If the function
 * cannot read a fact, for example because of a missing permission, the status contains the reason
 * instead of the fact.
 *
 * @throws UserError if the stack is unknown, or its settings are wrong.
 */
export async function readStatus(stack: string, given: Workspace): Promise<StackStatus> {
  assertStackName(stack);
  const workspace = withoutRelease(given);
  const settings = await settingsOf(stack, workspace);
  const { environment, namespace } = settings;
  const { jobs, perBranch } = environments[environment];
  const hasCanary = Object.values(environments).some(({ canaryOf }) => canaryOf === environment);

  // This function runs the reads in parallel. It connects to the cluster only once, and reads the
  // stack's state and tags only once.
  const cluster = connectToCluster(settings, workspace);
  const state = stateOf(stack, workspace);
  const tags = tagsOf(stack, workspace);
  const facts = {
    drift: known(differencesIn(state, cluster)),
    hold: known(tags.then(holdOf)),
    lastUpdate: known(updatesOf(stack, workspace).then(([newest]) => newest)),
    locks: known(locksOf(stack, workspace)),
    pods: known(podsIn(settings, cluster)),
    promoted: known(tags.then(promoted)),
    release: known(state.then(({ resources }): Outputs => outputsIn(resources))),
  };
  const some = {
    canary: hasCanary ? known(canaryIn(settings, cluster, workspace)) : undefined,
    expires: perBranch ? known(expiryIn(stack, cluster)) : undefined,
    notifier: jobs === "none" ? undefined : known(readNotifier(stack, workspace)),
    jobs: jobs === "none" ? undefined : known(cluster.then(async (one) => jobsIn(settings, one))),
  };
  return {
    cluster: clusterName(settings),
    drift: await facts.drift,
    hold: await facts.hold,
    lastUpdate: await facts.lastUpdate,
    locks: await facts.locks,
    namespace,
    pods: await facts.pods,
    promoted: await facts.promoted,
    release: await facts.release,
    stack,
    ...defined({
      canary: await some.canary,
      expires: await some.expires,
      jobs: await some.jobs,
      notifier: await some.notifier,
    }),
  };
}

/**
 * Returns the name of a stack's cluster in the stack's settings, such as `EKS cluster "services"`.
 */
export function clusterName({
  context,
  eksCluster,
}: Pick<Settings, "context" | "eksCluster">): string {
  if (eksCluster !== undefined) return `EKS cluster "${eksCluster.name}"`;
  return context === undefined ? "the kubeconfig's current context" : `context "${context}"`;
}

/** Waits for a value. If the promise is rejected, returns the reason in one line. */
async function known<Value>(value: Promise<Value>): Promise<Known<Value>> {
  try {
    return { value: await value };
  } catch (error) {
    return { unknown: reasonOf(error).split("\n")[0] ?? "" };
  }
}

async function differencesIn(
  state: Promise<State>,
  cluster: Promise<Cluster>,
): Promise<readonly string[]> {
  const { resources } = await state;
  return linesOf(driftOf(await seenIn(resources, await cluster)));
}

async function locksOf(stack: string, workspace: Workspace): Promise<readonly Lock[]> {
  return (await lockStore(stack, stateOfProject(workspace)).read()).locks;
}

async function podsIn(
  { environment, identity, namespace }: Settings,
  cluster: Promise<Cluster>,
): Promise<Pods | undefined> {
  const track = environments[environment].canaryOf === undefined ? "stable" : "canary";
  const which = ["--namespace", namespace, ...withLabels(trackSelector(identity, "web", track))];
  const [found] = await list<CountedDeployment>(await cluster, "deployments", which);
  if (found === undefined) return undefined;
  const { readyReplicas = 0, updatedReplicas = 0 } = found.status ?? {};
  return { ready: readyReplicas, updated: updatedReplicas, wanted: found.spec.replicas ?? 1 };
}

async function canaryIn(
  { identity, namespace }: Settings,
  cluster: Promise<Cluster>,
  workspace: Workspace,
): Promise<RunningCanary | undefined> {
  const [connected, stacks] = await Promise.all([cluster, stackNames(workspace)]);
  return runningCanary(
    { cluster: connected, settings: { identity, namespace }, stacks },
    workspace,
  );
}

async function expiryIn(stack: string, cluster: Promise<Cluster>): Promise<Date | undefined> {
  const object = await readNamespace(namespaceOfStack(stack), await cluster);
  return object && expiryOf(reviewNamespace(object));
}
