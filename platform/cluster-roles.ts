import type * as k8s from "@pulumi/kubernetes";
import { canaryName, people, reviewAccess } from "../components/conventions/ci-roles";

type Rule = k8s.types.input.rbac.v1.PolicyRule;

const read = ["get", "list", "watch"];
/**
 * Verbs that change objects. Pulumi creates objects with server-side apply, which also needs the
 * verb `patch`.
 */
const write = ["create", "delete", "patch", "update"];
const writeButDelete = ["create", "patch", "update"];

function rule(apiGroups: string[], resources: string[], verbs: string[]): Rule {
  return { apiGroups, resources, verbs };
}

/**
 * Returns the rules for the workloads of a stack and for the objects that the workloads use, such
 * as ConfigMaps, Services and Ingresses. These rules do not include Secrets.
 */
const workloads = (verbs: string[]): Rule[] => [
  rule([""], ["configmaps", "podtemplates", "serviceaccounts", "services"], verbs),
  rule(["apps"], ["deployments", "statefulsets"], verbs),
  rule(["autoscaling"], ["horizontalpodautoscalers"], verbs),
  rule(["batch"], ["cronjobs", "jobs"], verbs),
  rule(["networking.k8s.io"], ["ingresses"], verbs),
  rule(["policy"], ["poddisruptionbudgets"], verbs),
];

/**
 * Rules to read the objects that show the progress of an update or explain a failure. These rules
 * do not include logs.
 */
const surroundings: Rule[] = [
  rule([""], ["endpoints", "events", "persistentvolumeclaims", "pods"], read),
  rule([""], ["limitranges", "resourcequotas"], read),
  rule(["apps"], ["controllerrevisions", "replicasets"], read),
  rule(["discovery.k8s.io"], ["endpointslices"], read),
  rule(["events.k8s.io"], ["events"], read),
  rule(["networking.k8s.io"], ["networkpolicies"], read),
];

/**
 * Rule to read logs, which often explain a failed deploy. Logs may contain names of customers. So
 * only people and the CI roles that deploy may read logs.
 */
const logs: Rule[] = [rule([""], ["pods/log"], ["get"])];

/** Rules for people to read the objects of a stack and the logs, but no Secrets. */
const peopleRead: Rule[] = [
  ...workloads(read),
  ...surroundings,
  ...logs,
  rule(["rbac.authorization.k8s.io"], ["rolebindings"], read),
  // `kubectl top pods` reads the CPU and the memory that pods use.
  rule(["metrics.k8s.io"], ["pods"], ["get", "list"]),
];

/** Rule to forward a port of a pod to the caller's machine. */
const portForward: Rule = rule([""], ["pods/portforward"], ["create", "get"]);

