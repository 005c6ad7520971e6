import { traitsOf } from "../../environments";
import type { Rule } from "./rule";

/**
 * Types of resources that production needs to answer requests. If Pulumi deletes or replaces such a
 * resource, production has downtime.
 */
const guarded: readonly string[] = [
  "kubernetes:apps/v1:Deployment",
  "kubernetes:core/v1:Namespace",
  "kubernetes:core/v1:Service",
  "kubernetes:networking.k8s.io/v1:Ingress",
];

/**
 * In production, the rule requires the option `protect` for the types in `guarded`. For all other
 * types, and in all other stacks, the rule forbids `protect`. During a normal update, Pulumi must
 * be able to replace or delete all other resources, for example a ConfigMap or a CronJob of
 * production.
 */
export const protectProduction: Rule = {
  name: "protect-production",
  description:
    "Namespace, Deployment, Service and Ingress of production are protected, and no other resource is",
  check(object) {
    const protect = traitsOf(object.stack)?.protect ?? false;
    const wanted = protect && guarded.includes(object.type);
    if (object.protect === wanted) return [];
    return [
      {
        got: object.protect,
        must: `be ${String(wanted)} in stack ${object.stack}`,
        path: "opts.protect",
        todo: wanted
          ? "pass protect: true to the resource"
          : "remove protect from the resource, and from its parent component",
      },
    ];
  },
};
