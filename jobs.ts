import type { JobEnvironment } from "./environments";
import type { Duration } from "./components/conventions/schedules/durations";
import type { ScheduledJobArgs } from "./components/scheduled-job/scheduled-job";

/**
 * Commands of the service that may run on a schedule. `export --continue NAME` stores its progress
 * under NAME. So the next run also exports the orders that a late or failed run has not exported.
 */
type Command =
  | readonly ["expire-unpaid", "--older-than", Duration]
  | readonly ["export", "--continue", string, "--format", "csv" | "json"];

/**
 * All args of a ScheduledJob, except the args that the program sets or that {@link Job} declares.
 */
type Knobs = Omit<
  ScheduledJobArgs,
  | "appEndpoint"
  | "args"
  | "database"
  | "identity"
  | "imageRef"
  | "namespace"
  | "release"
  | "schedule"
  | "serviceAccountName"
  | "suspend"
>;

/** The values of a job that may differ between environments. */
export interface JobValues extends Knobs {
  /** Command of the service's CLI. The command must be idempotent. */
  readonly args: Command;
  /**
   * When the job runs, in the time zone of `timeZone`. The fields are minute, hour, day of month,
   * month, day of week. Sunday is 0, not 7. A date that does not exist, such as 31 February, is not
   * an error, but the job never runs. The preview shows the next three runs.
   */
  readonly schedule: string;
  /**
   * Whether the CronJob is suspended, so that Kubernetes starts no runs. With `false`, the job also
   * runs in review stacks and in stack `local`. If the job stays suspended by mistake, nothing
   * reports the missing runs.
   *
   * @default - `true` in `local` and `review`, `false` in `staging` and `prod`
   */
  readonly suspend?: boolean;
}

/** One scheduled job, which becomes one CronJob. */
export interface Job extends JobValues {
  /**
   * Values for single environments. In such an environment, these values replace the values of the
   * entry. For `env`, each variable replaces only the variable with the same name.
   *
   * @default - the same values in all environments
   * @example
   * { staging: { schedule: "0 5 * * *" }, prod: { env: { DATABASE_POOL_SIZE: "2" } } }
   */
  readonly environments?: { readonly [Name in JobEnvironment]?: Partial<JobValues> };
  /**
   * Name of the CronJob: unique, at most 52 characters. If you change the name, Pulumi deletes the
   * old CronJob and creates a new CronJob.
   */
  readonly name: string;
}

/** The service's scheduled jobs. To add a job, add an entry. */
export const jobs: readonly Job[] = [
  {
    name: "expire-unpaid",
    args: ["expire-unpaid", "--older-than", "48h"],
    schedule: "0 * * * *",
  },
  {
    name: "export",
    args: ["export", "--continue", "nightly", "--format", "csv"],
    schedule: "30 3 * * *",
  },
];
