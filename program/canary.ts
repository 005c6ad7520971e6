import * as pulumi from "@pulumi/pulumi";
import { Canary } from "../components/web-service/canary";
import type { Settings } from "../settings";
import type { ClusterFacts } from "./cluster";
import { databaseOf } from "./database";
import { type Rollouts, rolledOut } from "./rollout/rollout";
import { webServiceArgs } from "./web-service-args";

/**
 * Creates a canary: a few pods of a branch in production's namespace. Production's Service sends
 * requests to these pods, too.
 *
 * @throws pulumi.RunError if no command has chosen an image for the canary, or if production's
 * namespace does not exist.
 */
export function createCanary(
  settings: Settings,
  cluster: ClusterFacts,
  rollouts: Rollouts,
  opts: pulumi.ComponentResourceOptions,
) {
  const { identity, imageRef, namespace, stack } = settings;
  if (cluster.namespace === undefined || imageRef === undefined) {
    throw new pulumi.RunError(
      imageRef === undefined
        ? `Stack "${stack}" runs no image yet: start a canary with "npm run canary -- start BRANCH".`
        : `Namespace "${namespace}" does not exist: a canary needs production, so deploy stack prod first.`,
    );
  }
  const { canaryDatabaseSecretName: own = settings.databaseSecretName } = settings;
  const { databaseTo, datadogAgentTo, dnsTo, egressTo } = settings;
  const args = {
    ...webServiceArgs(settings),
    database: databaseOf({ ...settings, databaseSecretName: own }, namespace, opts),
    databaseTo,
    datadogAgentTo,
    dnsTo,
    egressTo,
    imageRef,
    namespace,
    serviceAccountName: identity.service,
  };
  const { rollout } = new Canary(`${identity.service}-canary`, args, {
    ...opts,
    waitForRollout: rolledOut(rollouts),
  });
  return { imageRef, namespace, rollout };
}
