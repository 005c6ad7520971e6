import { type Declared, at, unknown } from "./declared";
import type { Broken, Rule } from "./rule";

/**
 * Minimum of `startingDeadlineSeconds`. The Kubernetes documentation says that the CronJob
 * controller looks for due runs every 10 seconds. So with a shorter deadline, the controller may
 * miss every run.
 */
const shortestStart = 10;

function deadline(
  { props }: Declared,
  path: readonly string[],
  least: number,
  todo: string,
): readonly Broken[] {
  const got = at(props, ...path);
  if (got === unknown || (typeof got === "number" && got >= least)) return [];
  return [{ got, must: `be at least ${String(least)} (seconds)`, path: path.join("."), todo }];
}

function concurrency({ props }: Declared): readonly Broken[] {
  const got = at(props, "spec", "concurrencyPolicy");
  if (got === unknown || ["Allow", "Forbid", "Replace"].includes(String(got))) return [];
  return [
    {
      got,
      must: "be Forbid, Replace or Allow",
      path: "spec.concurrencyPolicy",
      todo: "set it: without it, runs overlap",
    },
  ];
}

/**
 * A CronJob needs a concurrency policy and two deadlines. For example, without
 * `startingDeadlineSeconds`, Kubernetes may start a missed run many hours late.
 */
export const cronJobBounded: Rule = {
  name: "cron-job-bounded",
  description:
    "Every CronJob sets how late a run may start, how long a run may take, and whether runs may overlap",
  check(object) {
    if (object.kind !== "CronJob") return [];
    const run = ["spec", "jobTemplate", "spec", "activeDeadlineSeconds"];
    return [
      ...concurrency(object),
      ...deadline(
        object,
        ["spec", "startingDeadlineSeconds"],
        shortestStart,
        "set it, such as 300",
      ),
      ...deadline(object, run, 1, "set it below the time between two runs"),
    ];
  },
};
