import type * as pulumi from "@pulumi/pulumi";
import type { Database } from "../pods/database";
import type { Identity, Release, Track } from "../conventions/labels";
import type { PodArgs } from "../pods/args";
import type { Requests } from "../conventions/quantities";
import type {
  Autoscaling,
  ExtraPort,
  IngressHost,
  PodsOrPercent,
  ProbeSettings,
  WebServiceOverrides,
} from "./arg-types";

export interface WebServiceArgs extends PodArgs {
  /**
   * Names and labels that identify the stack's objects. Never change it:
   * another identity replaces the Deployment, which causes downtime.
   *
   * @group Common
   */
  readonly identity: Identity;
  /**
   * Container image as `repository@sha256:...`. A tag is an error, because a tag may be moved.
   * If the registry does not have the digest, no new pod starts.
   *
   * @group Common
   */
  readonly imageRef: pulumi.Input<string>;
  /**
   * Namespace of all objects. Another namespace deletes and creates all of them, which causes
   * downtime.
   *
   * @group Common
   */
  readonly namespace: pulumi.Input<string>;
  /**
   * Branch and commit. Only the Deployment and its pods carry them, so that nothing else changes.
   * With a wrong value, errors and traces appear under another version.
   *
   * @group Common
   */
  readonly release: Release;

  /**
   * Public URL that the pods receive as `APP_ENDPOINT`. A wrong value breaks links in responses.
   *
   * @group Rare
   * @default - the URL of the first host, if there is a host
   */
  readonly appEndpoint?: string;

  /**
   * Command of the service's CLI that serves requests.
   * If it exits, or does not listen on `port`, the rollout fails.
   *
   * @group Rare
   * @default ["serve"]
   */
  readonly args?: readonly string[];

  /**
   * Scales the number of pods by load: a HorizontalPodAutoscaler with the service's name.
   * It needs metrics-server: without metrics, the number stays. Do not set `replicas` as well.
   *
   * A new Deployment starts with `minReplicas`. After that, updates ignore `spec.replicas`.
   * Turning it on removes no pod: the number stays until the autoscaler changes it.
   * (If the field were left out, Kubernetes would go back to one pod, because a field that its
   * only owner no longer applies gets its default.)
   *
   * Turning it off keeps the number that the autoscaler chose. The cluster refuses the next change
   * of the Deployment once, as a conflict. Run that update with
   * `PULUMI_K8S_ENABLE_PATCH_FORCE=true`.
   *
   * @group Common
   * @default - none: the number of pods is `replicas`
   * @example
   * { minReplicas: 3, maxReplicas: 12, cpuUtilization: 60 }
   * @see https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/
   */
  readonly autoscaling?: Autoscaling | undefined;

  /**
   * Database of the service. Without it, the service does not start.
   * Set the size of its connection pool with `env`: `DATABASE_POOL_SIZE`.
   *
   * @group Common
   * @default - none
   */
  readonly database?: Database;

  /**
   * Port of the Java debugger (JDWP), on the pod's loopback address only. No Service has it:
   * use `kubectl port-forward`. Anyone who can reach it can run any code in the pod.
   *
   * @group Pod
   * @default - no debugger
   */
  readonly debugPort?: number | undefined;

  /**
   * Seconds that the load balancer waits for open requests to a pod. Needs `ingressPreset`.
   * Must not be above `terminationGracePeriodSeconds`: requests would reach pods that are gone.
   *
   * @group Ingress
   * @default 30
   */
  readonly deregistrationDelaySeconds?: number;

  /**
   * Seconds that the service may take to finish open requests after SIGTERM.
   * A request that takes longer is cut off.
   *
   * @group Rollout
   * @default 30
   */
  readonly drainSeconds?: number;

  /**
   * Public host name. Without `host` and `hosts`, there is no Ingress.
   * DNS must point it to the ingress controller, or requests get no answer.
   *
   * @group Common
   * @default - none
   */
  readonly host?: string;

