import type * as pulumi from "@pulumi/pulumi";
import type { Database } from "../pods/database";
import type { Identity, Release, Track } from "../conventions/labels";
import type { PodArgs } from "../pods/args";
import type { Requests } from "../conventions/quantities";
import type {
  Autoscaling,
  ExtraPort,
  LongMigration,
  PodsOrPercent,
  ProbeSettings,
  WebServiceOverrides,
} from "./arg-types";
import type { IngressArgs } from "./ingress-args";

export interface WebServiceArgs extends PodArgs, IngressArgs {
  /**
   * Names and labels that identify the stack's objects. Never change the identity: a change
   * replaces the Deployment, which causes downtime.
   *
   * @group Common
   */
  readonly identity: Identity;
  /**
   * Container image as `repository@sha256:...`. A tag is an error, because someone can move a tag
   * to another image. If the registry does not have the digest, no new pod starts.
   *
   * @group Common
   */
  readonly imageRef: pulumi.Input<string>;
  /**
   * Namespace of all objects. A change deletes all objects and creates new objects in the new
   * namespace, which causes downtime.
   *
   * @group Common
   */
  readonly namespace: pulumi.Input<string>;
  /**
   * Branch and commit of the release. Only the Deployment, its pods and the pods of a long
   * migration contain these values. With wrong values, errors and traces appear under another
   * version in Datadog.
   *
   * @group Common
   */
  readonly release: Release;

  /**
   * Public URL, for the pods' variable `APP_ENDPOINT`. A wrong value breaks links in responses.
   *
   * @group Rare
   * @default - the URL of the first host, if there is a host
   */
  readonly appEndpoint?: string;

  /**
   * Command of the service's CLI that serves requests. If the command exits or does not answer the
   * probes, the rollout fails.
   *
   * @group Rare
   * @default ["serve"]
   */
  readonly args?: readonly string[];

  /**
   * Adjusts the number of pods to the load, with a HorizontalPodAutoscaler that has the component's
   * name. The autoscaler needs metrics-server: without metrics, the number of pods does not change.
   * Do not set `replicas` together with this arg.
   *
   * A new Deployment starts with `minReplicas` pods. Later updates ignore changes to
   * `spec.replicas`. While Pulumi owns this field, the updates still send the current number,
   * because Kubernetes would set a missing field to 1. So Pulumi does not change the number of pods
   * when you turn autoscaling on.
   *
   * When you turn autoscaling off, the number of pods stays the same. After that, the cluster
   * refuses the next change to the Deployment with a conflict. Run this update again with the
   * environment variable `PULUMI_K8S_ENABLE_PATCH_FORCE=true`.
   *
   * @group Common
   * @default - none: the number of pods is `replicas`
   * @example
   * { minReplicas: 3, maxReplicas: 12, cpuUtilization: 60 }
   * @see https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/
   */
  readonly autoscaling?: Autoscaling | undefined;

  /**
   * Database of the service. Without a database, the service does not start. To set the size of the
   * connection pool, add `DATABASE_POOL_SIZE` to `env`.
   *
   * @group Common
   * @default - none
   */
  readonly database?: Database;

  /**
   * Port of the Java debugger (JDWP), only on the pod's loopback address. To connect to the port,
   * use `kubectl port-forward`. Anyone who may use this command can run any code in the pod.
   *
   * @group Pod
   * @default - no debugger
   */
  readonly debugPort?: number | undefined;

  /**
   * Seconds that a pod has after SIGTERM to finish open requests. The service cuts off requests
   * that need more time.
   *
   * @group Rollout
   * @default 30
   */
  readonly drainSeconds?: number;

  /**
   * Public host name. Without `host` and `hosts`, there is no Ingress. DNS must resolve the name to
   * the address of the Ingress; otherwise, requests get no response.
   *
   * @group Common
   * @default - none
   */
  readonly host?: string;

  /**
   * Probe that determines when the kubelet restarts the container. If the probe is too strict, the
   * kubelet restarts busy pods.
   *
   * @group Rollout
   * @default - "/health/live" every 10 s, 6 failures, 3 s timeout
   * @see https://kubernetes.io/docs/concepts/workloads/pods/probes/
   */
  readonly livenessProbe?: ProbeSettings | undefined;

  /**
   * A migration that a Job runs before the rollout. While the Job runs, the old pods continue to
   * run. Pulumi changes the Deployment only after the Job has succeeded. If the Job fails, the
   * update fails, and the Deployment does not change. The Job also runs all earlier migrations that
   * have not run yet. The init containers of the pods run later migrations.
   *
   * @group Rollout
   * @default - none: the init container of each pod runs all migrations
   * @example
   * { version: "12" }
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/
   */
  readonly longMigration?: LongMigration | undefined;

  /**
   * Port for health and metrics. The probes and the load balancer's health checks use this port. If
   * this port differs from `port`, the Service and the Ingress send no requests to this port. If
   * nothing listens on this port, the rollout fails. If the service has only one port, set this arg
   * to the value of `port`.
   *
   * @group Pod
   * @default 8081
   */
  readonly managementPort?: number;

  /**
   * Additional pods that a rollout may create temporarily. The nodes and the quota must have room
   * for these pods.
   *
   * @group Rollout
   * @default "25%"
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-surge
   */
  readonly maxSurge?: PodsOrPercent;

