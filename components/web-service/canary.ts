import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { assertValid, check } from "../conventions/validation";
import { labels } from "../conventions/labels";
import { createConfigMap } from "../pods/objects";
import type { WebServiceArgs } from "./args";
import { createDeployment } from "./deployment";
import { resolve, webServiceIssues } from "./resolved";

/** The args of production's web service, but for what the canary must not have. */
export interface CanaryArgs extends Omit<
  WebServiceArgs,
  "autoscaling" | "iamRoleArn" | "migrationArgs" | "protect" | "seedArgs" | "track"
> {
  /** Pods of the canary, at least one. Together with production's they share its requests evenly. */
  readonly replicas: number;
  /** Production's ServiceAccount: the canary has production's rights and no others. */
  readonly serviceAccountName: pulumi.Input<string>;
}

/**
 * A few pods of a branch among those that serve production's requests: a Deployment of track
 * `canary` whose pods production's Service selects. It never migrates the database, and it owns
 * neither Service, Ingress nor disruption budget: deleting it leaves production as it is.
 *
 * @throws pulumi.ResourceError with every issue of the args, before the first child.
 */
export class Canary extends pulumi.ComponentResource {
  readonly nodes: {
    readonly configMap?: k8s.core.v1.ConfigMap;
    readonly deployment: k8s.apps.v1.Deployment;
  };

  constructor(name: string, args: CanaryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:k8s:Canary", name, args, opts);
    const given: WebServiceArgs = { ...args, migrationArgs: [], seedArgs: [], track: "canary" };
    const web = resolve(given);
    assertValid(this, "Canary", name, [
      ...webServiceIssues(name, web, given),
      check(args.replicas !== 0, {
        arg: "replicas",
        got: args.replicas,
        rule: "be at least 1",
        fix: "destroy the stack of a canary that is to have no pod",
      }),
    ]);
    const configMap = createConfigMap(this, name, web, labels(web.identity, "web"));
    const named = {
      configMapName: configMap?.metadata.name,
      serviceAccountName: args.serviceAccountName,
    };
    const deployment = createDeployment(this, name, web, named, web.identity.service);
    this.nodes = { deployment, ...(configMap === undefined ? {} : { configMap }) };
    this.registerOutputs({});
  }
}
