/**
 * All defaults of the components, written once. The comments give the reasons for the numbers. A
 * component reads a table with `withDefaults(args, table)`, and single values with
 * `const { port = postgres.port } = args`. No component uses `||` for a default, because `||` also
 * replaces 0, `false` and an empty string.
 */

/** Defaults of all pods. */
export const pod = {
  /** Size limit of the volume for Datadog's Java agent, which is one jar of about 30 MB. */
  datadogAgentSizeLimit: "128Mi",
  /**
   * Maximum size of the JVM's heap, as a percentage of the container's memory limit. Outside the
   * heap, the JVM needs memory for metaspace, thread stacks and buffers: 145 MiB under full load.
   * In a test with 75 % of 512 MiB, the kernel killed the service. The JVM's own default is 25 %.
   */
  maxRamPercentage: 60,
  /**
   * Minimum value of the JVM flag `ActiveProcessorCount`. With fewer than 2 processors, the JVM
   * uses the serial garbage collector. If no flag sets the number and the container has no CPU
   * limit, the JVM counts all cores of the node.
   */
  minActiveProcessors: 2,
  /**
   * JVM flag that makes the JVM compile quickly and optimize less. Use this flag for a process or a
   * stack that ends soon. In our measurement, this flag reduced the CPU time of `migrate` from 4.1
   * s to 2.4 s, and of the start of `serve` from 6.9 s to 3.3 s.
   */
  quickStart: "-XX:TieredStopAtLevel=1",
  /**
   * The memory request is also the limit, so that a pod always has the memory that it may use. CPU
   * has no limit.
   */
  requests: { cpu: "250m", memory: "512Mi" },
  tmpSizeLimit: "64Mi",
  /**
   * User ID of the containers. The users of a node usually have IDs below 10000, so this ID usually
   * does not belong to a user of the node.
   */
  userId: 10001,
} as const;

/** Defaults of the web service. Each key is the name of an arg, except `servicePort`. */
export const webService = {
  args: ["serve"],
  /** Seconds that the service may take to finish open requests after SIGTERM. */
  drainSeconds: 30,
  /** Port for health and metrics. The Service and the Ingress do not have this port. */
  managementPort: 8081,
  maxSurge: "25%",
  /** With 0, a rollout removes an old pod only after a new pod is available. */
  maxUnavailable: 0,
  /**
   * If a pod crashes within 10 seconds after it becomes ready, Kubernetes does not count the pod as
   * available, and the rollout does not remove an old pod yet.
   */
  minReadySeconds: 10,
  port: 8080,
  /**
   * Seconds that a terminating pod waits before SIGTERM, because load balancers still send requests
   * to the pod for some seconds.
   */
  preStopSeconds: 15,
  /**
   * Seconds without progress until Kubernetes reports a rollout as failed. Kubernetes' default of
   * 600 is too long to wait for a pod that does not start.
   */
  progressDeadlineSeconds: 300,
  replicas: 1,
  requests: pod.requests,
  revisionHistoryLimit: 5,
  seedArgs: [],
  /** Port of the Service. No arg sets this value. */
  servicePort: 80,
  /**
   * Must be at least 55: preStop 15 + drain 30 + margin 10. Kubernetes' default of 30 would cut off
   * requests.
   */
  terminationGracePeriodSeconds: 60,
  tls: false,
  track: "stable",
} as const;

/** Args of a web service with quick rollouts and a quick removal: see ADR 0037. */
export const quickRollout = {
  drainSeconds: 10,
  minReadySeconds: 2,
  /** Enough for Traefik, which applies changes every 2 seconds, but not for each load balancer. */
  preStopSeconds: 5,
  terminationGracePeriodSeconds: 30,
} as const;

/** Values of the web service that no arg sets. */
export const rollout = {
  /** Minimum number of seconds from the end of `drainSeconds` until the kubelet sends SIGKILL. */
  graceMarginSeconds: 10,
  pdbMaxUnavailable: 1,
  /**
   * Pulumi's timeout for a rollout is this number of seconds longer than the deadline in
   * Kubernetes. So Kubernetes reports a failure first, and Pulumi shows the reason from Kubernetes.
   */
  pulumiWaitMarginSeconds: 60,
} as const;

/** Defaults of the init container that migrates the database. */
export const migration = { args: ["migrate"] } as const;

/** Defaults of the Job that runs a long migration. */
export const longMigration = {
  /**
   * Four hours. CircleCI stops a job after five hours. So a deploy that waits for the migration
   * still runs when Kubernetes stops the migration. The deploy can then show the reason.
   */
  activeDeadlineSeconds: 14_400,
  /**
   * Two retries, because the database may restart during a long migration. A migration with an
   * error in its SQL therefore runs three times before the Job fails.
   */
  backoffLimit: 2,
  /** Option of the service's CLI whose value is the version that the Job migrates to. */
  versionOption: "--to",
} as const;

/** Command that fills the empty database of a review stack with 50 orders. */
export const seedArgs = ["seed", "--count", "50", "--if-empty"] as const;

/** Defaults of the web service's Ingress. */
export const ingress = {
  albClassName: "alb",
  /**
   * TLS policy of the load balancer. The policy allows TLS 1.2 and 1.3. Without an annotation that
   * sets a policy, AWS uses `ELBSecurityPolicy-2016-08`, which allows TLS 1.0. This policy was the
   * default of the AWS console until AWS changed the default in 2025.
   *
   * @see
   * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
   */
  albSslPolicy: "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
  /**
   * Seconds that the load balancer waits for the open requests of a terminating pod. Must not be
   * above the pod's termination grace period. AWS's default is 300.
   */
  deregistrationDelaySeconds: 30,
  pathType: "Prefix",
  scheme: "internal",
} as const;

