import assert from "node:assert/strict";
import {
  type ComponentType,
  type Field,
  argsFor,
  fields,
} from "../../../../operations/preview/provenance/fields";
import { Canary, type CanaryArgs } from "../../../../components/web-service/canary";
import {
  ContainerImage,
  type ContainerImageArgs,
} from "../../../../components/image/container-image";
import { Postgres, type PostgresArgs } from "../../../../components/postgres/postgres";
import {
  ReviewNamespace,
  type ReviewNamespaceArgs,
} from "../../../../components/namespace/review-namespace";
import {
  CommandTemplate,
  type CommandTemplateArgs,
} from "../../../../components/scheduled-job/command-template";
import {
  ScheduledJob,
  type ScheduledJobArgs,
} from "../../../../components/scheduled-job/scheduled-job";
import {
  StackNamespace,
  type StackNamespaceArgs,
} from "../../../../components/namespace/stack-namespace";
import { WebService, type WebServiceArgs } from "../../../../components/web-service/web-service";
import {
  Repository,
  command,
  database,
  digest,
  everyPodArg,
  identity,
  job,
  web,
} from "../../../support/fixtures";
import { type Leaves, differences, leavesOf } from "../../../support/fields";
import { propertiesOf } from "../../../support/interfaces";
import { record, settled } from "../../../support/mocks";

/**
 * Changes to one arg. Each change is a set of args with another value for this arg. The set may
 * also contain other args that this arg needs. A test applies each of these changes. Together, the
 * changes must affect every field that depends on the arg.
 */
type Others<Args> = readonly Partial<Args>[];

interface Case<Args> {
  /**
   * Sets of args to which a test applies the changes. Some fields exist only if several args have a
   * value.
   */
  readonly bases: readonly Args[];
  readonly make: (args: Args) => unknown;
  readonly others: Readonly<Record<string, Others<Args>>>;
  readonly type: ComponentType;
}

/**
 * Replaces the type of the args with a general type, so that one list can contain the cases of all
 * components.
 */
const given = <Args>(each: Case<Args>) =>
  each as unknown as Case<Readonly<Record<string, unknown>>>;

const otherImage = `registry/other@sha256:${"c".repeat(64)}`;
const otherIdentity = {
  app: "other",
  environment: "other",
  instance: "other",
  protectedBranch: true,
  service: "other",
};
const labelled = { labels: { team: "other" } };
const added = { "example.com/added": "1" };

const otherPodArgs = {
  annotations: [{ annotations: added }],
  appEndpoint: [{ appEndpoint: "https://other.example.com/" }],
  configFiles: [{ configFiles: {} }, { configFiles: { "/etc/orders/limits.json": "other" } }],
  cpuLimit: [{ cpuLimit: "5" }],
  database: [
    { database: { ...database, host: "other", name: "other", port: 1, secretName: "other" } },
    { database: { ...database, sslMode: "verify-full" } },
    { database: undefined },
  ],
  datadogAgent: [{ datadogAgent: undefined }],
  env: [{ env: { ADDED: "1" } }],
  iamRoleArn: [{ iamRoleArn: "arn:aws:iam::123456789012:role/other" }],
  identity: [{ identity: otherIdentity }],
  imageRef: [{ imageRef: otherImage }],
  initContainers: [{ initContainers: [{ name: "other" }] }],
  javaOptions: [{ javaOptions: ["-Xlog:gc*"] }],
  labels: [labelled],
  logSource: [{ logSource: "other" }],
  memoryLimit: [{ memoryLimit: "2Gi" }],
  namespace: [{ namespace: "other" }],
  nodeSelector: [{ nodeSelector: added }],
  podAnnotations: [{ podAnnotations: added }],
  podLabels: [{ podLabels: labelled.labels }],
  release: [{ release: { branch: "other", commit: "f".repeat(40) } }],
  requests: [
    { requests: { cpu: "3", memory: "640Mi" } },
    // Without `memoryLimit`, the memory request is also the memory limit, and the heap depends on
    // this limit.
    { memoryLimit: undefined, requests: { cpu: "3", memory: "640Mi" } },
  ],
  secretFiles: [{ secretFiles: [] }],
  sidecars: [{ sidecars: [{ name: "other" }] }],
  tolerations: [{ tolerations: [] }],
  volumeMounts: [{ volumeMounts: [{ mountPath: "/other", name: "cache" }] }],
  volumes: [{ volumes: [...everyPodArg.volumes, { emptyDir: {}, name: "other" }] }],
};

