import { rollout, webService } from "../components/conventions/defaults";

/** Pulumi's default wait for an object; also CircleCI's default limit without output. */
const pulumiDefaultMinutes = 10;

/**
 * The longest time without output in a successful `pulumi up` or `destroy`: the waits for objects,
 * one after another.
 */
export const longestWaitMinutes =
  pulumiDefaultMinutes +
  (webService.progressDeadlineSeconds + rollout.pulumiWaitMarginSeconds) / 60;

/**
 * Limit without output of steps that run Pulumi. A step that CircleCI kills leaves a locked stack
 * and reports no cause, so this limit is far above Pulumi's own.
 */
export const noOutputMinutes = 40;
