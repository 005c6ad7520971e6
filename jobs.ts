import type { Environment } from "./environments";
import type { ScheduledJobArgs } from "./components/scheduled-job/scheduled-job";

/** A duration, in the format of the service's command line: hours or days. */
type Duration = `${number}${"d" | "h"}`;

/**
 * Commands of the service that may run on a schedule. `export --continue` remembers under its name
 * how far it has come, so a run that is late or fails loses no order.
 */
type Command =
  | readonly ["expire-unpaid", "--older-than", Duration]
  | readonly ["export", "--continue", string, "--format", "csv" | "json"];

/** Every arg of a job that the program does not set. The editor shows what each one does. */
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

/** One scheduled job: one CronJob and nothing else. */
export interface Job extends Knobs {
  /** Command of the service's command line. It must be idempotent. */
  readonly args: Command;
  /** Name of the CronJob: unique, at most 52 characters. A new name is a new job. */
  readonly name: string;
  /**
   * When it runs, in `timeZone`: minute, hour, day of month, month, day of week. Sunday is 0, not
   * 7. A date that does not exist, such as 31 February, is accepted but the job never runs.
   * The preview shows the next three runs.
   */
  readonly schedule: string;
  /**
   * Environments in which the CronJob is suspended. `[]` lets it run everywhere.
   *
   * @default ["local", "review"]
   */
  readonly suspendedIn?: readonly Environment[];
}

/** The service's scheduled jobs. To add one, add an entry. */
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
