/**
 * All defaults of the components, written once, with the reason for each number.
 * A component reads a table with `withDefaults(args, table)`, and single values with
 * `const { port = postgres.port } = args`, never with `||`.
 */

/** All pods. */
export const pod = {
  /** Datadog's Java agent is one jar of about 30 MB. */
  datadogAgentSizeLimit: "128Mi",
  /** The JVM's own default is 25 % of the container. The rest is metaspace, stacks and buffers. */
  maxRamPercentage: 75,
  /** Without a CPU limit, the JVM counts all cores of the node. Below 2 it uses the serial GC. */
  minActiveProcessors: 2,
  /**
   * The JVM compiles quickly and optimizes less. For a process that ends soon, or in a stack that
   * does: `migrate` needs 2.4 CPU seconds and not 4.1, a start of `serve` 3.3 and not 6.9.
   */
  quickStart: "-XX:TieredStopAtLevel=1",
  /** Memory request = limit, so that a pod always has the memory it may use. CPU has no limit. */
  requests: { cpu: "250m", memory: "512Mi" },
  tmpSizeLimit: "64Mi",
  /** Above 10000, so that it is not a user of the node. */
  userId: 10001,
} as const;

/** Args of the web service. Each key is the arg's name. */
export const webService = {
  args: ["serve"],
  /** Seconds that the service may take to finish open requests after SIGTERM. */
  drainSeconds: 30,
  maxSurge: "25%",
  /** 0: a rollout never removes a pod before a new one is ready. */
  maxUnavailable: 0,
  /** A pod that crashes on start never counts as available. */
  minReadySeconds: 10,
  port: 8080,
  /** Seconds between the end of the endpoint and SIGTERM: load balancers learn late. */
  preStopSeconds: 15,
  /** Kubernetes' default is 600: too long to learn that a pod does not start. */
  progressDeadlineSeconds: 300,
  replicas: 1,
  requests: pod.requests,
  revisionHistoryLimit: 5,
  seedArgs: [],
  /** Not an arg: port of the Service. */
  servicePort: 80,
  /** preStop 15 + drain 30 + margin 10 = 55. Kubernetes' default of 30 would cut requests off. */
  terminationGracePeriodSeconds: 60,
  tls: false,
  track: "stable",
} as const;

/** What no arg of the web service sets. */
export const rollout = {
  /** Seconds between the end of the drain and SIGKILL. */
  graceMarginSeconds: 10,
  pdbMaxUnavailable: 1,
  /** Pulumi waits longer than Kubernetes, so that Kubernetes' reason is shown. */
  pulumiWaitMarginSeconds: 60,
} as const;

/** The init container that migrates the database. */
export const migration = { args: ["migrate"] } as const;

/** Fills the database of a review stack with two pages of orders. */
export const seedArgs = ["seed", "--count", "50", "--if-empty"] as const;

/** The Ingress of the web service. */
export const ingress = {
  albClassName: "alb",
  /** Not above the grace period. The load balancer's default is 300. */
  deregistrationDelaySeconds: 30,
  pathType: "Prefix",
  scheme: "internal",
} as const;

/** The autoscaler of the web service. */
export const autoscaling = {
  /** Percentage of the request. Without a CPU limit, a busy pod can use more while others start. */
  cpuUtilization: 70,
} as const;

/**
 * Three different probes: a failed readiness probe stops traffic, a failed liveness probe restarts.
 * The startup probe delays the other two for up to 150 s, so that liveness can stay strict.
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
  /** Fraction of the schedule's shortest period: a run must end before the next one starts. */
  activeDeadlineFraction: 0.9,
  activeDeadlineMaxSeconds: 3600,
  backoffLimit: 2,
  concurrencyPolicy: "Forbid",
  failedJobsHistoryLimit: 3,
  requests: pod.requests,
  startingDeadlineSeconds: 300,
  successfulJobsHistoryLimit: 3,
  suspend: false,
  /** One day: the logs of a failed run are still there the next morning. */
  ttlSecondsAfterFinished: 86_400,
  timeZone: "Etc/UTC",
} as const;

/** PostgreSQL's words for `sslmode`, without `allow`, which prefers a connection without TLS. */
export const sslModes = ["disable", "prefer", "require", "verify-ca", "verify-full"] as const;

/** The ephemeral PostgreSQL. */
export const postgres = {
  /** PostgreSQL's `max_connections` of 100, without the three that it keeps for superusers. */
  connections: 97,
  databaseName: "orders",
  memoryLimit: "512Mi",
  port: 5432,
  requests: { cpu: "50m", memory: "128Mi" },
  /** Of an arg `database` without `sslMode`. The ephemeral database has no certificate. */
  sslMode: "prefer",
  storage: "1Gi",
  terminationGracePeriodSeconds: 30,
  username: "orders",
  /** How long Pulumi waits for the pod. Pulling the image and the first start take a quarter. */
  wait: "180s",
} as const;

/** Limits of a review stack's namespace, and the defaults of a container without requests. */
export const reviewNamespace = {
  /** Memory limit divided by request, at most: a node's memory must not be overcommitted. */
  maxMemoryLimitRequestRatio: "4",
  /** Room for a few replicas during a rollout, the database and jobs: at most one node. */
  quota: { cpu: "2", memory: "4Gi", pods: 10 },
  /** The stack needs one Ingress and two Services. The rest is for experiments. */
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
 * Private addresses (RFC 1918 and RFC 6598). Nodes, on which the Datadog Agent listens, have such
 * addresses in every cluster.
 */
export const privateAddresses = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "172.16.0.0/12",
  "192.168.0.0/16",
] as const;

/** Ports of the Datadog Agent on each node: DogStatsD (UDP) and traces (TCP). */
export const datadogPorts = { metrics: 8125, traces: 8126 } as const;

/** Name of the port that serves requests, in the Service and in the container. */
export const httpPortName = "http";
