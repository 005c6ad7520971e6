import { service } from "../../config/service";
import { callersAuthenticatedByAnnotation } from "../../components/conventions/metadata";
import { at } from "./declared";
import type { Rule } from "./rule";

const scheme = "alb.ingress.kubernetes.io/scheme";

/**
 * The service itself does not authenticate callers. If nothing in front of the service
 * authenticates callers, everyone on the internet can read all orders through an internet-facing
 * Ingress.
 */
export const callersAuthenticated: Rule = {
  name: "callers-authenticated",
  description: "An internet-facing Ingress says what authenticates callers",
  check({ kind, props }) {
    const got = at(props, "metadata", "annotations", callersAuthenticatedByAnnotation);
    if (
      kind !== "Ingress" ||
      at(props, "metadata", "annotations", scheme) !== "internet-facing" ||
      (got !== undefined && got !== "")
    ) {
      return [];
    }
    return [
      {
        got,
        must: "say what authenticates callers, because the Ingress is internet-facing",
        path: `metadata.annotations["${callersAuthenticatedByAnnotation}"]`,
        todo: `set ${service}:callersAuthenticatedBy, or set ${service}:ingressScheme to internal`,
      },
    ];
  },
};
