import type { Rule } from "./rule";

const hidden = /^kubernetes:(?:helm\.sh\/v\d+:Release|[^:]+:\w+(?:List|Patch))$/;

/**
 * All other rules check whole objects. Some resources, for example a Helm release or a patch,
 * contain other objects or parts of objects. The rules cannot check what such a resource contains.
 */
export const wholeObjects: Rule = {
  name: "whole-objects",
  description: "No resource contains objects, or parts of objects, that the rules do not see",
  check: ({ type }) =>
    hidden.test(type)
      ? [
          {
            got: type,
            must: "be a whole object",
            path: "type",
            todo: "declare each object as a separate resource; for a chart, use kubernetes.helm.v4.Chart",
          },
        ]
      : [],
};
