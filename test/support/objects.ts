/**
 * A Pulumi program that breaks no policy rule, and for each rule the changes to this program that
 * break the rule.
 */
import { digest } from "./fixtures";
import type { Manifest } from "./mocks";

export interface Given {
  readonly name: string;
  readonly opts: { protect: boolean };
  props: Manifest;
  readonly type: string;
}

export type Program = Readonly<Record<keyof typeof kinds, Given>>;

const kinds = {
  configMap: "kubernetes:core/v1:ConfigMap",
  cronJob: "kubernetes:batch/v1:CronJob",
  deployment: "kubernetes:apps/v1:Deployment",
  ingress: "kubernetes:networking.k8s.io/v1:Ingress",
  namespace: "kubernetes:core/v1:Namespace",
  service: "kubernetes:core/v1:Service",
} as const;

const registry = "registry.example.com";
const labels = { "app.kubernetes.io/instance": "orders", "app.kubernetes.io/name": "orders" };
const released = { ...labels, branch: "main", commit_id: "0123456", version: "main" };

function container(name: string): Manifest {
  return {
    env: [
      { name: "DATABASE_PASSWORD_FILE", value: "/etc/secrets/database/password" },
      { name: "TOKEN", valueFrom: { secretKeyRef: { key: "token", name: "partner" } } },
    ],
    image: `${registry}/orders@${digest}`,
    name,
    resources: { limits: { memory: "512Mi" }, requests: { cpu: "250m", memory: "512Mi" } },
    securityContext: { allowPrivilegeEscalation: false },
  };
}

function podSpec(name: string): Manifest {
  return {
    containers: [container(name), container("sidecar")],
    initContainers: [container("migrate")],
    securityContext: { runAsNonRoot: true, runAsUser: 10001 },
    volumes: [{ emptyDir: {}, name: "tmp" }],
  };
}

function template(name: string): Manifest {
  return { metadata: { labels: released }, spec: podSpec(name) };
}

const specs: Readonly<Record<keyof typeof kinds, Manifest>> = {
  configMap: { data: { "limits.json": "{}" } },
  cronJob: {
    spec: {
      concurrencyPolicy: "Forbid",
      jobTemplate: { spec: { activeDeadlineSeconds: 3240, template: template("nightly") } },
      schedule: "0 3 * * *",
      startingDeadlineSeconds: 300,
    },
  },
  deployment: { spec: { selector: { matchLabels: labels }, template: template("web") } },
  ingress: { spec: { defaultBackend: { service: { name: "orders", port: { number: 80 } } } } },
  namespace: {},
  service: { spec: { ports: [{ port: 80 }], selector: labels, type: "ClusterIP" } },
};

const guarded: readonly string[] = ["deployment", "ingress", "namespace", "service"];

/** Configuration that names the image registry. */
export const config = {
  "services-orders:databaseHost": "db.example.com",
  "services-orders:domain": "example.com",
  "services-orders:imageRepository": `${registry}/orders`,
  // This setting replaces the company's registries, so that images may come from only one
  // repository.
  "services-orders:registries": `${registry}/orders`,
};

/** Returns one object of each kind. The objects break no rule in this stack. */
export function program(stack: string): Program {
  const entries = Object.entries(kinds).map(([name, type]): [string, Given] => {
    const metadata = { labels: released, name, namespace: "orders" };
    const props = structuredClone({ metadata, ...specs[name as keyof typeof kinds] });
    const opts = { protect: stack === "prod" && guarded.includes(name) };
    return [name, { name, opts, props, type }];
  });
  return Object.fromEntries(entries) as Program;
}

export interface Break {
  readonly change: (program: Program) => void;
  /** The whole message of the policy rule. */
  readonly message: string;
  /** The stack in which the test checks the rule. The default is `staging`. */
  readonly stack?: string;
}

const web = (p: Program): Manifest => p.deployment.props.spec.template.spec;
const nightly = (p: Program): Manifest => p.cronJob.props.spec.jobTemplate.spec.template.spec;
const at = "spec.template.spec";
const atJob = "spec.jobTemplate.spec.template.spec";
const elsewhere = `docker.io/library/busybox@${digest}`;
const forms = "repository@sha256:<64 hex digits>";
const pin = "take the digest that the registry shows for the tag";
const origin =
  "use an image from there, or add the registry of this image to services-orders:registries";
