import type { Environment } from "./environments";
import type { ScheduledJobArgs } from "./components/scheduled-job/scheduled-job";

/** A duration in hours or days, in the format of the service's command line, such as `48h`. */
type Duration = `${number}${"d" | "h"}`;

/**
 * Commands of the service that may run on a schedule. `export --continue NAME` stores under NAME
 * how far the export has come, so the next run also exports the orders of a late or failed run.
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

/** One scheduled job, which becomes one CronJob. */
export interface Job extends Knobs {
  /** Command of the service's CLI. The command must be idempotent. */
  readonly args: Command;
  /**
   * Name of the CronJob: unique, at most 52 characters. If you change the name, Pulumi deletes the
   * old CronJob and creates a new CronJob.
   */
  readonly name: string;
  /**
   * When the job runs, in the time zone of `timeZone`. The fields are minute, hour, day of month,
   * month, day of week. Sunday is 0, not 7. A date that does not exist, such as 31 February, is not
   * an error, but the job never runs. The preview shows the next three runs.
   */
  readonly schedule: string;
  /**
   * Environments in which the CronJob is suspended. With `[]`, the job runs in all environments.
   *
   * @default ["local", "review"]
   */
  readonly suspendedIn?: readonly Environment[];
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
