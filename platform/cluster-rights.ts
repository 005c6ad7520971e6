import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { clusterGroup, reviewAccess, reviewGroup } from "../components/conventions/ci-roles";
import { service } from "../config/service";
import {
  namespacedRules,
  ownNamespaceRules,
  readNamespaces,
  reviewClusterRules,
} from "./cluster-roles";
import type { CircleCi, Environment } from "./settings";

export interface ClusterRightsArgs {
  readonly circleci: CircleCi;
  /** Namespaces of staging and production in this cluster. They exist before their stacks. */
  readonly namespaces: Readonly<Partial<Record<Exclude<Environment, "review">, string>>>;
  /** Whether there are review stacks in this cluster. */
  readonly review: boolean;
}

/** Rules under a name, and which group has them: in one namespace, or in the whole cluster. */
interface Right {
  readonly group: string;
  readonly namespace?: string;
  readonly role: string;
}

type Rules = Readonly<Record<string, k8s.types.input.rbac.v1.PolicyRule[]>>;

function rolesOf({ namespaces, review }: ClusterRightsArgs): Rules {
  const { staging, prod } = namespaces;
  const { "canary-removal": canaryRemoval, deploy, preview, review: inReview } = namespacedRules;
  return {
    deploy,
    preview,
    "see-namespaces": readNamespaces,
    ...(staging === undefined ? {} : { "staging-namespace": ownNamespaceRules(staging) }),
    ...(prod === undefined
      ? {}
      : { "canary-removal": canaryRemoval, "prod-namespace": ownNamespaceRules(prod) }),
    ...(review ? { review: reviewClusterRules, [short(reviewAccess.clusterRole)]: inReview } : {}),
  };
}

/** Names of the platform's ClusterRoles begin with the service's. */
const full = (role: string) => `${service}-${role}`;
const short = (name: string) => name.slice(service.length + 1);

function rightsOf({ circleci, namespaces, review }: ClusterRightsArgs): readonly Right[] {
  const { staging, prod } = namespaces;
  const environment = (purpose: "prod" | "staging", namespace: string): Right[] => [
    { group: clusterGroup(purpose), namespace, role: "deploy" },
    { group: clusterGroup(purpose), role: `${purpose}-namespace` },
    { group: clusterGroup(purpose), role: "see-namespaces" },
    { group: clusterGroup("preview"), namespace, role: "preview" },
  ];
  return [
    { group: clusterGroup("preview"), role: "see-namespaces" },
    ...(staging === undefined ? [] : environment("staging", staging)),
    ...(prod === undefined
      ? []
      : [
          ...environment("prod", prod),
          { group: clusterGroup("canary-removal"), namespace: prod, role: "canary-removal" },
          { group: clusterGroup("canary-removal"), role: "see-namespaces" },
        ]),
    // The branch's own stack binds its rights in its own namespace.
    ...(review ? [{ group: reviewGroup(circleci.projectId), role: "review" }] : []),
  ];
}

/**
 * What each purpose may do in the cluster. Rights in staging and production are bound in their
 * namespaces; those in a review namespace are bound by the review stack itself, to its own branch.
 */
export class ClusterRights extends pulumi.ComponentResource {
  constructor(name: string, args: ClusterRightsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:k8s:ClusterRights", name, args, opts);
    for (const [role, rules] of Object.entries(rolesOf(args))) {
      const metadata = { labels, name: full(role) };
      new k8s.rbac.v1.ClusterRole(`${name}-${role}`, { metadata, rules }, { parent: this });
    }
    for (const right of rightsOf(args)) createBinding(this, name, right);
    this.registerOutputs({});
  }
}

const labels = {
  "app.kubernetes.io/managed-by": "pulumi",
  "app.kubernetes.io/part-of": service,
};

function createBinding(
  parent: pulumi.Resource,
  component: string,
  { group, namespace, role }: Right,
): void {
  const apiGroup = "rbac.authorization.k8s.io";
  // The purpose follows the colon; a project's id would tell a reader nothing.
  const purpose = role === "review" ? role : group.slice(group.indexOf(":") + 1);
  const name = role.startsWith(purpose) ? full(role) : full(`${purpose}-${role}`);
  const given = {
    roleRef: { apiGroup, kind: "ClusterRole", name: full(role) },
    subjects: [{ apiGroup, kind: "Group", name: group }],
  };
  const at = namespace === undefined ? "" : `-${namespace}`;
  const logical = `${component}-${purpose}-${role}${at}`;
  if (namespace === undefined) {
    new k8s.rbac.v1.ClusterRoleBinding(
      logical,
      { metadata: { labels, name }, ...given },
      { parent },
    );
  } else {
    new k8s.rbac.v1.RoleBinding(
      logical,
      { metadata: { labels, name, namespace }, ...given },
      { parent },
    );
  }
}
