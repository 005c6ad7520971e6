import type { Rule } from "./rule";

const hidden = /^kubernetes:(?:helm\.sh\/v\d+:Release|[^:]+:\w+(?:List|Patch))$/;

/**
 * Every other rule checks whole objects. The rules cannot see an object that is part of another
 * resource, such as a Helm release, so they cannot check such an object.
 */
export const wholeObjects: Rule = {
  name: "whole-objects",
  description: "No resource carries objects, or parts of them, that the rules do not see",
  check: ({ type }) =>
    hidden.test(type)
      ? [
          {
            got: type,
            must: "be a whole object",
            path: "type",
            todo: "declare each object itself; for a chart use kubernetes.helm.v4.Chart",
          },
        ]
      : [],
};
