import { rollout, webService } from "../components/conventions/defaults";

/**
 * Minutes that Pulumi waits for an object by default. CircleCI's default for `no_output_timeout` is
 * also 10 minutes. CircleCI's default is too short, because CircleCI would kill the step while
 * Pulumi waits.
 */
const pulumiDefaultMinutes = 10;

/**
 * Longest time without output in a successful `pulumi up` or `pulumi destroy`, in minutes: the wait
 * for an object with Pulumi's default, and then the wait for a rollout.
 */
export const longestWaitMinutes =
  pulumiDefaultMinutes +
  (webService.progressDeadlineSeconds + rollout.pulumiWaitMarginSeconds) / 60;

/**
 * `no_output_timeout` of steps that run Pulumi, in minutes. If CircleCI kills a step, the stack
 * stays locked, and the output does not show the cause. So this timeout is far above the longest
 * time that Pulumi waits without output.
 */
export const noOutputMinutes = 40;
