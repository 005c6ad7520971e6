import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { deployProject } from "../../config/circleci";
import type { Annotations } from "../conventions/metadata";
import { removalUser, reviewAccess, reviewUser } from "../conventions/ci-roles";

/**
 * Returns the annotation that says which branch owns the namespace. The platform's policies read
 * this annotation.
 */
export function ownerOf(branch: string | undefined): Annotations {
  return branch === undefined ? {} : { [reviewAccess.ownerAnnotation]: reviewUser(branch) };
}

/**
 * Creates the RoleBinding that gives permissions in the namespace to the CI jobs of the namespace's
 * branch. The CI jobs that remove review stacks get the same permissions. Returns undefined without
 * a branch.
 */
export function createRoleBinding(
  name: string,
  metadata: (name: string) => k8s.types.input.meta.v1.ObjectMeta,
  branch: string | undefined,
  opts: pulumi.CustomResourceOptions,
): k8s.rbac.v1.RoleBinding | undefined {
  if (branch === undefined) return undefined;
  const apiGroup = "rbac.authorization.k8s.io";
  const users = [reviewUser(branch), removalUser(deployProject !== undefined)];
  return new k8s.rbac.v1.RoleBinding(
    name,
    {
      metadata: metadata(reviewAccess.bindingName),
      roleRef: { apiGroup, kind: "ClusterRole", name: reviewAccess.clusterRole },
      subjects: users.map((user) => ({ apiGroup, kind: "User", name: user })),
    },
    opts,
  );
}
