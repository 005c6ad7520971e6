import { rollout, webService } from "../components/conventions/defaults";

/**
 * Minutes that Pulumi waits for an object by default. CircleCI's default `no_output_timeout` is the
 * same.
 */
const pulumiDefaultMinutes = 10;

/**
 * Longest time without output in a successful `pulumi up` or `destroy`, in minutes: the waits for
 * objects, one after another.
 */
export const longestWaitMinutes =
  pulumiDefaultMinutes +
  (webService.progressDeadlineSeconds + rollout.pulumiWaitMarginSeconds) / 60;

/**
 * `no_output_timeout` of steps that run Pulumi, in minutes. A step that CircleCI kills leaves a
 * locked stack and reports no cause, so this timeout is far above Pulumi's own timeouts.
 */
export const noOutputMinutes = 40;
