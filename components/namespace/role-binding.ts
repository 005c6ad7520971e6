import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { deployProject } from "../../config/circleci";
import type { Annotations } from "../conventions/metadata";
import { removalUser, reviewAccess, reviewUser } from "../conventions/ci-roles";

/** Annotation with the branch of the namespace. The platform's policies read it. */
export function ownerOf(branch: string | undefined): Annotations {
  return branch === undefined ? {} : { [reviewAccess.ownerAnnotation]: reviewUser(branch) };
}

/** Rights in the namespace for its branch, and for the jobs that remove old review stacks. */
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
