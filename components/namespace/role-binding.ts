import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { deployProject } from "../../config/circleci";
import type { Annotations } from "../conventions/metadata";
import { people, removalUser, reviewAccess, reviewUser } from "../conventions/ci-roles";

/**
 * Returns the annotation with the owner of the namespace: the Kubernetes user of the branch's jobs.
 * The platform's policies read this annotation.
 */
export function ownerOf(branch: string | undefined): Annotations {
  return branch === undefined ? {} : { [reviewAccess.ownerAnnotation]: reviewUser(branch) };
}

/**
 * Creates the RoleBindings of a branch's namespace. Without a branch, returns an empty list.
 *
 * - The CI jobs of the branch may change the objects of the namespace. The CI jobs that remove
 *   review stacks get the same permissions.
 * - Developers get the same permissions as in staging. The settings of the platform project contain
 *   the IAM roles of developers.
 */
export function createRoleBindings(
  name: string,
  metadata: (name: string) => k8s.types.input.meta.v1.ObjectMeta,
  branch: string | undefined,
  opts: pulumi.CustomResourceOptions,
): readonly k8s.rbac.v1.RoleBinding[] {
  if (branch === undefined) return [];
  const apiGroup = "rbac.authorization.k8s.io";
  const users = [reviewUser(branch), removalUser(deployProject !== undefined)];
  const { bindingName, clusterRole, group } = people.developers;
  return [
    new k8s.rbac.v1.RoleBinding(
      name,
      {
        metadata: metadata(reviewAccess.bindingName),
        roleRef: { apiGroup, kind: "ClusterRole", name: reviewAccess.clusterRole },
        subjects: users.map((user) => ({ apiGroup, kind: "User", name: user })),
      },
      opts,
    ),
    new k8s.rbac.v1.RoleBinding(
      `${name}-${bindingName}`,
      {
        metadata: metadata(bindingName),
        roleRef: { apiGroup, kind: "ClusterRole", name: clusterRole },
        subjects: [{ apiGroup, kind: "Group", name: group }],
      },
      opts,
    ),
  ];
}