const limited = { ...everyPodArg, cpuLimit: "4" };
const unlimited = { ...everyPodArg, cpuLimit: undefined };
const webBase = {
  ...web,
  ...limited,
  database,
  debugPort: 5005,
  host: "orders.example.com",
  ingressPreset: "eks-alb",
  ports: [{ name: "metrics", port: 9090, servicePort: 9090 }],
  seedArgs: ["seed"],
  tls: true,
  tlsSecretName: "certificate",
} as const;

const webService: Case<object> = {
  bases: [
    { ...webBase, replicas: 2 },
    { ...webBase, ...unlimited, autoscaling: { maxReplicas: 9, minReplicas: 3 } },
  ],
  make: (args) => new WebService("orders", args as WebServiceArgs),
  others: {
    ...otherPodArgs,
    args: [{ args: ["other"] }],
    autoscaling: [
      {
        autoscaling: { maxReplicas: 7, memoryUtilization: 50, minReplicas: 4 },
        replicas: undefined,
      },
      { autoscaling: undefined, replicas: undefined },
    ],
    debugPort: [{ debugPort: 5006 }],
    deregistrationDelaySeconds: [{ deregistrationDelaySeconds: 5 }],
    drainSeconds: [{ drainSeconds: 5 }],
    host: [{ host: "other.example.com" }, { host: undefined }],
    hosts: [
      { hosts: [{ host: "other.example.com" }] },
      { host: undefined, hosts: [{ host: "other.example.com" }] },
    ],
    ingressAnnotations: [{ ingressAnnotations: added }],
    ingressClassName: [{ ingressClassName: "other" }],
    ingressGroupName: [{ ingressGroupName: "other" }],
    ingressPreset: [{ ingressPreset: undefined }],
    ingressScheme: [{ ingressScheme: "internet-facing" }],
    longMigration: [{ longMigration: { version: "12" } }],
    livenessProbe: [{ livenessProbe: { path: "/other" } }],
    managementPort: [{ managementPort: 9001 }, { managementPort: 8080 }],
    maxSurge: [{ maxSurge: 3 }],
    maxUnavailable: [{ maxUnavailable: 3 }],
    migrationArgs: [{ migrationArgs: ["other"] }],
    minReadySeconds: [{ minReadySeconds: 3 }],
    "overrides.autoscalerSpec": [
      { overrides: { autoscalerSpec: (s: object) => ({ ...s, maxReplicas: 99 }) } },
    ],
    "overrides.container": [{ overrides: { container: (c: object) => ({ ...c, tty: true }) } }],
    "overrides.deploymentSpec": [
      { overrides: { deploymentSpec: (s: object) => ({ ...s, paused: true }) } },
    ],
    "overrides.ingressSpec": [
      { overrides: { ingressSpec: (s: object) => ({ ...s, ingressClassName: "other" }) } },
    ],
    "overrides.podDisruptionBudgetSpec": [
      { overrides: { podDisruptionBudgetSpec: (s: object) => ({ ...s, maxUnavailable: 5 }) } },
    ],
    "overrides.podSpec": [{ overrides: { podSpec: (s: object) => ({ ...s, hostname: "other" }) } }],
    "overrides.serviceSpec": [
      { overrides: { serviceSpec: (s: object) => ({ ...s, sessionAffinity: "ClientIP" }) } },
    ],
    port: [{ port: 9000 }],
    ports: [{ ports: [{ name: "other", port: 9091, servicePort: 9091 }] }],
    preStopSeconds: [{ preStopSeconds: 3 }],
    progressDeadlineSeconds: [{ progressDeadlineSeconds: 33 }],
    protect: [{ protect: true }],
    publicPort: [{ publicPort: 8443 }],
    readinessProbe: [{ readinessProbe: { path: "/other" } }],
    replicas: [{ autoscaling: undefined, replicas: 1 }],
    revisionHistoryLimit: [{ revisionHistoryLimit: 3 }],
    seedArgs: [{ seedArgs: ["other"] }],
    startupProbe: [{ startupProbe: { path: "/other" } }],
    terminationGracePeriodSeconds: [{ terminationGracePeriodSeconds: 99 }],
    tls: [{ tls: false, tlsSecretName: undefined }],
    tlsSecretName: [{ tlsSecretName: "other" }],
    track: [{ track: "canary" }],
  },
  type: "services:k8s:WebService",
};

const peers = [{ ipBlock: { cidr: "192.0.2.0/24" } }];

