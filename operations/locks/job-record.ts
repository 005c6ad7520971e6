import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { command } from "../../lib/command";
import { quoted } from "../../lib/shell";
import type { CircleciJob } from "./circleci-job";
import type { StateOfProject } from "../clients/state-objects";
import { type JobRecord, recordObject } from "./lock-store";
import { stackIn } from "../pulumi/engine-environment";

/**
 * What a caller needs to start Pulumi with a record. In the record, later CircleCI jobs find the
 * CircleCI job that started the Pulumi process.
 */
export interface Recording {
  /**
   * Removes the record when Pulumi has ended. Keeps the record if Pulumi was killed (SIGKILL).
   * Pulumi's lock then remains. A later job can take over this lock only with the record.
   */
  readonly ended: (signal: NodeJS.Signals | null) => Promise<void>;
  /**
   * The start of a command line. The caller appends Pulumi's command line. The command writes the
   * record, and then replaces itself with Pulumi (`exec`).
   */
  readonly through: readonly string[];
}

/**
 * Timeout for writing the record, in seconds. After the timeout, Pulumi starts without a record.
 */
const writeSeconds = 30;

/**
 * Prepares a record of the CircleCI job that takes a stack's lock. The record is an object in S3.
 * If the job is canceled, a later job of the same serial group needs this record to take over the
 * lock.
 *
 * @param args - Pulumi's arguments
 * @returns undefined if the command takes no lock, or if the state backend is not in S3.
 */
export function recordingOf(
  args: readonly string[],
  job: CircleciJob,
  state: StateOfProject,
): Recording | undefined {
  const stack = lockedBy(args);
  if (stack === undefined || !state.backendUrl.startsWith("s3://")) return undefined;
  const object = recordObject(stack, state, randomUUID());
  const record = { at: Date.now(), hostname: hostname(), job } satisfies Omit<JobRecord, "pid">;
  return {
    ended: async (signal) => {
      if (signal === "SIGKILL") return;
      await command("aws", object.remove, { env: state.env, timeout: 30_000 }).catch(() => {
        // A record without a lock is harmless, so this code ignores the error. If the shell script
        // could not write the record either, the shell script has already printed a warning.
      });
    },
    through: ["sh", "-c", writer(record, object.write)],
  };
}

/** The stack whose lock this Pulumi command takes. Undefined if the command takes no lock. */
function lockedBy(args: readonly string[]): string | undefined {
  const [what = "", action = ""] = args;
  const locks =
    what === "stack"
      ? ["import", "init", "rm"].includes(action)
      : ["destroy", "refresh", "up"].includes(what);
  return locks ? stackIn(args) : undefined;
}

/**
 * Returns a shell script that writes the record with the shell's process id, and then replaces the
 * shell with Pulumi (`exec`). `exec` keeps the process id, so the record contains Pulumi's process
 * id. Pulumi starts only after the script has written the record, or after the script could not
 * write the record.
 */
function writer(record: Omit<JobRecord, "pid">, write: readonly string[]): string {
  const rest = JSON.stringify(record).slice(1);
  const aws = ["timeout", String(writeSeconds), "aws", ...write].map(quoted).join(" ");
  const warning =
    "warning: the CircleCI job cannot be recorded next to the lock. If this job is canceled, " +
    "the next job waits for the lock. Check s3:PutObject on .pulumi/locks: ";
  return [
    `said=$(printf '{"pid":%s,%s' "$$" ${quoted(rest)} | ${aws} 2>&1) ||`,
    `  printf '%s%s\\n' ${quoted(warning)} "$(printf '%s' "$said" | tail -n 1)" >&2`,
    'exec "$0" "$@"',
  ].join("\n");
}