/** Defaults of the web service's autoscaler. */
export const autoscaling = {
  /**
   * Average CPU use that the autoscaler tries to reach, as a percentage of the CPU request. By
   * default, a pod has no CPU limit, so a busy pod can use more CPU than its request while new pods
   * start.
   */
  cpuUtilization: 70,
} as const;

/**
 * Paths and times of the three probes. If the readiness probe fails, the pod receives no requests.
 * If the liveness probe fails, the container restarts. The startup probe delays the other two
 * probes for up to 150 s, so that the liveness probe can be strict.
 */
export const probes = {
  live: "/health/live",
  ready: "/health/ready",
  liveness: { failureThreshold: 6, periodSeconds: 10, timeoutSeconds: 3 },
  readiness: { failureThreshold: 2, periodSeconds: 5, timeoutSeconds: 2 },
  startup: { failureThreshold: 75, periodSeconds: 2, timeoutSeconds: 2 },
} as const;

/** Defaults of scheduled jobs. */
export const scheduledJob = {
  /**
   * Deadline of a run, as a fraction of the schedule's shortest period. A run must end before the
   * next run starts.
   */
  activeDeadlineFraction: 0.9,
  activeDeadlineMaxSeconds: 3600,
  backoffLimit: 2,
  concurrencyPolicy: "Forbid",
  /**
   * This limit is enough for a nightly job that fails on each of the five days of
   * `ttlSecondsAfterFinished`. If a job fails more often, Kubernetes keeps only the newest five
   * failed runs.
   */
  failedJobsHistoryLimit: 5,
  requests: pod.requests,
  startingDeadlineSeconds: 300,
  successfulJobsHistoryLimit: 3,
  suspend: false,
  /**
   * Five days, so that people can still read the log of a failed run on the next working day. The
   * longest usual holiday is Easter: if a run fails on Thursday evening, its log exists until
   * Tuesday evening. On a usual weekend, the log of Friday night exists until Wednesday night.
   */
  ttlSecondsAfterFinished: 432_000,
  timeZone: "Etc/UTC",
} as const;

/**
 * Values of PostgreSQL's `sslmode`. The list does not contain `allow`, which uses TLS only if the
 * server refuses a connection without TLS.
 */
export const sslModes = ["disable", "prefer", "require", "verify-ca", "verify-full"] as const;

/** Defaults of the ephemeral PostgreSQL database. */
export const postgres = {
  /**
   * Number of connections for the service: PostgreSQL's `max_connections` of 100, minus the three
   * connections that PostgreSQL reserves for superusers.
   */
  connections: 97,
  databaseName: "orders",
  memoryLimit: "512Mi",
  port: 5432,
  requests: { cpu: "50m", memory: "128Mi" },
  /**
   * Default of `database.sslMode`. The ephemeral database uses this default, because the database
   * has no certificate that the service could verify.
   */
  sslMode: "prefer",
  storage: "1Gi",
  terminationGracePeriodSeconds: 30,
  username: "orders",
  /**
   * Time that Pulumi waits for the database's pod. The image pull and the first start usually take
   * a quarter of this time.
   */
  wait: "180s",
} as const;

/** Limits of a review stack's namespace. */
export const reviewNamespace = {
  /**
   * Space on the node's disk for each container: logs (the kubelet keeps 5 files of 10 MiB) and
   * `emptyDir` volumes (192 MiB with Datadog's agent, plus 647 MiB for a heap dump). The kubelet
   * evicts pods above the limit.
   */
  containerStorage: { limit: "1Gi", request: "64Mi" },
  /**
   * Maximum ratio of the memory limit to the memory request. This ratio limits how much the pods
   * can overcommit the memory of a node.
   */
  maxMemoryLimitRequestRatio: "4",
  /**
   * The quota is enough for the database, jobs, and a few replicas during a rollout. One node is
   * large enough for this quota.
   */
  quota: { cpu: "2", memory: "4Gi", pods: 10 },
  /**
   * The stack needs one Ingress, two Services and one Secret. For each scheduled job, the stack
   * also needs one CronJob. Most CronJobs are suspended, and have no Jobs. Each other CronJob has
   * at most 9 Jobs: 3 successful Jobs, 5 failed Jobs and 1 running Job. So 20 CronJobs have at most
   * 180 Jobs. The rest of the quota is for experiments and for the Jobs of `npm run run`.
   */
  quotaObjects: {
    "count/configmaps": "20",
    "count/cronjobs.batch": "100",
    "count/ingresses.networking.k8s.io": "2",
    "count/jobs.batch": "200",
    "count/secrets": "20",
    persistentvolumeclaims: "2",
    "requests.storage": "10Gi",
    services: "5",
    "services.loadbalancers": "0",
    "services.nodeports": "0",
  },
} as const;

/**
 * Private addresses (RFC 1918 and RFC 6598). The Datadog Agent listens on the nodes. The nodes of a
 * cluster usually have private addresses.
 */
export const privateAddresses = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "172.16.0.0/12",
  "192.168.0.0/16",
] as const;

/** Peers of a NetworkPolicy: one peer for each range of private addresses. */
export const privatePeers = privateAddresses.map((cidr: string) => ({ ipBlock: { cidr } }));

/** Ports of the Datadog Agent on each node: DogStatsD (UDP) and traces (TCP). */
export const datadogPorts = { metrics: 8125, traces: 8126 } as const;

/** Name of the port that serves requests, in the Service and in the container. */
export const httpPortName = "http";
/** Name of the container's port for health and metrics. */
export const managementPortName = "management";
/**
 * Name of the init container that migrates the database's schema, and of the container in the Job
 * of a long migration.
 */
export const migrationName = "migrate";
/** Name of the init container that fills an empty database. */
export const seedName = "seed";