/** Args of a web service that a canary does not have. */
const notOfCanary = {
  ...{ autoscaling: undefined, iamRoleArn: undefined, longMigration: undefined },
  ...{ migrationArgs: undefined, protect: undefined, seedArgs: undefined, track: undefined },
};
const overridesNotOfCanary = [
  "overrides.autoscalerSpec",
  "overrides.ingressSpec",
  "overrides.podDisruptionBudgetSpec",
  "overrides.serviceSpec",
];
const canary: Case<object> = {
  bases: [limited, unlimited].map((limits) => {
    const own = { replicas: 2, serviceAccountName: "services-orders" };
    return { ...webBase, ...limits, ...notOfCanary, ...own };
  }),
  make: (args) => new Canary("orders", args as CanaryArgs),
  others: {
    ...Object.fromEntries(
      Object.entries(webService.others).filter(
        ([arg]) => !Object.hasOwn(notOfCanary, arg) && !overridesNotOfCanary.includes(arg),
      ),
    ),
    databaseTo: [{ databaseTo: peers }],
    datadogAgentTo: [{ datadogAgentTo: peers }],
    dnsTo: [{ dnsTo: peers }],
    egressTo: [{ egressTo: [{ ports: [{ port: 1 }], to: peers }] }],
    "overrides.networkPolicySpec": [
      { overrides: { networkPolicySpec: () => ({ podSelector: {} }) } },
    ],
    serviceAccountName: [{ serviceAccountName: "other" }],
  },
  type: "services:k8s:Canary",
};

const jobBase = { ...job, ...limited, database };
const withoutRole = { ...jobBase, ...unlimited, iamRoleArn: undefined };
const scheduledJob: Case<object> = {
  bases: [jobBase, withoutRole],
  make: (args) => new ScheduledJob("orders", args as ScheduledJobArgs),
  others: {
    ...otherPodArgs,
    activeDeadlineSeconds: [{ activeDeadlineSeconds: 33 }],
    args: [{ args: ["other"] }],
    backoffLimit: [{ backoffLimit: 5 }],
    completionMode: [{ completionMode: "NonIndexed" }],
    completions: [{ completions: 3 }],
    concurrencyPolicy: [{ concurrencyPolicy: "Replace" }],
    failedJobsHistoryLimit: [{ failedJobsHistoryLimit: 9 }],
    onFailure: [{ onFailure: { runbook: "https://other.example.com", tell: "slack:#other" } }],
    "overrides.container": [{ overrides: { container: (c: object) => ({ ...c, tty: true }) } }],
    "overrides.cronJobSpec": [
      { overrides: { cronJobSpec: (s: object) => ({ ...s, suspend: true }) } },
    ],
    "overrides.jobSpec": [{ overrides: { jobSpec: (s: object) => ({ ...s, suspend: true }) } }],
    "overrides.podSpec": [{ overrides: { podSpec: (s: object) => ({ ...s, hostname: "other" }) } }],
    parallelism: [{ parallelism: 3 }],
    podFailurePolicy: [{ podFailurePolicy: { rules: [] } }],
    podReplacementPolicy: [{ podReplacementPolicy: "Failed" }],
    schedule: [{ schedule: "*/5 * * * *" }],
    serviceAccountName: [{ iamRoleArn: undefined, serviceAccountName: "other" }],
    startingDeadlineSeconds: [{ startingDeadlineSeconds: 33 }],
    successfulJobsHistoryLimit: [{ successfulJobsHistoryLimit: 5 }],
    suspend: [{ suspend: true }],
    timeZone: [{ timeZone: "Europe/Berlin" }],
    ttlSecondsAfterFinished: [{ ttlSecondsAfterFinished: 33 }],
  },
  type: "services:k8s:ScheduledJob",
};

const { appEndpoint, database: otherDatabase, release, requests } = otherPodArgs;
const commandTemplate: Case<object> = {
  bases: [{ ...command, database, scheduledJobs: ["export"], serviceAccountName: "orders" }],
  make: (args) => new CommandTemplate("orders", args as CommandTemplateArgs),
  others: {
    ...{ appEndpoint, database: otherDatabase, release, requests },
    identity: otherPodArgs.identity,
    imageRef: otherPodArgs.imageRef,
    namespace: otherPodArgs.namespace,
    scheduledJobs: [{ scheduledJobs: ["export", "other"] }],
    serviceAccountName: [{ serviceAccountName: "other" }],
  },
  type: "services:k8s:CommandTemplate",
};