/** Rules of the ClusterRoles that apply in single namespaces. */
export const namespacedRules = {
  /**
   * Permissions to read objects, except Secrets and logs: the code of every branch runs with this
   * role, and can print everything that the role can read.
   */
  preview: [...workloads(read), ...surroundings],

  /**
   * Permissions to read scheduled jobs, their runs and all pods of the namespace, but no logs. The
   * status of a pod contains the exit codes and the termination messages of its containers.
   */
  notifier: [rule([""], ["pods"], read), rule(["batch"], ["cronjobs", "jobs"], read)],

  /** Permissions of a branch in the namespace of its review stack. */
  review: [
    // Permissions inside a namespace also cover the Namespace object itself.
    rule([""], ["namespaces"], ["delete"]),
    ...workloads([...read, ...write]),
    ...surroundings,
    ...logs,
    rule([""], ["persistentvolumeclaims", "pods", "secrets"], [...read, ...write]),
    rule(["apps"], ["deployments/scale", "statefulsets/scale"], ["get", "patch", "update"]),
    rule([""], ["pods/exec", "pods/portforward"], ["create", "get"]),
    // Review jobs must not delete these objects, because the objects limit what the branch can do.
    // Kubernetes deletes these objects with the namespace.
    rule([""], ["limitranges", "resourcequotas"], writeButDelete),
    rule(["networking.k8s.io"], ["networkpolicies"], writeButDelete),
  ],

  /**
   * Permissions of staging or production in its own namespace. Pods mount the Secrets in the
   * namespace, but no CI role can read these Secrets with the Kubernetes API.
   */
  deploy: [
    ...workloads([...read, ...write]),
    ...surroundings,
    ...logs,
    rule([""], ["pods"], ["delete"]),
    // `npm run run` receives the output of a command through a port of the command's pod.
    portForward,
  ],

  /**
   * Permissions of developers in staging and in review stacks: `npm run run`, `npm run jobs` and
   * `npm run debug` create and delete Jobs. Admission policies limit these Jobs to copies of the
   * pods that the stack has declared. Without the policies, a Job could mount every Secret of the
   * namespace.
   */
  developer: [
    ...peopleRead,
    rule(["batch"], ["jobs"], ["create", "delete", "patch"]),
    rule([""], ["pods"], ["delete"]),
    portForward,
  ],

  /** Permissions of people in production: to read objects and logs. */
  "prod-reader": peopleRead,

  /**
   * Additional permissions of production in its own namespace: to change the NetworkPolicy of a
   * canary, but no other NetworkPolicy. The rule also covers the creation of this object, because a
   * request for a server-side apply contains the object's name.
   */
  canary: [
    {
      ...rule(["networking.k8s.io"], ["networkpolicies"], write),
      resourceNames: [canaryName],
    },
  ],

  /**
   * Permissions to remove a canary. An admission policy (`canariesOnly`) limits this role to
   * objects whose name is the canary's name, or begins with the canary's name and a hyphen.
   */
  "canary-removal": [
    ...workloads(read),
    ...surroundings,
    rule([""], ["configmaps"], ["delete"]),
    { ...rule(["apps"], ["deployments"], ["delete"]), resourceNames: [canaryName] },
    {
      ...rule(["networking.k8s.io"], ["networkpolicies"], ["delete"]),
      resourceNames: [canaryName],
    },
  ],
} satisfies Readonly<Record<string, Rule[]>>;

/**
 * Rule to read namespaces. Every update and preview first reads two namespaces: `kube-system`,
 * whose UID identifies the cluster, and the stack's own namespace.
 */
export const readNamespaces: Rule[] = [rule([""], ["namespaces"], read)];

/**
 * Permissions of review jobs in the whole cluster. Review jobs need these permissions to create
 * their namespaces, and to create the RoleBindings in these namespaces. RBAC cannot limit these
 * permissions to namespaces whose names have a prefix. So without the admission policies, the
 * permissions would apply to every namespace.
 */
export const reviewClusterRules: Rule[] = [
  rule([""], ["namespaces"], [...read, "create", "patch"]),
  rule(["rbac.authorization.k8s.io"], ["rolebindings"], ["create", "get", "patch"]),
  {
    ...rule(["rbac.authorization.k8s.io"], ["clusterroles"], ["bind"]),
    resourceNames: [reviewAccess.clusterRole, people.developers.clusterRole],
  },
];

/**
 * Permission of the jobs that remove review stacks. In a review namespace, a RoleBinding gives
 * these jobs more permissions, but this RoleBinding is missing if the program of the branch did not
 * create it. An admission policy limits the permission to delete namespaces to the namespaces of
 * review stacks.
 */
export const reviewRemovalRules: Rule[] = [rule([""], ["namespaces"], ["delete"])];

/**
 * Returns the rule for the namespace of staging or production. The platform creates this namespace.
 * The stack can change the namespace, for example its labels, but cannot delete the namespace.
 */
export function ownNamespaceRules(namespace: string): Rule[] {
  return [{ ...rule([""], ["namespaces"], ["patch"]), resourceNames: [namespace] }];
}
