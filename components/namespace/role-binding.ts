import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Identity } from "../conventions/labels";
import type { Annotations } from "../conventions/metadata";
import { guardrailLabels } from "./network-policies";
import { mainBranch, reviewAccess, reviewUser } from "../conventions/ci-roles";

/** The branch that a review namespace belongs to. */
interface Rights {
  readonly branch?: string;
  readonly identity: Identity;
}

/** Annotation with the branch of the namespace. The platform's policies read it. */
export function ownerOf({ branch }: Rights): Annotations {
  return branch === undefined ? {} : { [reviewAccess.ownerAnnotation]: reviewUser(branch) };
}

/** Rights in the namespace for its branch, and for main, which removes old review stacks. */
export function createRoleBinding(
  name: string,
  namespace: pulumi.Input<string>,
  { branch, identity }: Rights,
  opts: pulumi.CustomResourceOptions,
): k8s.rbac.v1.RoleBinding | undefined {
  if (branch === undefined) return undefined;
  const apiGroup = "rbac.authorization.k8s.io";
  const users = [reviewUser(branch), reviewUser(mainBranch)];
  return new k8s.rbac.v1.RoleBinding(
    name,
    {
      metadata: {
        labels: guardrailLabels(identity),
        name: reviewAccess.bindingName,
        namespace,
      },
      roleRef: { apiGroup, kind: "ClusterRole", name: reviewAccess.clusterRole },
      subjects: users.map((user) => ({ apiGroup, kind: "User", name: user })),
    },
    opts,
  );
}
