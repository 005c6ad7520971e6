import { rollout, webService } from "../components/conventions/defaults";

/** How long Pulumi waits for an object when nobody says otherwise; also CircleCI's limit without output. */
const pulumiDefaultMinutes = 10;

/** The longest silence of a `pulumi up` or `destroy` that works: the waits for one object, one after another. */
export const longestWaitMinutes =
  pulumiDefaultMinutes +
  (webService.progressDeadlineSeconds + rollout.pulumiWaitMarginSeconds) / 60;

/**
 * Limit without output of steps that run Pulumi. A step that CircleCI kills leaves a locked stack and tells no cause, so
 * this is far above what Pulumi itself gives up after.
 */
export const noOutputMinutes = 40;
