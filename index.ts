import * as pulumi from "@pulumi/pulumi";
import { withCheapErrors } from "./components/conventions/expected-error";
import { environments } from "./environments";
import { createCanary } from "./program/canary";
import { readCluster } from "./program/cluster";
import { createEnvironment } from "./program/environment";
import { assertJobs } from "./program/job-args";
import { withKeptRelease } from "./program/kept-release";
import { readLastRelease } from "./program/last-release";
import { preflight } from "./program/preflight";
import { kubernetesProvider } from "./program/provider";
import { readRollouts } from "./program/rollout/read-rollouts";
import { readSettings } from "./settings/running";

/**
 * Functions that read the cluster, the last release, the rollouts and the settings. Tests and
 * `npm run render` pass their own functions.
 */
const outside = { readCluster, readLastRelease, readRollouts, readSettings };

/**
 * The program of every stack. The program creates an environment (namespace, database, image, web
 * service and jobs) or a canary. Pulumi runs the exported function, which returns the stack's
 * outputs.
 */
async function program(given: Partial<typeof outside> = {}): Promise<pulumi.Inputs> {
  const { readCluster, readLastRelease, readRollouts, readSettings } = { ...outside, ...given };
  const asked = await readSettings();
  assertJobs(asked.identity.service);
  // The preflight runs before Pulumi creates a resource. Otherwise, the provider could adopt a
  // namespace that does not belong to the stack.
  const { cluster, kubeconfig } = await preflight(asked, readCluster);
  const settings = await withKeptRelease(asked, readLastRelease);

  const opts = { providers: [kubernetesProvider(settings, kubeconfig)] };
  const isCanary = environments[settings.environment].canaryOf !== undefined;
  const rollouts = readRollouts({ ...settings, kubeconfig });
  const { imageRef, rollout, ...made } = isCanary
    ? createCanary(settings, cluster, rollouts, opts)
    : await createEnvironment(settings, rollouts, opts);

  const { release, releaseReason, replicas } = settings;
  return {
    branch: release.branch,
    clusterUid: cluster.clusterUid,
    commit: release.commit,
    imageRef: onceReady(imageRef, rollout),
    ...(releaseReason === undefined ? {} : { releaseReason }),
    replicas,
    ...made,
  };
}

/**
 * Returns the image as an output that becomes known when the image's pods are ready. Pulumi writes
 * a stack's outputs only when all outputs are known. So after a failed update, the outputs still
 * show the last successful release.
 */
function onceReady(imageRef: pulumi.Input<string>, rollout: pulumi.Input<pulumi.Resource>) {
  return pulumi.all([imageRef, rollout]).apply(([known]) => known);
}

export = withCheapErrors(program);