  /**
   * More hosts, or a host with paths. The first of all hosts is the host of the public URL.
   * If another Ingress has the same host, either of them may answer.
   *
   * @group Ingress
   * @default - none
   * @example
   * [{ host: "api.example.com", paths: [{ path: "/orders" }] }]
   */
  readonly hosts?: readonly IngressHost[];

  /**
   * Annotations of the Ingress. They win over those of `ingressPreset`.
   * A misspelled annotation has no effect and gives no error.
   *
   * @group Ingress
   * @default - none
   */
  readonly ingressAnnotations?: Readonly<Record<string, pulumi.Input<string>>>;

  /**
   * IngressClass of the Ingress. If no controller serves the class, the host gives no answer, and
   * the update waits for an address until it times out.
   *
   * @group Ingress
   * @default - "alb" with `ingressPreset`, otherwise the cluster's default class
   * @see https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class
   */
  readonly ingressClassName?: string | undefined;

  /**
   * Name of the group of Ingresses that share one load balancer. Needs `ingressPreset`.
   * Anyone who can create an Ingress in the group can add rules to its hosts:
   * review stacks need a separate group.
   *
   * @group Ingress
   * @default - a separate load balancer
   */
  readonly ingressGroupName?: string;

  /**
   * Annotations for a type of ingress controller. `eks-alb` is the AWS Load Balancer Controller:
   * it sends requests directly to pods and checks their readiness. The namespace needs the label
   * `elbv2.k8s.aws/pod-readiness-gate-inject=enabled`, or a rollout may continue too early.
   *
   * @group Ingress
   * @default - none
   * @see https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/
   */
  readonly ingressPreset?: "eks-alb";

  /**
   * Who can reach the load balancer. Needs `ingressPreset`.
   * A change creates a new load balancer with a new address.
   *
   * @group Ingress
   * @default "internal"
   */
  readonly ingressScheme?: "internal" | "internet-facing";

  /**
   * When the kubelet restarts the container. If it is too strict, a busy pod is killed.
   *
   * @group Rollout
   * @default - "/health/live" every 10 s, 6 failures, 3 s timeout
   * @see https://kubernetes.io/docs/concepts/workloads/pods/probes/
   */
  readonly livenessProbe?: ProbeSettings | undefined;

  /**
   * Pods that a rollout may add for a while. The nodes and the quota need room for them.
   *
   * @group Rollout
   * @default "25%"
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-surge
   */
  readonly maxSurge?: PodsOrPercent;

  /**
   * Pods that a rollout may remove before new ones are ready. Above 0, a rollout reduces capacity.
   *
   * @group Rollout
   * @default 0
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-unavailable
   */
  readonly maxUnavailable?: PodsOrPercent;

  /**
   * Command that migrates the database's schema, run by an init container in each pod.
   * It must take a lock and be idempotent. `[]` turns it off.
   *
   * @group Rollout
   * @default - ["migrate"] with `database`, otherwise []
   */
  readonly migrationArgs?: readonly string[];

  /**
   * Seconds that a new pod must stay ready before it counts as available.
   * With 0, a rollout continues past a pod that crashes on start.
   *
   * @group Rollout
   * @default 10
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#min-ready-seconds
   */
  readonly minReadySeconds?: number;

  /**
   * Pure functions that change each spec last, for fields that no arg sets.
   * A field that a function leaves out is removed. TypeScript does not find a misspelled field,
   * the cluster does.
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
   * More ports of the container, and of the Service if `servicePort` is set.
   * If nothing listens on a port, connections fail, but the rollout does not.
   *
   * @group Common
   * @default - none
   * @example
   * [{ name: "metrics", port: 9090 }]
   */
  readonly ports?: readonly ExtraPort[];

