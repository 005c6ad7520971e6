import { people, reviewAccess } from "../../components/conventions/ci-roles";
import type { Policy } from "./policy";
import { cel } from "./cel";
import { ownerOf, requester } from "./review-policies";
import type { CircleCi } from "../settings";

const { bindingName, clusterRole } = reviewAccess;

/**
 * Returns the policy for RoleBindings: a review job may create and change only two RoleBindings.
 * The first RoleBinding gives permissions to the owner of the namespace and to the user that
 * removes review stacks. The second RoleBinding gives permissions to developers.
 */
export function bindings(circleci: CircleCi): Policy {
  const { byReview, remover } = requester(circleci);
  const { developers } = people;
  const isFor = (name: string, role: string) =>
    `object.metadata.name == ${cel(name)} && object.roleRef.name == ${cel(role)}`;
  const forDevelopers = `object.metadata.name == ${cel(developers.bindingName)}`;
  return {
    on: [
      {
        apiGroup: "rbac.authorization.k8s.io",
        operations: ["CREATE", "UPDATE"],
        resources: ["rolebindings"],
      },
    ],
    only: byReview,
    validations: [
      {
        expression: `object.roleRef.kind == "ClusterRole" && ((${isFor(bindingName, clusterRole)}) || (${isFor(developers.bindingName, developers.clusterRole)}))`,
        message: `a review job may create only RoleBinding ${bindingName}, of ClusterRole ${clusterRole}, and RoleBinding ${developers.bindingName}, of ClusterRole ${developers.clusterRole}`,
      },
      {
        expression: `!(${forDevelopers}) || (has(object.subjects) && object.subjects.all(s, s.kind == "Group" && s.name == ${cel(developers.group)}))`,
        message: `the only subject of RoleBinding ${developers.bindingName} must be group ${developers.group}`,
      },
      {
        expression: `${forDevelopers} || has(object.subjects) && [${ownerOf("namespaceObject")}, ${remover}].all(user, object.subjects.exists(s, s.kind == "User" && s.name == user)) && object.subjects.all(s, s.kind == "User" && s.name in [${ownerOf("namespaceObject")}, ${remover}])`,
        message: `the subjects of RoleBinding ${bindingName} must be exactly the namespace's owner and the user that removes review stacks`,
      },
    ],
  };
}
