import { at, unknown } from "./declared";
import { containers } from "./pods";
import type { Rule } from "./rule";

const needed = [
  ["requests", "cpu"],
  ["requests", "memory"],
  ["limits", "memory"],
] as const;

/** Whether a quantity is above 0, or unknown until the update. */
function given(quantity: unknown): boolean {
  return quantity === unknown || Number.parseFloat(String(quantity)) > 0;
}

/**
 * Every container needs a CPU request, a memory request and a memory limit. Without requests,
 * Kubernetes may start a pod on a full node. Without a memory limit, one pod can use all the memory
 * of its node.
 */
export const resourcesSet: Rule = {
  name: "resources-set",
  description: "Every container has a CPU request, a memory request and a memory limit",
  check: (object) =>
    containers(object).flatMap(({ path, value }) =>
      needed
        .map(([part, resource]) => ({
          got: at(value, "resources", part, resource),
          path: `${path}.resources.${part}.${resource}`,
        }))
        .filter(({ got }) => !given(got))
        .map((place) => ({
          ...place,
          must: "be more than 0",
          todo: "set it, as the components do for their own containers",
        })),
    ),
};