  /**
   * Seconds between the end of a pod as an endpoint and SIGTERM.
   * Load balancers learn late. If the time is too short, each rollout loses requests.
   *
   * @group Rollout
   * @default 15
   * @see https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/
   */
  readonly preStopSeconds?: number;

  /**
   * Seconds without progress before a rollout counts as failed. If the start and the migration of
   * a pod take longer, good rollouts fail.
   *
   * @group Rollout
   * @default 300
   * @see
   * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#progress-deadline-seconds
   */
  readonly progressDeadlineSeconds?: number;

  /**
   * Refuses updates that delete or replace the Deployment, Service or Ingress, which causes
   * downtime. To do it anyway, run `pulumi state unprotect`, then `pulumi up`.
   *
   * @group Rollout
   * @default - the component's `opts.protect`
   */
  readonly protect?: boolean;

  /**
   * Port of the public URL. A wrong value breaks links in responses.
   *
   * @group Ingress
   * @default - the scheme's own port
   */
  readonly publicPort?: number | undefined;

  /**
   * When a pod receives requests. If it is too lenient, requests reach a pod that cannot answer.
   *
   * @group Rollout
   * @default - "/health/ready" every 5 s, 2 failures, 2 s timeout
   * @see https://kubernetes.io/docs/concepts/workloads/pods/probes/
   */
  readonly readinessProbe?: ProbeSettings;

  /**
   * Number of pods, without `autoscaling`. With more than one, there is a PodDisruptionBudget.
   * With 1 pod, draining a node causes downtime.
   *
   * @group Common
   * @default 1
   * @see https://kubernetes.io/docs/concepts/workloads/pods/disruptions/
   */
  readonly replicas?: number | undefined;

  /**
   * CPU and memory that Kubernetes reserves for a pod. The memory is also the limit: if a pod uses
   * more, the kernel kills the container.
   *
   * @group Common
   * @default {"cpu":"250m","memory":"512Mi"}
   * @see https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
   */
  readonly requests?: Requests;

  /**
   * Old ReplicaSets to keep for `kubectl rollout undo`. With 0, you cannot roll back that way.
   *
   * @group Rare
   * @default 5
   * @see
   * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#revision-history-limit
   */
  readonly revisionHistoryLimit?: number;

  /**
   * Command that fills an empty database, run by an init container after the migration.
   * It must do nothing if the database has data.
   *
   * @group Rollout
   * @default []
   * @example
   * ["seed", "--count", "50", "--if-empty"]
   */
  readonly seedArgs?: readonly string[];

  /**
   * How long a pod may take to start: `failureThreshold` times `periodSeconds`.
   * Too short: a pod that starts slowly restarts again and again.
   *
   * @group Rollout
   * @default - "/health/live" every 2 s, 75 failures (150 s), 2 s timeout
   * @see https://kubernetes.io/docs/concepts/workloads/pods/probes/
   */
  readonly startupProbe?: ProbeSettings;

  /**
   * Seconds between the deletion of a pod and SIGKILL, `preStopSeconds` included.
   * Must be at least `preStopSeconds` + `drainSeconds` + 10, or requests are cut off.
   *
   * @group Rollout
   * @default 60
   * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
   */
  readonly terminationGracePeriodSeconds?: number;

  /**
   * Whether the public URL is https. The Ingress then lists the hosts under `tls`.
   * If no certificate covers a host, browsers show a warning.
   *
   * @group Ingress
   * @default false
   */
  readonly tls?: boolean;

  /**
   * Secret with the certificate, with `tls`. If the Secret is missing, the controller uses its
   * default certificate, and browsers show a warning.
   *
   * @group Ingress
   * @default - the ingress controller finds a certificate for the host
   */
  readonly tlsSecretName?: pulumi.Input<string>;

  /**
   * Which pods behind the Service these are. Part of the Deployment's selector:
   * a change replaces the Deployment.
   *
   * @group Rare
   * @default "stable"
   */
  readonly track?: Track;
}
