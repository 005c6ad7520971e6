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

/**
 * The pods of one track. The container of a canary has the same name as in production. Its
 * Deployment has another name.
 */
export function createDeployment(
  parent: pulumi.Resource,
  name: string,
  web: WebServiceInputs,
  named: Named,
  container = name,
): k8s.apps.v1.Deployment {
  const wait = `${String(web.progressDeadlineSeconds + rollout.pulumiWaitMarginSeconds)}s`;
  return new k8s.apps.v1.Deployment(
    name,
    {
      metadata: { ...objectMetadata(web, deploymentLabels(web)), name, namespace: web.namespace },
      spec: deploymentSpec(container, web, named),
    },
    {
      customTimeouts: { create: wait, update: wait },
      // Keeps the number that the autoscaler chose. If the input were left out, Kubernetes would
      // go back to 1.
      ...(web.autoscaling === undefined ? {} : { ignoreChanges: ["spec.replicas"] }),
      parent,
      ...protection(web),
    },
  );
}
