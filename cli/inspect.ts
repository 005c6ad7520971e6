import type { Command } from "commander";
import type { DriftOptions } from "../operations/drift/command";
import type { JobsOptions } from "../operations/jobs/command";
import type { HistoryOptions } from "../operations/history/command";
import type { StatusOptions } from "../operations/status/command";
import { addCommand, leaving } from "./command";
import { stackNameOf, workspaceFor } from "./stack-argument";

/**
 * Adds the commands that show what stacks run. Only one of these commands changes something in a
 * cluster: `jobs` can also start or stop a run of a job.
 */
export function addInspect(program: Command): void {
  const add = (name: string): Command => addCommand(program, name);

  add("status")
    .description("shows a stack on one screen: release, pods, jobs, hold, drift, expiry")
    .argument("[stack]", "a stack such as staging or review-<slug>, or review for this branch")
    .option("--all", "show one line for each stack")
    .option("--json", "print the result as JSON")
    .action(
      leaving(async (stack: string | undefined, options: StatusOptions) => {
        const { status } = await import("../operations/status/command");
        const name = stack === undefined ? undefined : await stackNameOf(stack);
        await status(name, options, name === undefined ? undefined : await workspaceFor(name));
      }),
    );
  add("drift")
    .description("shows what someone has changed in the cluster since a stack's last update")
    .argument(
      "<stack>",
      "local, staging, prod, prod-canary, review-<slug>, or review for this branch",
    )
    .option("--json", "print the result as JSON")
    .option("--output <file>", "also write the result as JSON into this file, and exit with 0")
    .action(
      leaving(async (stack: string, options: DriftOptions) => {
        const { drift } = await import("../operations/drift/command");
        const name = await stackNameOf(stack);
        await drift(name, options, await workspaceFor(name));
      }),
    );
  add("jobs")
    .description(
      "lists a stack's scheduled jobs with their runs; starts or stops a run, or prints its log",
    )
    .argument("<stack>", "local, staging, prod, review-<slug>, or review for this branch")
    .argument("[action]", "logs, run or stop")
    .argument("[job]", "name of the job, for an action")
    .option("--json", "print the list as JSON")
    .option("--run <run>", "name of a run, for logs and stop (default: the newest run)")
    .option("--yes", "do not ask for confirmation")
    .action(
      leaving(
        async (
          stack: string,
          action: string | undefined,
          job: string | undefined,
          options: JobsOptions,
        ) => {
          const { jobs } = await import("../operations/jobs/command");
          const name = await stackNameOf(stack);
          await jobs(name, action, job, options, await workspaceFor(name));
        },
      ),
    );
  add("history")
    .description("lists a stack's updates: when, who, commit, image, result and reason")
    .argument("<stack>", "local, staging, prod, review-<slug>, or review for this branch")
    .option("--json", "print the result as JSON")
    .action(
      leaving(async (stack: string, options: HistoryOptions) => {
        const { history } = await import("../operations/history/command");
        const name = await stackNameOf(stack);
        await history(name, options, await workspaceFor(name));
      }),
    );
  add("where")
    .description("shows which stacks run a commit, and which have run it")
    .argument("<commit>", "a commit, such as 3f2c9e1")
    .action(
      leaving(async (commit: string) => {
        const { where } = await import("../operations/history/command");
        await where(commit);
      }),
    );
}
