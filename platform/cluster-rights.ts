import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
  clusterGroup,
  people,
  removalUser,
  reviewAccess,
  reviewGroup,
} from "../components/conventions/ci-roles";
import { defined } from "../components/conventions/with-defaults";
import { service } from "../config/service";
import {
  namespacedRules,
  ownNamespaceRules,
  readNamespaces,
  reviewClusterRules,
  reviewRemovalRules,
} from "./cluster-roles";
import { platformLabels } from "./labels";
import type { CircleCi, Environment } from "./settings";

export interface ClusterRightsArgs {
  readonly circleci: CircleCi;
  /**
   * Namespaces of staging and production in this cluster. These namespaces exist before the stacks.
   */
  readonly namespaces: Readonly<Partial<Record<Exclude<Environment, "review">, string>>>;
  /** Whether there are review stacks in this cluster. */
  readonly review: boolean;
}

/**
 * A ClusterRole, and the group or the user that gets this ClusterRole in one namespace or in the
 * whole cluster.
 */
interface Right {
  readonly group: string;
  readonly namespace?: string;
  readonly role: string;
  /** The user that gets the ClusterRole. If undefined, the group gets the ClusterRole. */
  readonly user?: string;
}

/** Short name of the ClusterRole of the jobs that remove review stacks. */
const removesReviews = "review-removal";

type Rules = Readonly<Record<string, k8s.types.input.rbac.v1.PolicyRule[]>>;

function rolesOf({ namespaces, review }: ClusterRightsArgs): Rules {
  const { canary, "canary-removal": canaryRemoval, deploy, notifier, preview } = namespacedRules;
  const { developer, "prod-reader": prodReader } = namespacedRules;
  const { developers, productionReaders } = people;
  const own = Object.entries(namespaces).map(([environment, namespace]) => [
    `${environment}-namespace`,
    ownNamespaceRules(namespace),
  ]);
  return {
    deploy,
    notifier,
    preview,
    "see-namespaces": readNamespaces,
    ...(Object.fromEntries(own) as Rules),
    ...(namespaces.prod === undefined
      ? {}
      : {
          canary,
          "canary-removal": canaryRemoval,
          [short(productionReaders.clusterRole)]: prodReader,
        }),
    ...(review || namespaces.staging !== undefined
      ? { [short(developers.clusterRole)]: developer }
      : {}),
    ...(review
      ? {
          review: reviewClusterRules,
          [short(reviewAccess.clusterRole)]: namespacedRules.review,
          [removesReviews]: reviewRemovalRules,
        }
      : {}),
  };
}

/** Returns the full name of a ClusterRole. The full name begins with the name of the service. */
const full = (role: string) => `${service}-${role}`;
const short = (name: string) => name.slice(service.length + 1);

/**
 * Returns the ClusterRoles that people get. A review stack itself creates the RoleBinding for
 * developers, in its own namespace.
 */
function rightsOfPeople({ namespaces, review }: ClusterRightsArgs): readonly Right[] {
  const { prod, staging } = namespaces;
  const { developers, productionReaders } = people;
  const group = developers.group;
  const reader = productionReaders.group;
  return [
    ...(review || staging !== undefined ? [{ group, role: "see-namespaces" }] : []),
    ...(staging === undefined
      ? []
      : [{ group, namespace: staging, role: short(developers.clusterRole) }]),
    ...(prod === undefined
      ? []
      : [
          { group: reader, namespace: prod, role: short(productionReaders.clusterRole) },
          { group: reader, role: "see-namespaces" },
        ]),
  ];
}

function rightsOf(args: ClusterRightsArgs): readonly Right[] {
  const { circleci, namespaces, review } = args;
  const { prod } = namespaces;
  const removal = clusterGroup("canary-removal");
  return [
    { group: clusterGroup("preview"), role: "see-namespaces" },
    { group: clusterGroup("notifier"), role: "see-namespaces" },
    ...Object.entries(namespaces).flatMap(([environment, namespace]): Right[] => {
      const group = clusterGroup(environment as keyof typeof namespaces);
      return [
        { group, namespace, role: "deploy" },
        { group, role: `${environment}-namespace` },
        { group, role: "see-namespaces" },
        { group: clusterGroup("preview"), namespace, role: "preview" },
        { group: clusterGroup("notifier"), namespace, role: "notifier" },
      ];
    }),
    ...(prod === undefined
      ? []
      : [
          { group: clusterGroup("prod"), namespace: prod, role: "canary" },
          { group: removal, namespace: prod, role: "canary-removal" },
          { group: removal, role: "see-namespaces" },
        ]),
    ...rightsOfPeople(args),
    // A review stack itself creates the RoleBinding for its branch, in its own namespace.
    ...(review
      ? [
          { group: reviewGroup(circleci.projectId), role: "review" },
          {
            group: reviewGroup(circleci.projectId),
            role: removesReviews,
            user: removalUser(circleci.deployProjectId !== undefined),
          },
        ]
      : []),
  ];
}

/**
 * The permissions of CI roles and of people in the cluster. The platform creates the RoleBindings
 * in the namespaces of staging and production. In a review namespace, the review stack itself
 * creates the RoleBindings.
 */
export class ClusterRights extends pulumi.ComponentResource {
  constructor(name: string, args: ClusterRightsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:k8s:ClusterRights", name, args, opts);
    for (const [role, rules] of Object.entries(rolesOf(args))) {
      const metadata = { labels: platformLabels, name: full(role) };
      new k8s.rbac.v1.ClusterRole(`${name}-${role}`, { metadata, rules }, { parent: this });
    }
    for (const right of rightsOf(args)) createBinding(this, name, right);
    this.registerOutputs({});
  }
}

function createBinding(
  parent: pulumi.Resource,
  component: string,
  { group, namespace, role, user }: Right,
): void {
  const apiGroup = "rbac.authorization.k8s.io";
  // The name of a group ends with a colon and the name of the CI role or of the kind of people. The
  // name of the group of review jobs ends with the id of a CircleCI project. People cannot
  // recognize such an id, so the name of the binding contains the name of the ClusterRole instead.
  const ciRole = role.startsWith("review") ? role : group.slice(group.indexOf(":") + 1);
  const name = role.startsWith(ciRole) ? full(role) : full(`${ciRole}-${role}`);
  const given = {
    roleRef: { apiGroup, kind: "ClusterRole", name: full(role) },
    subjects: [
      user === undefined
        ? { apiGroup, kind: "Group", name: group }
        : { apiGroup, kind: "User", name: user },
    ],
  };
  const at = namespace === undefined ? "" : `-${namespace}`;
  const logical = `${component}-${ciRole}-${role}${at}`;
  const metadata = { labels: platformLabels, name, ...defined({ namespace }) };
  const Binding =
    namespace === undefined ? k8s.rbac.v1.ClusterRoleBinding : k8s.rbac.v1.RoleBinding;
  new Binding(logical, { metadata, ...given }, { parent });
}
