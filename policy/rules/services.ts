import { traitsOf } from "../../environments";
import { at } from "./declared";
import type { Rule } from "./rule";

/**
 * For each Service of type LoadBalancer, Kubernetes creates a load balancer in the cloud. A load
 * balancer costs money and may be open to the internet.
 */
export const noLoadBalancerInReview: Rule = {
  name: "no-load-balancer-in-review",
  description: "No Service of a review stack is a load balancer",
  check(object) {
    const got = at(object.props, "spec", "type");
    if (
      object.kind !== "Service" ||
      got !== "LoadBalancer" ||
      traitsOf(object.stack)?.perBranch !== true
    ) {
      return [];
    }
    return [
      {
        got,
        must: "not be LoadBalancer in a review stack",
        path: "spec.type",
        todo: "use ClusterIP, and the Ingress for requests from outside",
      },
    ];
  },
};