const postgres: Case<PostgresArgs> = {
  bases: [{ identity, imageRef: `postgres@${digest}`, namespace: "ns" }],
  make: (args) => new Postgres("postgres", args),
  others: {
    databaseName: [{ databaseName: "other" }],
    identity: [{ identity: otherIdentity }],
    imageRef: [{ imageRef: otherImage }],
    namespace: [{ namespace: "other" }],
    "overrides.container": [{ overrides: { container: (c) => ({ ...c, tty: true }) } }],
    "overrides.podSpec": [{ overrides: { podSpec: (s) => ({ ...s, hostname: "other" }) } }],
    "overrides.serviceSpec": [
      { overrides: { serviceSpec: (s) => ({ ...s, sessionAffinity: "ClientIP" }) } },
    ],
    "overrides.statefulSetSpec": [
      { overrides: { statefulSetSpec: (s) => ({ ...s, minReadySeconds: 3 }) } },
    ],
    storage: [{ storage: "3Gi" }],
  },
  type: "services:k8s:Postgres",
};

const otherNamespace = {
  identity: [{ identity: otherIdentity }],
  ingressPreset: [{ ingressPreset: "eks-alb" }],
  namespace: [{ namespace: "other" }],
  protect: [{ protect: true }],
  retain: [{ retain: true }],
} as const;

const stackNamespace: Case<StackNamespaceArgs> = {
  bases: [{ identity, namespace: "ns" }],
  make: (args) => new StackNamespace("namespace", args),
  others: { ...otherNamespace, annotations: [{ annotations: added }] },
  type: "services:k8s:StackNamespace",
};

const reviewNamespace: Case<ReviewNamespaceArgs> = {
  bases: [
    { branch: "x", egressTo: [{ to: peers }], identity, ingressFrom: peers, namespace: "ns" },
    { identity, ingressFrom: peers, ingressPreset: "eks-alb", namespace: "ns" },
    { identity, ingressFrom: peers, namespace: "ns" },
    { identity, namespace: "ns" },
  ],
  make: (args) => new ReviewNamespace("namespace", args),
  others: {
    ...otherNamespace,
    branch: [{ branch: "y" }],
    datadogAgentTo: [{ datadogAgentTo: peers }, { datadogAgentTo: [] }],
    dnsTo: [{ dnsTo: peers }],
    demands: [{ demands: [{ name: "other", pods: 1, requests: { cpu: "1", memory: "1Gi" } }] }],
    egressTo: [{ egressTo: [{ ports: [{ port: 1 }], to: peers }] }],
    ingressFrom: [{ ingressFrom: [{ ipBlock: { cidr: "198.51.100.0/24" } }] }],
    ingressPreset: [{ ingressPreset: "eks-alb" }],
    managementPort: [{ managementPort: 9001 }],
    "overrides.limitRangeSpec": [{ overrides: { limitRangeSpec: () => ({ limits: [] }) } }],
    "overrides.networkPolicySpecs": [
      { overrides: { networkPolicySpecs: { "default-deny": () => ({ podSelector: {} }) } } },
    ],
    "overrides.resourceQuotaSpec": [{ overrides: { resourceQuotaSpec: () => ({}) } }],
    quota: [{ quota: { cpu: "9", memory: "9Gi", pods: 9 } }],
    webPort: [{ webPort: 9000 }],
  },
  type: "services:k8s:ReviewNamespace",
};

const repositories = [new Repository(), new Repository()] as const;
repositories[1].write("service/pom.xml", "<project>other</project>");
repositories[1].build();
const containerImage: Case<ContainerImageArgs> = {
  bases: [
    { baseImageRef: `base@${digest}`, repository: "registry/orders", root: repositories[0].root },
  ],
  make: (args) => new ContainerImage("image", args),
  others: {
    baseImageRef: [{ baseImageRef: otherImage }],
    builder: [{ builder: "other" }],
    platforms: [{ platforms: ["linux/amd64"] }],
    repository: [{ repository: "registry/other" }],
    root: [{ root: repositories[1].root }],
  },
  type: "services:image:ContainerImage",
};

const cases = [
  given(canary),
  given(commandTemplate),
  given(containerImage),
  given(postgres),
  given(reviewNamespace),
  given(scheduledJob),
  given(stackNamespace),
  given(webService),
];

/** Returns the args of a component. Each spec of `overrides` is a separate arg. */
function argsOf(type: ComponentType): readonly string[] {
  const component = type.split(":").at(-1) ?? "";
  return propertiesOf(`${component}Args`)
    .flatMap(({ name, type: written }) => {
      if (name.getText() !== "overrides") return [name.getText()];
      return propertiesOf(written?.getText() ?? "").map(
        (spec) => `overrides.${spec.name.getText()}`,
      );
    })
    .sort();
}

