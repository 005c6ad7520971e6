import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { logAnnotations } from "../pods/datadog";
import { rollout } from "../conventions/defaults";
import {
  type Labels,
  labels,
  releaseLabels,
  trackLabel,
  trackSelector,
} from "../conventions/labels";
import { objectMetadata, podMetadata } from "../conventions/metadata";
import { applyOverride } from "../conventions/override";
import { type Named, webPodSpec } from "./pod-template";
import { protection } from "./metadata";
import type { WebServiceInputs } from "./normalize";

/**
 * What the provider waits for, in the place of the rollout. It still waits for a deletion, which it
 * does not with `pulumi.com/skipAwait`.
 */
const applied = { "pulumi.com/waitFor": "jsonpath={.metadata.uid}" };

/** Labels of the Deployment and its pods. Only these change with a release. */
function deploymentLabels(web: WebServiceInputs): Labels {
  return {
    ...labels(web.identity, "web"),
    ...releaseLabels(web.identity, web.release),
    [trackLabel]: web.track,
  };
}

function deploymentSpec(
  container: string,
  web: WebServiceInputs,
  named: Named,
): k8s.types.input.apps.v1.DeploymentSpec {
  return applyOverride(web.overrides?.deploymentSpec, {
    minReadySeconds: web.minReadySeconds,
    progressDeadlineSeconds: web.progressDeadlineSeconds,
    replicas: web.replicas,
    revisionHistoryLimit: web.revisionHistoryLimit,
    selector: { matchLabels: trackSelector(web.identity, "web", web.track) },
    strategy: {
      rollingUpdate: { maxSurge: web.maxSurge, maxUnavailable: web.maxUnavailable },
      type: "RollingUpdate",
    },
    template: {
      metadata: podMetadata(
        web,
        deploymentLabels(web),
        logAnnotations(container, web.identity.service, web),
      ),
      spec: webPodSpec(container, web, named),
    },
  });
}

/** How to wait for the rollout of a component's Deployment. */
export interface RolloutOptions {
  /**
   * Gives the Deployment when its rollout is complete, and rejects when the rollout failed. What
   * needs ready pods comes after it: Ingress and autoscaler.
   *
   * @default - Pulumi's provider waits, for at most `progressDeadlineSeconds` and 60 s
   */
  readonly waitForRollout?:
    ((deployment: k8s.apps.v1.Deployment) => pulumi.Output<k8s.apps.v1.Deployment>) | undefined;
}

/** A Deployment, and the same when its rollout is complete. */
export interface RolledOut {
  readonly deployment: k8s.apps.v1.Deployment;
  readonly rollout: pulumi.Input<k8s.apps.v1.Deployment>;
}

/**
 * The pods of one track. The container of a canary has the same name as in production. Its
 * Deployment has another name.
 */
export function createDeployment(
  parent: pulumi.Resource,
  name: string,
  web: WebServiceInputs,
  named: Named,
  { container = name, waitForRollout }: RolloutOptions & { readonly container?: string },
): RolledOut {
  const wait = `${String(web.progressDeadlineSeconds + rollout.pulumiWaitMarginSeconds)}s`;
  // The provider then waits only until Kubernetes has read the Deployment.
  const annotations = waitForRollout && applied;
  const metadata = objectMetadata(web, deploymentLabels(web), annotations);
  const deployment = new k8s.apps.v1.Deployment(
    name,
    {
      metadata: { ...metadata, name, namespace: web.namespace },
      spec: deploymentSpec(container, web, named),
    },
    {
      ...(waitForRollout === undefined && { customTimeouts: { create: wait, update: wait } }),
      // Keeps the number that the autoscaler chose. If the input were left out, Kubernetes would
      // go back to 1.
      ...(web.autoscaling === undefined ? {} : { ignoreChanges: ["spec.replicas"] }),
      parent,
      ...protection(web),
    },
  );
  return { deployment, rollout: waitForRollout?.(deployment) ?? deployment };
}
