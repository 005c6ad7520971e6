import { type Command, Option } from "commander";
import type { DoctorOptions } from "../operations/doctor/platform";
import type { DeployOptions } from "../operations/deploy/deploy";
import type { PreviewOptions } from "../operations/preview/command";
import type { ApprovalOptions } from "../operations/stacks/approval";
import type { RollbackOptions } from "../operations/release/rollback";
import type { PromoteOptions } from "../operations/release/promote";
import type { SmokeOptions } from "../operations/release/smoke";
import type { NotifyOptions } from "../operations/notify/command";
import { addCanary, addReview } from "./branches";
import { addCommand, exitWithWrongUse, leaving, refusingWrongUse } from "./command";
import { WrongUse } from "../lib/errors";
import { stackNameOf, workspaceFor } from "./stack-argument";
import type { SweepOptions } from "../operations/sweep/sweep";

/**
 * Option of commands whose changes need a person's approval in a pipeline. Before the approval, the
 * pipeline runs the command with this option. The command then changes nothing: it only shows the
 * planned changes, and writes them into the file.
 */
const previewOption = [
  "--preview <file>",
  "show what would change, write it into this file, and stop",
] as const;

/** Sends messages about failed and missed runs to the recipients in `onFailure`. */
const tellJobs = leaving(async (stack: string) => {
  const { notifyJobs } = await import("../operations/notify/jobs/command");
  const name = await stackNameOf(stack);
  await notifyJobs(name, await workspaceFor(name));
});

/**
 * Adds the commands for stacks, such as `deploy` and `preview`. Each command loads only its own
 * code. None of these commands loads Pulumi's npm packages, because these packages load slowly.
 */
