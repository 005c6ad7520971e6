import { trackSelector } from "../../components/conventions/labels";
import { canaryName } from "../../components/conventions/ci-roles";
import type { Settings } from "../../settings";
import type { Workspace } from "../pulumi/run-pulumi";
import { type Deployment, type Pod, list, withLabels } from "../clients/kubectl";
import { type Connected, connect } from "../pulumi/connect";
import { dateOf } from "../../lib/time";
import { settingsOf } from "../pulumi/settings";
import { outputsOf, stateOf, tagsOf } from "../pulumi/stacks";

export const canaryStack = "prod-canary";

/** Tags of the canary's stack. */
export const canaryTags = {
  branch: "branch",
  cluster: "clusterUid",
  expires: "expires",
  percent: "percent",
} as const;

/** The state, the cluster and the settings of production and its canary. */
export interface Production extends Connected {
  readonly settings: Pick<Settings, "identity" | "namespace">;
}

/**
 * A running canary, with the facts from the state and the cluster. If the state and the cluster do
 * not contain the value of a property, the property is `undefined`.
 */
export interface RunningCanary {
  readonly branch: string;
  readonly clusterUid: string | undefined;
  readonly expires: Date | undefined;
  readonly imageRef: string | undefined;
  /** Requested share of the requests, in percent. */
  readonly percent: string | undefined;
  /** Whether the canary's start succeeded. False if the start failed or was killed. */
  readonly started: boolean;
}

/**
 * Connects to the state backend and to production's cluster.
 *
 * @throws UserError within 20 s, or within 50 s on EKS, if the state backend or production's
 * cluster does not answer.
 */
export async function connectToProduction(workspace: Workspace): Promise<Production> {
  const settings = await settingsOf(canaryStack, workspace);
  return { ...(await connect(settings, workspace)), settings };
}

/**
 * Finds the running canary. Undefined if no canary runs. The function reads the state and the
 * cluster. If someone killed the start of a canary during the wait for its pods, the state does not
 * contain the canary's Deployment. But the pods of this Deployment may already serve production's
 * requests.
 */
export async function runningCanary(
  production: Production,
  workspace: Workspace,
): Promise<RunningCanary | undefined> {
  const there = production.stacks.includes(canaryStack);
  const deployment = await canaryDeployment(production);
  if (deployment === undefined && !(there && (await hasDeployment(workspace)))) return undefined;
  const [tags, outputs] = there
    ? await Promise.all([tagsOf(canaryStack, workspace), outputsOf(canaryStack, workspace)])
    : [{}, {}];
  return {
    branch: tags[canaryTags.branch] ?? deployment?.branch ?? "unknown",
    clusterUid: outputs.clusterUid ?? tags[canaryTags.cluster],
    expires: dateOf(tags[canaryTags.expires]),
    imageRef: outputs.imageRef ?? deployment?.imageRef,
    percent: tags[canaryTags.percent],
    // Pulumi writes outputs at the end of an update, and removes them when the canary stops. If the
    // canary's stack does not exist in this state backend, the outputs are unknown, and the code
    // assumes that the start succeeded.
    started: !there || outputs.imageRef !== undefined,
  };
}

async function hasDeployment(workspace: Workspace): Promise<boolean> {
  const { resources } = await stateOf(canaryStack, workspace);
  return resources.some(({ type }) => type === "kubernetes:apps/v1:Deployment");
}

/**
 * Reads the canary's Deployment in production's cluster. Ignores Deployments without the labels of
 * the canary.
 */
export async function canaryDeployment(
  production: Pick<Production, "cluster" | "settings">,
): Promise<Partial<Record<"branch" | "imageRef", string | undefined>> | undefined> {
  const found = await listed<Deployment>("deployments", production, "canary");
  const own = found.find(({ metadata }) => metadata.name === canaryName);
  if (own === undefined) return undefined;
  const imageRef = own.spec.template.spec.containers[0]?.image;
  return { branch: own.metadata.labels?.["branch"], imageRef };
}

/**
 * Returns how many pods of a track get requests. A terminating pod stays Ready until its preStop
 * hook ends, but gets no new requests.
 */
export async function readyPods(
  production: Pick<Production, "cluster" | "settings">,
  track: "canary" | "stable" = "stable",
): Promise<number> {
  const pods = await listed<Pod>("pods", production, track);
  return pods.filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined &&
      (status.conditions ?? []).some((one) => one.type === "Ready" && one.status === "True"),
  ).length;
}

/**
 * Returns the objects of one kind and one track (`stable` or `canary`) in production's namespace.
 */
async function listed<Item>(
  kind: string,
  { cluster, settings: { identity, namespace } }: Pick<Production, "cluster" | "settings">,
  track: "canary" | "stable",
): Promise<readonly Item[]> {
  const selector = withLabels(trackSelector(identity, "web", track));
  return list<Item>(cluster, kind, ["--namespace", namespace, ...selector]);
}
