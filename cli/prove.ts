import type { Command } from "commander";
import type { AwsOptions, CircleciOptions, EksOptions } from "../operations/prove/command";
import { addCommand, exitWithWrongUse, refusingWrongUse } from "./command";

/** Adds `npm run prove`, which checks that ECR, CircleCI and EKS work as this project assumes. */
export function addProve(program: Command): void {
  const prove = addCommand(program, "prove")
    .description(
      "checks with your credentials that AWS, CircleCI or EKS works as this project assumes",
    )
    .addHelpText(
      "after",
      "\nExit codes: 0 proven, 3 something differs or cannot be checked, 1 failed, 2 wrong use.",
    )
    .exitOverride(exitWithWrongUse);
  prove
    .command("aws")
    .description("pushes to a new ECR repository, and deletes the repository; asks first")
    .option("--json", "print the outcomes as JSON")
    .option("--record <file>", "file of the record (default: config/proofs.json)")
    .option(
      "--repository <name>",
      "repository whose settings the command checks (default: the service's repository)",
    )
    .option("--yes", "do not ask for confirmation")
    .action(
      exiting(async (options: AwsOptions) =>
        (await import("../operations/prove/command")).proveAws(options),
      ),
    );
  prove
    .command("circleci")
    .description("checks the results of a small pipeline, whose configuration --write writes")
    .argument("[workflow]", "id of the workflow")
    .option("--json", "print the outcomes as JSON")
    .option("--record <file>", "file of the record (default: config/proofs.json)")
    .option("--rerun <workflow>", "id of the workflow of a rerun with SSH")
    .option("--write <file>", "write the configuration of the pipeline, and end")
    .action(
      exiting(async (workflow: string | undefined, options: CircleciOptions) =>
        (await import("../operations/prove/command")).proveCircleci(workflow, options),
      ),
    );
  prove
    .command("eks")
    .description("checks a cluster with two small pods in a new namespace; asks first")
    .option("--context <name>", "context of the kubeconfig (default: the current context)")
    .option("--json", "print the outcomes as JSON")
    .option("--record <file>", "file of the record (default: config/proofs.json)")
    .option("--yes", "do not ask for confirmation")
    .action(
      exiting(async (options: EksOptions) =>
        (await import("../operations/prove/command")).proveEks(options),
      ),
    );
}

/**
 * Returns an action for a subcommand of `prove`. The number that `work` returns becomes the exit
 * code.
 */
function exiting<Args extends unknown[]>(
  work: (...args: Args) => Promise<number>,
): (...args: Args) => Promise<void> {
  return refusingWrongUse(async (...args: Args) => {
    process.exitCode = await work(...args);
  });
}
