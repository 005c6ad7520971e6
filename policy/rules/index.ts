import { resourcesSet } from "./container-resources";
import { cronJobBounded } from "./cron-jobs";
import { type Known, imageDigest, imageRegistry } from "./images";
import { noHostPath, noPrivilegeEscalation, nonRoot } from "./pod-security";
import { protectProduction } from "./protection";
import type { Rule } from "./rule";
import { noSecretValues } from "./secrets";
import { selectorWithoutRelease } from "./selectors";
import { noLoadBalancerInReview } from "./services";
import { wholeObjects } from "./whole-objects";

/** Every rule of the pack. To add one, write it in the file of its topic and name it here. */
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
    noLoadBalancerInReview,
    noSecretValues,
    protectProduction,
    wholeObjects,
  ];
}
