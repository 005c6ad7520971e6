import { traitsOf } from "../../environments";
import { at } from "./declared";
import type { Rule } from "./rule";

/** Each one is a load balancer of the cloud: it costs, and it is open to the internet. */
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
        todo: "use ClusterIP, and be reached by the Ingress",
      },
    ];
  },
};
