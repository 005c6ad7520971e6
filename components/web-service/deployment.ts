import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { logAnnotations } from "../pods/datadog";
import { webService as defaults } from "../conventions/defaults";
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
import type { ResolvedWebService } from "./resolved";

/** Labels of the Deployment and its pods: the only ones that change with a release. */
function deploymentLabels(web: ResolvedWebService): Labels {
  return {
    ...labels(web.identity, "web"),
    ...releaseLabels(web.identity, web.release),
    [trackLabel]: web.track,
  };
}

function deploymentSpec(
  container: string,
  web: ResolvedWebService,
  named: Named,
): k8s.types.input.apps.v1.DeploymentSpec {
  return applyOverride(web.overrides.deploymentSpec, {
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

/** The pods of one track. A canary's container has the same name as production's, only the Deployment has not. */
export function createDeployment(
  parent: pulumi.Resource,
  name: string,
  web: ResolvedWebService,
  named: Named,
  container = name,
): k8s.apps.v1.Deployment {
  const wait = `${String(web.progressDeadlineSeconds + defaults.pulumiWaitMarginSeconds)}s`;
  return new k8s.apps.v1.Deployment(
    name,
    {
      metadata: { ...objectMetadata(web, deploymentLabels(web)), name, namespace: web.namespace },
      spec: deploymentSpec(container, web, named),
    },
    {
      customTimeouts: { create: wait, update: wait },
      // The provider then sends the number that the autoscaler chose, or leaves it to it. An
      // input that is left out would let the number fall to 1.
      ...(web.autoscaling === undefined ? {} : { ignoreChanges: ["spec.replicas"] }),
      parent,
      ...protection(web),
    },
  );
}

/** Resource options of what must not be deleted, where the caller says so. */
export function protection({ protect }: ResolvedWebService): pulumi.CustomResourceOptions {
  return protect === undefined ? {} : { protect };
}