const own = "set it, as the components do for their own containers";
const user = "use a user of the image that is not root, such as 10001";
const nonRoot = "set it to true, and run the image as a user that is not root";
const escalation = "set it to false, because the default is true";
const mounts = "use an emptyDir, a PersistentVolumeClaim, a ConfigMap or a Secret";
const select = "select by selector() or trackSelector() of components/conventions/labels.ts";
const frozen = "not select by a label that changes with a release";
const secret =
  "keep the value in the cluster, and name its Secret and key (env: { NAME: { secretName, key } })";
const unprotect = "remove protect from the resource, and from its parent component";

/**
 * For each rule: the changes that break the rule, with the rule's message. The end-to-end test uses
 * only the first change for each rule, together with the first changes of the other rules of the
 * same stack. So the first changes of the rules of one stack must not touch the same field.
 */
export const breaks: Readonly<Record<string, readonly Break[]>> = {
  "callers-authenticated": [
    {
      change: (p) =>
        (p.ingress.props.metadata.annotations = {
          "alb.ingress.kubernetes.io/scheme": "internet-facing",
        }),
      message:
        'Ingress "ingress": metadata.annotations["callers-authenticated-by"] must say what authenticates callers, because the Ingress is internet-facing, got nothing; set services-orders:callersAuthenticatedBy, or set services-orders:ingressScheme to internal',
    },
  ],
  "cron-job-bounded": [
    {
      change: (p) => delete p.cronJob.props.spec.concurrencyPolicy,
      message:
        'CronJob "cronJob": spec.concurrencyPolicy must be Forbid, Replace or Allow, got nothing; set it: without it, runs overlap',
    },
    {
      change: (p) => delete p.cronJob.props.spec.startingDeadlineSeconds,
      message:
        'CronJob "cronJob": spec.startingDeadlineSeconds must be at least 10 (seconds), got nothing; set it, such as 300',
    },
    {
      change: (p) => (p.cronJob.props.spec.startingDeadlineSeconds = 9),
      message:
        'CronJob "cronJob": spec.startingDeadlineSeconds must be at least 10 (seconds), got 9; set it, such as 300',
    },
    {
      change: (p) => delete p.cronJob.props.spec.jobTemplate.spec.activeDeadlineSeconds,
      message:
        'CronJob "cronJob": spec.jobTemplate.spec.activeDeadlineSeconds must be at least 1 (seconds), got nothing; set it below the time between two runs',
    },
  ],
  "image-digest": [
    {
      change: (p) => (web(p).containers[0].image = `${registry}/orders:latest`),
      message: `Deployment "deployment": ${at}.containers[0].image must be ${forms}, got "${registry}/orders:latest"; ${pin}`,
    },
    {
      change: (p) => (web(p).initContainers[0].image = `${registry}/orders`),
      message: `Deployment "deployment": ${at}.initContainers[0].image must be ${forms}, got "${registry}/orders"; ${pin}`,
    },
    {
      change: (p) => (nightly(p).containers[1].image = `${registry}/orders@sha256:abc`),
      message: `CronJob "cronJob": ${atJob}.containers[1].image must be ${forms}, got "${registry}/orders@sha256:abc"; ${pin}`,
    },
    {
      change: (p) => delete nightly(p).containers[0].image,
      message: `CronJob "cronJob": ${atJob}.containers[0].image must be ${forms}, got nothing; ${pin}`,
    },
  ],
  "image-registry": [
    {
      change: (p) => (web(p).containers[1].image = elsewhere),
      message: `Deployment "deployment": ${at}.containers[1].image must come from ${registry}/orders, got "${elsewhere}"; ${origin}`,
    },
    {
      change: (p) => (nightly(p).initContainers[0].image = `${registry}/orders-2@${digest}`),
      message: `CronJob "cronJob": ${atJob}.initContainers[0].image must come from ${registry}/orders, got "${registry}/orders-2@${digest}"; ${origin}`,
    },
  ],
  "no-host-path": [
    {
      change: (p) => (web(p).volumes[0] = { hostPath: { path: "/" }, name: "tmp" }),
      message: `Deployment "deployment": ${at}.volumes[0].hostPath must not be set, got {"path":"/"}; ${mounts}`,
    },
    {
      change: (p) => nightly(p).volumes.push({ hostPath: { path: "/run" }, name: "run" }),
      message: `CronJob "cronJob": ${atJob}.volumes[1].hostPath must not be set, got {"path":"/run"}; ${mounts}`,
    },
  ],
  "no-load-balancer-in-review": [
    {
      change: (p) => (p.service.props.spec.type = "LoadBalancer"),
      message:
        'Service "service": spec.type must not be LoadBalancer in a review stack, got "LoadBalancer"; use ClusterIP, and the Ingress for requests from outside',
      stack: "review-x",
    },
  ],
  "no-privilege-escalation": [
    {
      change: (p) => delete web(p).containers[0].securityContext.allowPrivilegeEscalation,
      message: `Deployment "deployment": ${at}.containers[0].securityContext.allowPrivilegeEscalation must be false, got nothing; ${escalation}`,
    },
    {
      change: (p) => delete web(p).initContainers[0].securityContext,
      message: `Deployment "deployment": ${at}.initContainers[0].securityContext.allowPrivilegeEscalation must be false, got nothing; ${escalation}`,
    },
    {
      change: (p) => (nightly(p).containers[1].securityContext.allowPrivilegeEscalation = true),
      message: `CronJob "cronJob": ${atJob}.containers[1].securityContext.allowPrivilegeEscalation must be false, got true; ${escalation}`,
    },
    {
      change: (p) => (nightly(p).containers[0].securityContext.privileged = true),
      message: `CronJob "cronJob": ${atJob}.containers[0].securityContext.privileged must not be true, got true; remove it`,
    },
  ],
  "no-secret-values": [
    {
      change: (p) => web(p).containers[0].env.push({ name: "DB_PASSWORD", value: "hunter2" }),
      message: `Deployment "deployment": ${at}.containers[0].env[2].value must not hold the value of DB_PASSWORD, got "a value"; ${secret}`,
    },
    {
      change: (p) => nightly(p).initContainers[0].env.push({ name: "api_key", value: "hunter2" }),
      message: `CronJob "cronJob": ${atJob}.initContainers[0].env[2].value must not hold the value of api_key, got "a value"; ${secret}`,
      stack: "prod-canary",
    },
    {
      change: (p) => {
        become(p.configMap, "kubernetes:core/v1:Secret");
      },
      message: `Secret "configMap": data must not be set, got "a value"; ${secret}`,
      stack: "prod",
    },
    {
      change(p) {
        become(p.configMap, "kubernetes:core/v1:Secret");
        p.configMap.props = { metadata: { name: "s" }, stringData: { token: "hunter2" } };
      },
      message: `Secret "s": stringData must not be set, got "a value"; ${secret}`,
    },
  ],
  "non-root": [
    {
      change: (p) => delete web(p).securityContext,
      message: `Deployment "deployment": ${at}.containers[0].securityContext.runAsNonRoot must be true, here or for the pod, got nothing; ${nonRoot}`,
    },
    {
      change: (p) => (nightly(p).initContainers[0].securityContext.runAsNonRoot = false),
      message: `CronJob "cronJob": ${atJob}.initContainers[0].securityContext.runAsNonRoot must be true, here or for the pod, got false; ${nonRoot}`,
    },
    {
      change: (p) => (web(p).containers[1].securityContext.runAsUser = 0),
      message: `Deployment "deployment": ${at}.containers[1].securityContext.runAsUser must not be 0, which is root, got 0; ${user}`,
    },
    {
      change: (p) => (nightly(p).securityContext.runAsUser = 0),
      message: `CronJob "cronJob": ${atJob}.containers[0].securityContext.runAsUser must not be 0, which is root, got 0; ${user}`,
    },
  ],
  "protect-production": [
    ...(["deployment", "ingress", "namespace", "service"] as const).map((name) => ({
      change: (p: Program) => void (p[name].opts.protect = false),
      message: `${kinds[name].split(":")[2] ?? ""} "${name}": opts.protect must be true in stack prod, got false; pass protect: true to the resource`,
      stack: "prod",
    })),
    {
      change: (p) => (p.configMap.opts.protect = true),
      message: `ConfigMap "configMap": opts.protect must be false in stack prod, got true; ${unprotect}`,
      stack: "prod",
    },
    {
      change: (p) => (p.deployment.opts.protect = true),
      message: `Deployment "deployment": opts.protect must be false in stack prod-canary, got true; ${unprotect}`,
      stack: "prod-canary",
    },
    {
      change: (p) => (p.namespace.opts.protect = true),
      message: `Namespace "namespace": opts.protect must be false in stack review-x, got true; ${unprotect}`,
      stack: "review-x",
    },
  ],
  "resources-set": [
    {
      change: (p) => delete web(p).containers[1].resources.limits,
      message: `Deployment "deployment": ${at}.containers[1].resources.limits.memory must be more than 0, got nothing; ${own}`,
    },
    {
      change: (p) => delete nightly(p).initContainers[0].resources.requests.cpu,
      message: `CronJob "cronJob": ${atJob}.initContainers[0].resources.requests.cpu must be more than 0, got nothing; ${own}`,
    },
    {
      change: (p) => (web(p).containers[0].resources.requests.memory = "0"),
      message: `Deployment "deployment": ${at}.containers[0].resources.requests.memory must be more than 0, got "0"; ${own}`,
    },
  ],
  "selector-without-release": [
    {
      change: (p) => (p.deployment.props.spec.selector.matchLabels.version = "main"),
      message: `Deployment "deployment": spec.selector.matchLabels["version"] must ${frozen}, got "main"; ${select}`,
    },
    {
      change: (p) => (p.service.props.spec.selector.commit_id = "0123456"),
      message: `Service "service": spec.selector["commit_id"] must ${frozen}, got "0123456"; ${select}`,
    },
    {
      change: (p) =>
        (p.deployment.props.spec.selector.matchExpressions = [
          { key: "branch", operator: "Exists" },
        ]),
      message: `Deployment "deployment": spec.selector.matchExpressions[0].key must ${frozen}, got "branch"; ${select}`,
    },
    {
      change: (p) =>
        (web(p).topologySpreadConstraints = [
          { labelSelector: { matchLabels: { "tags.datadoghq.com/version": "1" } } },
        ]),
      message: `Deployment "deployment": ${at}.topologySpreadConstraints[0].labelSelector.matchLabels["tags.datadoghq.com/version"] must ${frozen}, got "1"; ${select}`,
    },
  ],
  "whole-objects": [
    {
      change: (p) => {
        become(p.configMap, "kubernetes:core/v1:ConfigMapPatch");
      },
      message:
        'ConfigMapPatch "configMap": type must be a whole object, got "kubernetes:core/v1:ConfigMapPatch"; declare each object as a separate resource; for a chart, use kubernetes.helm.v4.Chart',
    },
    {
      change: (p) => {
        become(p.configMap, "kubernetes:helm.sh/v3:Release");
      },
      message:
        'Release "configMap": type must be a whole object, got "kubernetes:helm.sh/v3:Release"; declare each object as a separate resource; for a chart, use kubernetes.helm.v4.Chart',
    },
    {
      change: (p) => {
        become(p.configMap, "kubernetes:core/v1:ConfigMapList");
      },
      message:
        'ConfigMapList "configMap": type must be a whole object, got "kubernetes:core/v1:ConfigMapList"; declare each object as a separate resource; for a chart, use kubernetes.helm.v4.Chart',
    },
  ],
};

function become(given: Given, type: string): void {
  (given as { type: string }).type = type;
}

/** Returns the program after a change that breaks one rule. */
export function broken({ change, stack = "staging" }: Break): Program {
  const changed = program(stack);
  change(changed);
  return changed;
}
