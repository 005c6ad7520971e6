import { resourcesSet } from "./container-resources";
import { cronJobBounded } from "./cron-jobs";
import { type Known, imageDigest, imageRegistry } from "./images";
import { callersAuthenticated } from "./ingresses";
import { noHostPath, noPrivilegeEscalation, nonRoot } from "./pod-security";
import { protectProduction } from "./protection";
import type { Rule } from "./rule";
import { noSecretValues } from "./secrets";
import { selectorWithoutRelease } from "./selectors";
import { noLoadBalancerInReview } from "./services";
import { wholeObjects } from "./whole-objects";

/**
 * Returns all rules of the pack. To add a rule, write the rule in a file of this directory, and add
 * the rule to this list.
 */
export function rules(known: Known): readonly Rule[] {
  return [
    imageDigest,
    imageRegistry(known),
    resourcesSet,
    nonRoot,
    noPrivilegeEscalation,
    noHostPath,
    selectorWithoutRelease,
    cronJobBounded,
    callersAuthenticated,
    noLoadBalancerInReview,
    noSecretValues,
    protectProduction,
    wholeObjects,
  ];
}
