import type * as k8s from "@pulumi/kubernetes";
import { canaryName, reviewAccess } from "../components/conventions/ci-roles";

type Rule = k8s.types.input.rbac.v1.PolicyRule;

const read = ["get", "list", "watch"];
/** Server-side apply, by which Pulumi makes objects too, is `patch`. */
const write = ["create", "delete", "patch", "update"];
const writeButDelete = ["create", "patch", "update"];

function rule(apiGroups: string[], resources: string[], verbs: string[]): Rule {
  return { apiGroups, resources, verbs };
}

/** What the program's components are made of, Secrets left out. */
const workloads = (verbs: string[]): Rule[] => [
  rule([""], ["configmaps", "serviceaccounts", "services"], verbs),
  rule(["apps"], ["deployments", "statefulsets"], verbs),
  rule(["autoscaling"], ["horizontalpodautoscalers"], verbs),
  rule(["batch"], ["cronjobs", "jobs"], verbs),
  rule(["networking.k8s.io"], ["ingresses"], verbs),
  rule(["policy"], ["poddisruptionbudgets"], verbs),
];

/** What a wait and a diagnosis look at, logs left out. */
const surroundings: Rule[] = [
  rule([""], ["endpoints", "events", "persistentvolumeclaims", "pods"], read),
  rule([""], ["limitranges", "resourcequotas"], read),
  rule(["apps"], ["controllerrevisions", "replicasets"], read),
  rule(["discovery.k8s.io"], ["endpointslices"], read),
  rule(["events.k8s.io"], ["events"], read),
  rule(["networking.k8s.io"], ["networkpolicies"], read),
];

/** What a failed deploy is explained by. Logs may name customers: who deploys nothing reads none. */
const logs: Rule[] = [rule([""], ["pods/log"], ["get"])];

/** Rules by name of the ClusterRole that is bound inside single namespaces. */
export const namespacedRules = {
  /** Reads without Secrets and logs: the code of every branch runs with it, and prints what it likes. */
  preview: [...workloads(read), ...surroundings],

  /** A branch in the namespace of its own stack. */
  review: [
    // A namespace's own object is covered by rights inside of it.
    rule([""], ["namespaces"], ["delete"]),
    ...workloads([...read, ...write]),
    ...surroundings,
    ...logs,
    rule([""], ["persistentvolumeclaims", "pods", "secrets"], [...read, ...write]),
    rule(["apps"], ["deployments/scale", "statefulsets/scale"], ["get", "patch", "update"]),
    rule([""], ["pods/exec", "pods/portforward"], ["create", "get"]),
    // Guardrails go with the namespace: nobody needs to delete one before.
    rule([""], ["limitranges", "resourcequotas"], writeButDelete),
    rule(["networking.k8s.io"], ["networkpolicies"], writeButDelete),
  ],

  /** Staging or production in its namespace. Its Secrets are mounted by pods, read by nobody. */
  deploy: [
    ...workloads([...read, ...write]),
    ...surroundings,
    ...logs,
    rule([""], ["pods"], ["delete"]),
  ],

  /** Takes a canary away, and nothing else; a policy holds it to the names of canaries. */
  "canary-removal": [
    ...workloads(read),
    ...surroundings,
    rule([""], ["configmaps"], ["delete"]),
    { ...rule(["apps"], ["deployments"], ["delete"]), resourceNames: [canaryName] },
  ],
} satisfies Readonly<Record<string, Rule[]>>;

/** The cluster's identity is the UID of a namespace, and each stack looks at its own first. */
export const readNamespaces: Rule[] = [rule([""], ["namespaces"], read)];

/**
 * What a branch may do before it has a namespace. RBAC cannot limit names by their start: the
 * admission policies do, and without them these rights would reach every namespace.
 */
export const reviewClusterRules: Rule[] = [
  rule([""], ["namespaces"], [...read, "create", "patch"]),
  rule(["rbac.authorization.k8s.io"], ["rolebindings"], ["create", "get", "patch"]),
  {
    ...rule(["rbac.authorization.k8s.io"], ["clusterroles"], ["bind"]),
    resourceNames: [reviewAccess.clusterRole],
  },
];

/** A stack's own namespace, which the platform has made: labelled by the stack, never deleted. */
export function ownNamespaceRules(namespace: string): Rule[] {
  return [{ ...rule([""], ["namespaces"], ["patch"]), resourceNames: [namespace] }];
}
