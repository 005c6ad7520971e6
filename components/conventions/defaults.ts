/**
 * Every default of the components, written once. Where a number comes from stands beside it; a
 * component takes it by `const { replicas = webService.replicas } = args`, never by `||`.
 */

/** Pods of any kind. */
export const pod = {
  /** Datadog's agent for Java is one jar of about 30 MB. */
  datadogAgentSizeLimit: "128Mi",
  /** The JVM's own heap default is 25 % of the container; the rest is metaspace, stacks, buffers. */
  maxRamPercentage: 75,
  /** Without a CPU limit the JVM counts every core of the node; below 2 it picks the serial collector. */
  minActiveProcessors: 2,
  /** Memory request = limit, so that a pod is never killed for memory it was promised. No CPU limit: it throttles. */
  requests: { cpu: "250m", memory: "512Mi" },
  tmpSizeLimit: "64Mi",
  /** Above 10000, so that it is no user of the node's. */
  userId: 10001,
} as const;

/** The web service. */
export const webService = {
  args: ["serve"],
  /** Seconds the service finishes open requests for, after SIGTERM. */
  drainSeconds: 30,
  /** Between the end of the drain and SIGKILL. */
  graceMarginSeconds: 10,
  maxSurge: "25%",
  /** 0: a rollout never takes a pod away before another one is ready. */
  maxUnavailable: 0,
  /** A pod that dies at once never counts as available. */
  minReadySeconds: 10,
  migrationArgs: ["migrate"],
  pdbMaxUnavailable: 1,
  port: 8080,
  /** Seconds between "no longer an endpoint" and SIGTERM: load balancers learn late. */
  preStopSeconds: 15,
  /** Kubernetes' own is 600: nobody waits ten minutes to learn that a pod does not start. */
  progressDeadlineSeconds: 300,
  /** Pulumi waits longer than Kubernetes, so that Kubernetes' reason is what is shown. */
  pulumiWaitMarginSeconds: 60,
  replicas: 1,
  revisionHistoryLimit: 5,
  servicePort: 80,
  /** preStop 15 + drain 30 + margin 10 = 55; Kubernetes' own 30 would cut requests off. */
  terminationGracePeriodSeconds: 60,
  track: "stable",
} as const;

/** Orders that a review stack begins with: two pages of them. */
export const seedArgs = ["seed", "--count", "50", "--if-empty"] as const;

/** The Ingress of the web service. */
export const ingress = {
  albClassName: "alb",
  /** Not above the grace period. The load balancer's own is 300. */
  deregistrationDelaySeconds: 30,
  pathType: "Prefix",
  scheme: "internal",
} as const;

/** The autoscaler of the web service. */
export const autoscaling = {
  /** Percent of the request. There is no CPU limit, so a busy pod may go far above it while others start. */
  cpuUtilization: 70,
} as const;

/**
 * Probes that differ: readiness may fail for a while (no traffic), liveness restarts the pod.
 * Startup keeps the other two away for up to 150 s, so that a slow start needs no lax liveness.
 */
export const probes = {
  live: "/health/live",
  ready: "/health/ready",
  liveness: { failureThreshold: 6, periodSeconds: 10, timeoutSeconds: 3 },
  readiness: { failureThreshold: 2, periodSeconds: 5, timeoutSeconds: 2 },
  startup: { failureThreshold: 75, periodSeconds: 2, timeoutSeconds: 2 },
} as const;

/** Scheduled jobs. */
export const scheduledJob = {
  /** Of the schedule's shortest period, so that a run ends before the next one starts. */
  activeDeadlineFraction: 0.9,
  activeDeadlineMaxSeconds: 3600,
  backoffLimit: 2,
  concurrencyPolicy: "Forbid",
  failedJobsHistoryLimit: 3,
  startingDeadlineSeconds: 300,
  successfulJobsHistoryLimit: 3,
  suspend: false,
  /** One day: logs of a failed run are there the next morning. */
  ttlSecondsAfterFinished: 86_400,
  timeZone: "Etc/UTC",
} as const;

/** The throw-away PostgreSQL. */
export const postgres = {
  databaseName: "orders",
  memoryLimit: "512Mi",
  port: 5432,
  requests: { cpu: "50m", memory: "128Mi" },
  storage: "1Gi",
  terminationGracePeriodSeconds: 30,
  username: "orders",
  /** Pulumi's wait for the pod. Pulling the image and making the database take a quarter of it. */
  wait: "180s",
} as const;

/** What a namespace of a review stack may hold, and what a container gets that asks for nothing. */
export const reviewNamespace = {
  /** A limit of at most four times the request, so that a node's memory cannot be promised many times over. */
  maxMemoryLimitRequestRatio: "4",
  /** Room for a few replicas during a rollout, the database, and jobs; a node's worth at most. */
  quota: { cpu: "2", memory: "4Gi", pods: 10 },
  /** The service has one Ingress and one headless and one ordinary Service; the rest is for trying things. */
  quotaObjects: {
    "count/ingresses.networking.k8s.io": "2",
    persistentvolumeclaims: "2",
    "requests.storage": "10Gi",
    services: "5",
    "services.loadbalancers": "0",
    "services.nodeports": "0",
  },
} as const;

/**
 * Private addresses (RFC 1918, and RFC 6598, which clusters use for nodes and pods as well): a
 * node, on which Datadog's agent listens, has one of them wherever the cluster is.
 */
export const privateAddresses = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "172.16.0.0/12",
  "192.168.0.0/16",
] as const;

/** Ports of Datadog's agent on each node: DogStatsD (UDP) and traces (TCP). */
export const datadogPorts = { metrics: 8125, traces: 8126 } as const;

/** The Service port and container port are addressed by this name. */
export const httpPortName = "http";
