import type * as k8s from "@pulumi/kubernetes";
import { canaryName, reviewAccess } from "../components/conventions/ci-roles";

type Rule = k8s.types.input.rbac.v1.PolicyRule;

const read = ["get", "list", "watch"];
/** Pulumi also creates objects by server-side apply, which is `patch`. */
const write = ["create", "delete", "patch", "update"];
const writeButDelete = ["create", "patch", "update"];

function rule(apiGroups: string[], resources: string[], verbs: string[]): Rule {
  return { apiGroups, resources, verbs };
}

/** The kinds of objects that the program's components create, without Secrets. */
const workloads = (verbs: string[]): Rule[] => [
  rule([""], ["configmaps", "serviceaccounts", "services"], verbs),
  rule(["apps"], ["deployments", "statefulsets"], verbs),
  rule(["autoscaling"], ["horizontalpodautoscalers"], verbs),
  rule(["batch"], ["cronjobs", "jobs"], verbs),
  rule(["networking.k8s.io"], ["ingresses"], verbs),
  rule(["policy"], ["poddisruptionbudgets"], verbs),
];

/** What waits and diagnoses read, without logs. */
const surroundings: Rule[] = [
  rule([""], ["endpoints", "events", "persistentvolumeclaims", "pods"], read),
  rule([""], ["limitranges", "resourcequotas"], read),
  rule(["apps"], ["controllerrevisions", "replicasets"], read),
  rule(["discovery.k8s.io"], ["endpointslices"], read),
  rule(["events.k8s.io"], ["events"], read),
  rule(["networking.k8s.io"], ["networkpolicies"], read),
];

/**
 * What explains a failed deploy. Logs may name customers, so only roles that deploy may read them.
 */
const logs: Rule[] = [rule([""], ["pods/log"], ["get"])];

/** Rules by name of the ClusterRole that is bound inside single namespaces. */
export const namespacedRules = {
  /**
   * Reads, but no Secrets and no logs: the code of every branch runs with it, and can print
   * anything.
   */
  preview: [...workloads(read), ...surroundings],

  /** A branch in its stack's namespace. */
  review: [
    // Rights inside a namespace also cover the Namespace object itself.
    rule([""], ["namespaces"], ["delete"]),
    ...workloads([...read, ...write]),
    ...surroundings,
    ...logs,
    rule([""], ["persistentvolumeclaims", "pods", "secrets"], [...read, ...write]),
    rule(["apps"], ["deployments/scale", "statefulsets/scale"], ["get", "patch", "update"]),
    rule([""], ["pods/exec", "pods/portforward"], ["create", "get"]),
    // Guardrails are deleted with the namespace, so no role needs to delete one.
    rule([""], ["limitranges", "resourcequotas"], writeButDelete),
    rule(["networking.k8s.io"], ["networkpolicies"], writeButDelete),
  ],

  /** Staging or production in its namespace. Pods mount its Secrets; no role can read them. */
  deploy: [
    ...workloads([...read, ...write]),
    ...surroundings,
    ...logs,
    rule([""], ["pods"], ["delete"]),
  ],

  /** Only removes a canary: a policy limits it to the names of canaries. */
  "canary-removal": [
    ...workloads(read),
    ...surroundings,
    rule([""], ["configmaps"], ["delete"]),
    { ...rule(["apps"], ["deployments"], ["delete"]), resourceNames: [canaryName] },
  ],
} satisfies Readonly<Record<string, Rule[]>>;

/**
 * The cluster's identity is the UID of a namespace, and each stack reads its own namespace first.
 */
export const readNamespaces: Rule[] = [rule([""], ["namespaces"], read)];

/**
 * What a branch may do before it has a namespace. RBAC cannot limit names by prefix. The admission
 * policies do: without them these rights would apply to every namespace.
 */
export const reviewClusterRules: Rule[] = [
  rule([""], ["namespaces"], [...read, "create", "patch"]),
  rule(["rbac.authorization.k8s.io"], ["rolebindings"], ["create", "get", "patch"]),
  {
    ...rule(["rbac.authorization.k8s.io"], ["clusterroles"], ["bind"]),
    resourceNames: [reviewAccess.clusterRole],
  },
];

/**
 * A stack's own namespace, which the platform creates. The stack sets its labels, and never deletes
 * it.
 */
export function ownNamespaceRules(namespace: string): Rule[] {
  return [{ ...rule([""], ["namespaces"], ["patch"]), resourceNames: [namespace] }];
}