describe("the fields of args", () => {
  after(() => {
    for (const repository of repositories) repository.remove();
  });

  it("are given for every component", () => {
    assert.deepEqual(cases.map(({ type }) => type).sort(), Object.keys(fields).sort());
  });

  for (const { bases, make, others, type } of cases) {
    describe(`of ${type}`, () => {
      async function leavesFor(args: Readonly<Record<string, unknown>>): Promise<Leaves> {
        // Omits args whose value is `undefined`.
        const own = Object.fromEntries(Object.entries(args).filter(([, v]) => v !== undefined));
        const recorder = await record();
        make(own);
        await settled();
        return leavesOf(recorder);
      }

      // `fields` does not need to contain every arg. operations/preview/impact/rows.ts explains the
      // args that `fields` does not contain.
      it("are given for args that exist, and every arg is tried here", () => {
        const args = argsOf(type);
        assert.deepEqual(
          Object.keys(fields[type]).filter((arg) => !args.includes(arg)),
          [],
        );
        assert.deepEqual(Object.keys(others).sort(), Object.keys(fields[type]).sort());
      });

      const plain: Leaves[] = [];
      before(async () => {
        for (const base of bases) plain.push(await leavesFor(base));
      });

      it("let an override have the whole spec of every object that has one", () => {
        const keys = plain.flatMap((leaves) => [...leaves.keys()]);
        const kinds = new Set(keys.map((key) => /^(\S+) \S+ spec\b/.exec(key)?.[1] ?? ""));
        for (const kind of kinds) {
          const last = argsFor(type, kind, "spec").at(-1);
          assert.ok(kind === "" || last?.startsWith("overrides."), kind);
        }
      });

      for (const [arg, values] of Object.entries(others)) {
        it(`are all that ${arg} changes, and all of them change with it`, async () => {
          const changed: (readonly [string, string])[] = [];
          for (const [index, base] of bases.entries()) {
            for (const other of values) {
              // The args before and after the change must differ only in `arg`. So `beside` also
              // contains every arg of `other`, except `arg`.
              const beside = { ...base, ...other, [arg]: base[arg] };
              const alike = Object.keys(other).length === 1 || arg.startsWith("overrides.");
              const before = alike ? plain[index] : await leavesFor(beside);
              const after = await leavesFor({ ...base, ...other });
              changed.push(...differences(before ?? new Map(), after));
            }
          }
          for (const [kind, path] of changed) {
            const found = argsFor(type, kind, path);
            assert.ok(found.includes(arg), `${kind} ${path}: only by ${found.join(", ")}`);
          }
          const own: Readonly<Record<string, readonly Field[]>> = fields[type];
          const one = (field: Field) => ({ ...fields, [type]: { [arg]: [field] } });
          for (const field of own[arg] ?? []) {
            const reached = changed.some(
              ([kind, path]) => argsFor(type, kind, path, one(field)).length > 0,
            );
            assert.ok(reached, `never changed: ${JSON.stringify(field)}`);
          }
        });
      }
    });
  }

  describe("asked which args may set a field, name", () => {
    const of = (kind: string, path: string) => argsFor("services:k8s:WebService", kind, path);
    const container = "spec.template.spec.containers[0]";

    it("the most specific one first, and the overrides of the spec around it", () => {
      assert.deepEqual(of("Deployment", "spec.replicas"), [
        "autoscaling",
        "replicas",
        "overrides.deploymentSpec",
      ]);
      assert.deepEqual(of("Deployment", `${container}.resources.limits.memory`), [
        "memoryLimit",
        "cpuLimit",
        "requests",
        "overrides.container",
        "overrides.podSpec",
        "overrides.deploymentSpec",
      ]);
    });

    it("those of one variable when its name is given, and of any when only its number is", () => {
      assert.equal(of("Deployment", `${container}.env[name=DD_VERSION].value`)[0], "release");
      assert.ok(!of("Deployment", `${container}.env[name=DD_VERSION].value`).includes("port"));
      assert.ok(of("Deployment", `${container}.env[3].value`).includes("port"));
    });

    it("those of a key with dots, as Pulumi writes it", () => {
      const path = 'metadata.labels["tags.datadoghq.com/version"]';
      assert.deepEqual(of("Deployment", path), ["release", "labels"]);
    });

    it("those that make an object, and nothing for what no arg sets", () => {
      assert.deepEqual(of("Ingress", ""), ["host", "hosts"]);
      assert.deepEqual(of("ServiceAccount", "automountServiceAccountToken"), []);
    });
  });
});