  /**
   * Pods that a rollout may remove before new pods are ready. With a value above 0, a rollout
   * reduces the capacity.
   *
   * @group Rollout
   * @default 0
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-unavailable
   */
  readonly maxUnavailable?: PodsOrPercent;

  /**
   * Command that migrates the database's schema. An init container in each pod runs the command.
   * Several pods may run the command at the same time, so the command must take a lock and be
   * idempotent. With `[]`, there is no migration.
   *
   * @group Rollout
   * @default - ["migrate"] with `database`, otherwise []
   */
  readonly migrationArgs?: readonly string[];

  /**
   * Seconds that a new pod must stay ready before Kubernetes reports the pod as available. With 0,
   * the rollout continues even if a new pod crashes soon after it becomes ready.
   *
   * @group Rollout
   * @default 10
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#min-ready-seconds
   */
  readonly minReadySeconds?: number;

  /**
   * Pure functions that change the component's specs, for fields that no arg sets. These functions
   * run last. Pulumi removes each field that a function does not return. TypeScript does not report
   * a misspelled field, but the cluster does.
   *
   * @group Common
   * @default - none
   * @example
   * { serviceSpec: (spec) => ({ ...spec, sessionAffinity: "ClientIP" }) }
   */
  readonly overrides?: WebServiceOverrides;

  /**
   * Port that the service listens on. Must be above 1024: the container does not run as root.
   *
   * @group Pod
   * @default 8080
   */
  readonly port?: number;

  /**
   * Additional ports of the container, and of the Service if `servicePort` is set. If nothing
   * listens on a port, connections to that port fail, but the rollout succeeds.
   *
   * @group Common
   * @default - none
   * @example
   * [{ name: "grpc", port: 9090, servicePort: 9090 }]
   */
  readonly ports?: readonly ExtraPort[];

  /**
   * Seconds that a terminating pod waits before it receives SIGTERM. During this time, load
   * balancers stop sending requests to the pod. If this delay is too short, each rollout loses
   * requests.
   *
   * @group Rollout
   * @default 15
   * @see https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/
   */
  readonly preStopSeconds?: number;

  /**
   * Number of seconds without progress after which Kubernetes reports a rollout as failed. If the
   * migration and the start of a pod together take longer, the rollout fails.
   *
   * @group Rollout
   * @default 300
   * @see
   * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#progress-deadline-seconds
   */
  readonly progressDeadlineSeconds?: number;

  /**
   * Makes Pulumi refuse updates that delete or replace the Deployment, Service or Ingress, because
   * such updates cause downtime. To allow such an update, run `pulumi state unprotect` before
   * `pulumi up`.
   *
   * @group Rollout
   * @default - the component's `opts.protect`
   */
  readonly protect?: boolean;

  /**
   * Probe that determines whether a pod receives requests. If the probe is not strict enough,
   * requests reach a pod that cannot answer.
   *
   * @group Rollout
   * @default - "/health/ready" every 5 s, 2 failures, 2 s timeout
   * @see https://kubernetes.io/docs/concepts/workloads/pods/probes/
   */
  readonly readinessProbe?: ProbeSettings;

  /**
   * Number of pods. Do not set this arg together with `autoscaling`. With more than one pod, the
   * component creates a PodDisruptionBudget. With one pod, a drain of the pod's node causes
   * downtime.
   *
   * @group Common
   * @default 1
   * @see https://kubernetes.io/docs/concepts/workloads/pods/disruptions/
   */
  readonly replicas?: number | undefined;

  /**
   * CPU and memory that Kubernetes reserves for a pod. Without `memoryLimit`, the memory request is
   * also the limit: if a container uses more memory, the kernel kills the container.
   *
   * @group Common
   * @default {"cpu":"250m","memory":"512Mi"}
   * @see https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
   */
  readonly requests?: Requests;

  /**
   * Number of old ReplicaSets to keep for `kubectl rollout undo`. With 0, that command fails.
   *
   * @group Rare
   * @default 5
   * @see
   * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#revision-history-limit
   */
  readonly revisionHistoryLimit?: number;

  /**
   * Command that fills an empty database. An init container runs the command after the migration.
   * If the database already contains data, the command must do nothing.
   *
   * @group Rollout
   * @default []
   * @example
   * ["seed", "--count", "50", "--if-empty"]
   */
  readonly seedArgs?: readonly string[];

  /**
   * Probe that limits the number of seconds for the start of a container to `failureThreshold`
   * times `periodSeconds`. If this product is too low, the kubelet repeatedly restarts a container
   * that needs more time to start.
   *
   * @group Rollout
   * @default - "/health/live" every 2 s, 75 failures (150 s), 2 s timeout
   * @see https://kubernetes.io/docs/concepts/workloads/pods/probes/
   */
  readonly startupProbe?: ProbeSettings;

  /**
   * Seconds between the deletion of a pod and SIGKILL, including `preStopSeconds`. A value below
   * `preStopSeconds` + `drainSeconds` + 10 is an error, because SIGKILL would cut off requests.
   *
   * @group Rollout
   * @default 60
   * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
   */
  readonly terminationGracePeriodSeconds?: number;

  /**
   * Track of the pods: `stable` or `canary`. The pods of track `canary` run the image of a branch,
   * and production's Service also sends requests to these pods. The Deployment's selector contains
   * the track, so a change of the track replaces the Deployment.
   *
   * @group Rare
   * @default "stable"
   */
  readonly track?: Track;
}