export function addOperations(program: Command): void {
  const add = (name: string): Command => addCommand(program, name);

  add("deploy")
    .description(
      "previews a stack's changes, asks for confirmation, deploys, and reports the result",
    )
    .argument("<stack>", "staging, prod, review-<slug>, or review for this branch")
    .option("--yes", "do not ask for confirmation")
    .option("--allow-older", "deploy code that is older than the running code")
    .option(
      "--approved <file>",
      "stop if the command would change more than the plan in this file shows",
    )
    .option("--take-back", "undo what someone has changed in the cluster")
    .option(
      "--wait-for-jobs <time>",
      "first wait until no job runs, for at most this time, such as 30m",
    )
    .action(
      leaving(async (stack: string, options: DeployOptions) => {
        const { deploy } = await import("../operations/deploy/deploy");
        await deploy(await stackNameOf(stack), options);
      }),
    );
  add("preview")
    .description("shows what would change in a stack, and the impact on the running service")
    .argument("<stack>", "local, staging, prod, review-<slug>, or review for this branch")
    .addOption(
      new Option("--format <format>", "format of the summary")
        .choices(["text", "markdown", "json"])
        .default("text"),
    )
    .option("--output <file>", "file for the summary, instead of standard output")
    .option("--comment", "create or update the pull request's comment with the summary")
    .option("--save-plan <file>", "save the plan, for --approved of deploy and of review -- up")
    .option(
      "--detailed-exitcode",
      "exit with 0 for no changes, 2 for changes, 3 for dangerous changes, 1 for a failure",
    )
    .action(
      leaving(async (stack: string, options: PreviewOptions) => {
        const { preview } = await import("../operations/preview/command");
        const name = await stackNameOf(stack);
        const workspace = await workspaceFor(name);
        // This code does not wait for the promise: `driftNotes` reads the cluster while Pulumi's
        // engine computes the preview.
        const notes = import("../operations/drift/read").then(async ({ driftNotes }) =>
          driftNotes(name, workspace),
        );
        await preview(name, { ...options, notes }, workspace);
      }),
    );
  add("notify")
    .description(
      "sends a message about a stack to Slack; if Slack does not accept it, only `jobs` fails",
    )
    .argument(
      "<event>",
      "deployed, failed, approval, canceled, done, drift, removed, skipped, or jobs (failed and missed runs of scheduled jobs)",
    )
    .requiredOption("--stack <stack>", "stack that the message is about")
    .option("--summary <file>", "a preview as JSON: what changed")
    .option("--cause-file <file>", "causes of a command that failed: reports/cause.txt")
    .option(
      "--report <file>",
      "report of the command; deployed and removed send no message if it is about another stack",
    )
    .option(
      "--told <file>",
      "for drift: file in which notify stores what its messages have reported",
    )
    .option("--preview <url>", "address of the preview (default: the pull request)")
    .action(async (event: string, options: NotifyOptions) => {
      if (event === "jobs") return tellJobs(options.stack);
      // If the command cannot find the name of the branch's stack, the command uses the given name,
      // because the command must send the message in any case.
      const stack = await stackNameOf(options.stack).catch(() => options.stack);
      await (await import("../operations/notify/command")).notify(event, { ...options, stack });
    });
  add("image")
    .description("builds and pushes a stack's image, and changes nothing else")
    .argument("<stack>", "staging, review-<slug>, or review for this branch")
    .action(
      leaving(async (stack: string) => {
        const { buildImage } = await import("../operations/release/build-image");
        await buildImage(await stackNameOf(stack));
      }),
    );
  add("smoke")
    .description("checks that the deployed release answers at the stack's public URL")
    .argument("<stack>", "local, staging, prod, review-<slug>, or review for this branch")
    .option(
      "--deployed <file>",
      "report of the deploy: the stack must run the release in this report",
    )
    .action(
      leaving(async (stack: string, options: SmokeOptions) => {
        const { smoke } = await import("../operations/release/smoke");
        await smoke(await stackNameOf(stack), options);
      }),
    );
  add("promote")
    .description("lets production's next deploy run the image that staging runs now")
    .option(
      "--deployed <file>",
      "promote the release in this report of staging's deploy, if staging still runs it",
    )
    .option("--image <repository@digest>", "promote this image, not the image that staging runs")
    .option("--reason <text>", "reason, required with --image")
    .option("--commit <commit>", "commit of the code in --image")
    .option("--branch <branch>", "branch of the code in --image")
    .option(
      "--save-release <file>",
      "write the release into this file for later jobs, and do not change production's state",
    )
    .action(
      leaving(async (options: PromoteOptions) =>
        (await import("../operations/release/promote")).promote(options),
      ),
    );
  add("rollback")
    .description("deploys the previous release, and holds the stack")
    .argument("<stack>", "prod")
    .requiredOption(
      "--reason <text>",
      "reason, for the history and for the person who wants to deploy next",
    )
    .option("--to <release>", "commit or digest of an earlier release")
    .option(...previewOption)
    .option("--approved <file>", "stop if the command would change more than this preview shows")
    .option("--yes", "do not ask for confirmation")
    .action(
      leaving(async (stack: string, options: RollbackOptions) => {
        const { rollback } = await import("../operations/release/rollback");
        await rollback(stack, options);
      }),
    );
  add("resume")
    .description("lets a held stack get releases again; deploys nothing")
    .argument("<stack>", "prod")
    .option(...previewOption)
    .option("--approved <file>", "stop if the hold differs from the hold in this preview")
    .option("--yes", "do not ask for confirmation")
    .action(
      leaving(async (stack: string, options: ApprovalOptions & { readonly yes?: boolean }) => {
        const { resume } = await import("../operations/release/hold");
        await resume(stack, options);
      }),
    );
  add("unlock")
    .description("shows who holds the lock that a killed update has left, and removes the lock")
    .argument(
      "<stack>",
      "local, staging, prod, prod-canary, review-<slug>, or review for this branch",
    )
    .option(...previewOption)
    .option("--approved <file>", "stop if a lock is not in this preview")
    .option("--yes", "do not ask for confirmation")
    .action(
      leaving(async (stack: string, options: ApprovalOptions & { readonly yes?: boolean }) => {
        const { unlock } = await import("../operations/locks/unlock");
        const name = await stackNameOf(stack);
        await unlock(name, options, await workspaceFor(name));
      }),
    );
  const platform = add("platform").description("what the environments share");
  platform
    .command("up")
    .description("shows what would change in the platform, asks for confirmation, and changes it")
    .argument("<stack>", "a stack of the platform, such as shared")
    .option("--yes", "do not ask for confirmation")
    .action(
      leaving(async (stack: string, options: { readonly yes?: boolean }) => {
        await (await import("../operations/platform/platform")).platformUp(stack, options);
      }),
    );
  add("doctor")
    .description("checks what the commands need for a stack, and says what to do; changes no stack")
    .argument(
      "[what]",
      "a stack such as staging, or review for this branch; or platform: the clusters of review stacks",
      "local",
    )
    .option(
      "--context <name...>",
      "only for platform: contexts of the kubeconfig (default: the current context)",
    )
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      "\nExit codes for a stack: 0 nothing is wrong, 1 something is wrong, 2 wrong arguments.\nExit codes for platform: 0 all is ok, 3 something is not ok, 1 no answer, 2 wrong arguments.",
    )
    .exitOverride(exitWithWrongUse)
    .action(
      refusingWrongUse(async (what: string, options: DoctorOptions) => {
        if (what === "platform") {
          const { doctorPlatform } = await import("../operations/doctor/platform");
          await doctorPlatform(options);
          return;
        }
        if (options.context !== undefined) {
          throw new WrongUse(
            "--context is only for platform. The settings of a stack name its cluster.",
          );
        }
        const { doctorStack } = await import("../operations/doctor/stack/command");
        const stack = await stackNameOf(what);
        await doctorStack(stack, options, await workspaceFor(stack));
        // If a check starts a program that does not answer, a child process of this program may
        // still run. The open output of the child process would keep this process alive. So this
        // code ends this process after `leaving` has written the reports.
        setImmediate(() => process.exit());
      }),
    );
  add("sweep")
    .description("lists review stacks and canaries that have expired or lost their branch")
    .option("--apply", "remove them")
    .addOption(new Option("--only <what>", "one kind of stack").choices(["canary", "reviews"]))
    .action(
      leaving(async (options: SweepOptions) =>
        (await import("../operations/sweep/sweep")).sweep(options),
      ),
    );
  addReview(add("review").description("review stacks: a branch's own environment"));
  addCanary(add("canary").description("a few pods of a branch among production's pods"));
}
