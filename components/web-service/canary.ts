import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { assertValid } from "../conventions/expected-error";
import { check } from "../conventions/validation";
import { labels } from "../conventions/labels";
import { createConfigMap } from "../pods/objects";
import type { WebServiceArgs } from "./args";
import { createDeployment } from "./deployment";
import { normalize } from "./normalize";
import { webServiceIssues } from "./validate";
import type { WebServiceOptions } from "./web-service";

/** The args of production's web service, without the args that a canary must not have. */
export interface CanaryArgs extends Omit<
  WebServiceArgs,
  "autoscaling" | "iamRoleArn" | "migrationArgs" | "protect" | "seedArgs" | "track"
> {
  /**
   * Number of pods, at least one. Requests are spread evenly over the canary's pods and
   * production's pods.
   */
  readonly replicas: number;
  /** Name of production's ServiceAccount. The canary has the same rights as production. */
  readonly serviceAccountName: pulumi.Input<string>;
}

/**
 * A Deployment with track `canary`: a few pods of a branch that serve production's requests.
 * Production's Service selects these pods. The canary does not migrate the database, and has no
 * Service, Ingress or PodDisruptionBudget. So deleting the canary does not change production.
 *
 * @throws pulumi.ResourceError with all issues of the args, before the component creates a child
 * resource.
 */
export class Canary extends pulumi.ComponentResource {
  readonly nodes: {
    readonly configMap?: k8s.core.v1.ConfigMap;
    readonly deployment: k8s.apps.v1.Deployment;
  };

  /** The Deployment, which becomes known when its rollout is complete. */
  readonly rollout: pulumi.Input<k8s.apps.v1.Deployment>;

  constructor(name: string, args: CanaryArgs, opts: WebServiceOptions = {}) {
    const { waitForRollout, ...rest } = opts;
    super("services:k8s:Canary", name, args, rest);
    const full: WebServiceArgs = { ...args, migrationArgs: [], seedArgs: [], track: "canary" };
    const web = normalize(full);
    assertValid(this, "Canary", name, [
      ...webServiceIssues(name, web, full),
      check(args.replicas !== 0, {
        arg: "replicas",
        got: args.replicas,
        rule: "be at least 1",
        fix: "destroy the stack to have no canary",
      }),
    ]);
    const configMap = createConfigMap(this, name, web, labels(web.identity, "web"));
    const named = {
      configMapName: configMap?.metadata.name,
      serviceAccountName: args.serviceAccountName,
    };
    const { deployment, rollout } = createDeployment(this, name, web, named, {
      container: web.identity.service,
      waitForRollout,
    });
    this.rollout = rollout;
    this.nodes = { deployment, ...(configMap === undefined ? {} : { configMap }) };
    this.registerOutputs({});
  }
}
