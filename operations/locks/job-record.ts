import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { command } from "../../lib/command";
import { quoted } from "../../lib/shell";
import type { CircleciJob } from "./circleci-job";
import { type JobRecord, type StateOfProject, recordObject } from "./lock-store";

/** How a Pulumi process is recorded for the jobs after this one. */
export interface Recording {
  /** Removes the record, unless Pulumi was killed: then its lock is left, and needs the record. */
  readonly ended: (signal: NodeJS.Signals | null) => Promise<void>;
  /** Program that writes the record and then becomes Pulumi; its arguments are Pulumi's command. */
  readonly through: readonly string[];
}

/** Seconds until Pulumi starts without a record. */
const writeSeconds = 30;

/**
 * Records in S3 which CircleCI job takes a stack's lock. A later job of the same serial group can
 * then take over the lock if this job is cancelled.
 *
 * @param args - Pulumi's arguments
 * @returns undefined if the command takes no lock, and for a state that is not in S3.
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
        // The record is harmless without its lock. The warning was given when it was written.
      });
    },
    through: ["sh", "-c", writer(record, object.write)],
  };
}

/** The stack whose lock this Pulumi command takes. */
function lockedBy(args: readonly string[]): string | undefined {
  const [what = "", action = "", name] = args;
  if (what === "stack" && ["init", "rm"].includes(action)) return name;
  const locks = ["destroy", "refresh", "up"].includes(what) || action === "import";
  return locks ? args[args.indexOf("--stack") + 1] : undefined;
}

/**
 * A shell that writes the record with its own process id, and then becomes Pulumi: `exec` keeps the
 * id. So the record has Pulumi's id, and is there before Pulumi takes the lock.
 */
function writer(record: Omit<JobRecord, "pid">, write: readonly string[]): string {
  const rest = JSON.stringify(record).slice(1);
  const aws = ["timeout", String(writeSeconds), "aws", ...write].map(quoted).join(" ");
  const warning =
    "warning: the CircleCI job cannot be recorded next to the lock. If this job is cancelled, " +
    "the next one waits for the lock. Check s3:PutObject on .pulumi/locks: ";
  return [
    `said=$(printf '{"pid":%s,%s' "$$" ${quoted(rest)} | ${aws} 2>&1) ||`,
    `  printf '%s%s\\n' ${quoted(warning)} "$(printf '%s' "$said" | tail -n 1)" >&2`,
    'exec "$0" "$@"',
  ].join("\n");
}
