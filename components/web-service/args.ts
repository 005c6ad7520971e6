import type * as pulumi from "@pulumi/pulumi";
import type { Database } from "../pods/database";
import type { Identity, Release, Track } from "../conventions/labels";
import type { PodArgs } from "../pods/args";
import type { Requests } from "../conventions/quantities";
import type { IngressArgs } from "./ingress-args";
import type { WebServiceOverrides } from "./overrides";
import type { RolloutArgs } from "./rollout-args";

/** How many pods there are, by their load. */
export interface Autoscaling {
  /**
   * Percent of the requested CPU that the pods shall use in the mean. Near 100, pods are added when
   * requests wait already.
   *
   * @default - 70 without `memoryUtilization`, else CPU does not count
   */
  readonly cpuUtilization?: number;
  /**
   * Most pods. Too few, and a busy service stays slow; quotas and connections to the database count
   * too. Where more are running when it is switched on, those above it end at once.
   */
  readonly maxReplicas: number;
  /**
   * Percent of the requested memory that the pods shall use in the mean. A JVM seldom gives memory
   * back, so that what was added for it mostly stays.
   *
   * @default - memory does not count
   */
  readonly memoryUtilization?: number;
  /** Fewest pods, and what a new Deployment starts with. With 1, a node's drain is downtime. */
  readonly minReplicas: number;
}

export interface WebServiceArgs extends PodArgs, IngressArgs, RolloutArgs {
  /**
   * What the objects are recognised by; the same for the stack's whole life. A change replaces the
   * Deployment, which is downtime.
   */
  readonly identity: Identity;
  /**
   * Image as `repository@sha256:...`. A tag is refused, because it may be moved. One that the
   * registry does not have starts no new pod.
   */
  readonly imageRef: pulumi.Input<string>;
  /**
   * Namespace of all objects. Another one deletes all of them and makes them anew, which is
   * downtime.
   */
  readonly namespace: pulumi.Input<string>;
  /**
   * Branch and commit; known to the Deployment and its pods only, so that nothing else changes. A
   * wrong one lays errors and traces to another version.
   */
  readonly release: Release;

  /**
   * Public URL that the pods are told (`APP_ENDPOINT`). A wrong one breaks links in answers.
   *
   * @default - the URL of the first host; none without one
   */
  readonly appEndpoint?: string;

  /**
   * Command of the service's command line that serves requests. One that ends, or that listens on
   * no port, lets the rollout fail.
   *
   * @default ["serve"]
   */
  readonly args?: readonly string[];

  /**
   * Lets the load decide about the number of pods: a HorizontalPodAutoscaler named as the service.
   * Needs metrics-server; without metrics the number stays. Refused together with `replicas`.
   *
   * A new Deployment starts with `minReplicas`; from then on `spec.replicas` is ignored in updates.
   * Switching it on takes no pod away: the number stays what it is until the autoscaler changes it.
   * (Leaving the field out instead would let Kubernetes fall back to one pod, because a field that
   * its only owner no longer applies gets its default.) Switching it off leaves the number that the
   * autoscaler chose. The first change of the Deployment from then on is refused by the cluster as a
   * conflict, once: run that update with `PULUMI_K8S_ENABLE_PATCH_FORCE=true`.
   *
   * @default - none: there are always `replicas` pods
   * @example
   * { minReplicas: 3, maxReplicas: 12, cpuUtilization: 60 }
   */
  readonly autoscaling?: Autoscaling | undefined;

  /**
   * Database of the service. Without it the service does not start. `DATABASE_POOL_SIZE` is set by
   * `env`.
   *
   * @default - none
   */
  readonly database?: Database;

  /**
   * Seconds the service finishes open requests for, after SIGTERM.
   * Shorter than the slowest request cuts it off.
   *
   * @default 30
   */
  readonly drainSeconds?: number;

  /**
   * Public host name. Without it, and without `hosts`, there is no Ingress. A name that DNS does
   * not lead to the ingress controller is not answered.
   *
   * @default - none
   */
  readonly host?: string;

  /**
   * Class of the Ingress. A class that no controller serves leaves the host unanswered, and
   * the update waits for an address until it times out.
   *
   * @default - "alb" with `ingressPreset`, else the cluster's default class
   */
  readonly ingressClassName?: string | undefined;

  /**
   * Command that brings the database's schema up to date, run by an init container of each pod.
   * It must take a lock and do nothing when there is nothing to do; `[]` runs none.
   *
   * @default - ["migrate"] with `database`, else []
   */
  readonly migrationArgs?: readonly string[];

  /**
   * Pure functions that have the last word on each spec, for a field that no arg sets. A field that
   * they leave out is gone; only the cluster refuses a misspelt one.
   *
   * @default - none
   * @example
   * { serviceSpec: (spec) => ({ ...spec, sessionAffinity: "ClientIP" }) }
   */
  readonly overrides?: WebServiceOverrides;

  /**
   * Port the service listens on; above 1024, because it is no root.
   *
   * @default 8080
   */
  readonly port?: number;

  /**
   * Seconds a pod stays up after it stopped being an endpoint, before SIGTERM.
   * Shorter than load balancers need to learn of it loses requests in each rollout.
   *
   * @default 15
   */
  readonly preStopSeconds?: number;

  /**
   * Seconds without progress until Kubernetes calls a rollout failed; Pulumi waits 60 s longer.
   * Shorter than a pod's start-up and migration fails good rollouts.
   *
   * @default 300
   */
  readonly progressDeadlineSeconds?: number;

  /**
   * Refuses every update that would delete or replace Deployment, Service or Ingress, which is
   * downtime. To do it all the same: `pulumi state unprotect`, then `pulumi up`.
   *
   * @default - as `opts` of the component say
   */
  readonly protect?: boolean;

  /**
   * Port of the public URL, where it is not the scheme's own. A wrong one makes links in answers
   * lead nowhere.
   *
   * @default - the scheme's own
   */
  readonly publicPort?: number | undefined;

  /**
   * Pods, where `autoscaling` does not decide. With more than one there is a PodDisruptionBudget; with one, a node's drain is downtime.
   *
   * @default 1
   */
  readonly replicas?: number | undefined;

  /**
   * CPU and memory that a pod is promised. Memory is also its limit: too little kills the pod.
   *
   * @default {"cpu":"250m","memory":"512Mi"}
   */
  readonly requests?: Requests;

  /**
   * Command that fills an empty database, run by an init container of each pod after the migration.
   * It must do nothing where there are data.
   *
   * @default []
   * @example
   * ["seed", "--count", "50", "--if-empty"]
   */
  readonly seedArgs?: readonly string[];

  /**
   * Seconds from the start of a pod's end to SIGKILL, `preStopSeconds` included.
   * Below `preStopSeconds` + `drainSeconds` + 10 requests are cut off, so that is refused.
   *
   * @default 60
   */
  readonly terminationGracePeriodSeconds?: number;

  /**
   * Whether the public URL is https; the Ingress then names the host for its certificate. Where no
   * certificate covers the host, browsers refuse it.
   *
   * @default false
   */
  readonly tls?: boolean;

  /**
   * Which of the pods behind one Service these are. Part of the Deployment's selector.
   *
   * @default "stable"
   */
  readonly track?: Track;
}
