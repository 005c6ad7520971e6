import { canaryName } from "../../components/conventions/ci-roles";
import type { Track } from "../../components/conventions/labels";
import { environments } from "../../environments";
import type { Settings } from "../../settings";
import { type StartingCluster } from "../clients/kubectl";

/** The stack that a person debugs, and the stack's cluster. */
export interface Target {
  readonly cluster: StartingCluster;
  /** Name of the service's Deployment. */
  readonly deployment: string;
  readonly identity: Settings["identity"];
  readonly namespace: string;
  readonly stack: string;
  readonly track: Track;
}

/** Returns the target for the settings of a stack. A canary has its own Deployment. */
export function targetOf(
  { environment, identity, namespace, stack }: Settings,
  cluster: StartingCluster,
): Target {
  const isCanary = environments[environment].canaryOf !== undefined;
  const deployment = isCanary ? canaryName : identity.service;
  const track = isCanary ? "canary" : "stable";
  return { cluster, deployment, identity, namespace, stack, track };
}

/** Returns a text with the namespace and the cluster of a stack. */
export function placeOf({ context, eksCluster, namespace }: Settings): string {
  const cluster =
    eksCluster === undefined
      ? `of ${context === undefined ? "the current context" : `context ${context}`}`
      : `"${eksCluster.name}"`;
  return `namespace ${namespace}, cluster ${cluster}`;
}
