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
 * With this annotation, Pulumi's provider waits only until a Deployment or a Job exists, and not
 * until the rollout or the Job is complete. With `pulumi.com/skipAwait`, the provider would not
 * wait for the deletion of an object either.
 */
export const applied = { "pulumi.com/waitFor": "jsonpath={.metadata.uid}" };

/**
 * Returns the labels of the Deployment and its pods. Some of these labels change with a release.
 */
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
   * Returns an output that contains the Deployment when its rollout is complete. If the rollout
   * fails, the output fails with the reason. The Ingress and the autoscaler of a WebService wait
   * for this output.
   *
   * @default - Pulumi's provider waits, for at most `progressDeadlineSeconds` plus 60 s
   */
  readonly waitForRollout?:
    ((deployment: k8s.apps.v1.Deployment) => pulumi.Output<k8s.apps.v1.Deployment>) | undefined;
}

/** A Deployment, and an input that contains the same Deployment when its rollout is complete. */
export interface RolledOut {
  readonly deployment: k8s.apps.v1.Deployment;
  readonly rollout: pulumi.Input<k8s.apps.v1.Deployment>;
}

interface DeploymentOptions extends RolloutOptions {
  /** Name of the container. Default: the name of the Deployment. */
  readonly container?: string;
  /** Resources that must exist before the first pod starts. */
  readonly dependsOn?: pulumi.Input<pulumi.Resource>[];
}

/**
 * Creates the Deployment of one track. In a canary, the container has the same name as in
 * production, but the Deployment has a different name.
 */
export function createDeployment(
  parent: pulumi.Resource,
  name: string,
  web: WebServiceInputs,
  named: Named,
  { container = name, dependsOn = [], waitForRollout }: DeploymentOptions,
): RolledOut {
  const wait = `${String(web.progressDeadlineSeconds + rollout.pulumiWaitMarginSeconds)}s`;
  // With `applied`, the provider waits only until Kubernetes has stored the Deployment.
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
      dependsOn,
      // With this option, an update keeps the number of pods that the autoscaler has set.
      // `replicas` stays in the spec, because Kubernetes sets a missing value to 1.
      ...(web.autoscaling === undefined ? {} : { ignoreChanges: ["spec.replicas"] }),
      parent,
      ...protection(web),
    },
  );
  return { deployment, rollout: waitForRollout?.(deployment) ?? deployment };
}
