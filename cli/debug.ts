import type { Command } from "commander";
import type { DebugOptions } from "../operations/debug/command";
import { addCommand, bannerInOutput, exitWithWrongUse, refusingWrongUse } from "./command";
import { stackNameOf, workspaceFor } from "./stack-argument";
import { WrongUse } from "../lib/errors";

/**
 * Adds `npm run debug`, which starts a twin (a copy) of the service's pod for a debugger, or gets a
 * dump of a running pod.
 */
export function addDebug(program: Command): void {
  addCommand(program, "debug")
    .description(
      "starts a twin of the service's pod for a debugger, or gets a dump of a running pod",
    )
    .argument("<stack>", "local, staging, prod, review-<slug>, or review for this branch")
    .option("--suspend", "let the JVM wait for the debugger before the JVM runs the main class")
    .option(
      "--deadline <time>",
      "delete the twin after this time, such as 30m, at most 8h (default: 1h)",
    )
    .option("--port <port>", "port of this machine for the debugger (default: 5005)", Number)
    .option("--threads", "print a thread dump of a running pod")
    .option("--heap <file>", "write a heap dump of a running pod into this file")
    .option(
      "--jfr <time and file...>",
      "write a flight recording of a running pod: --jfr 60s orders.jfr",
    )
    .option("--pod <name>", "the running pod (default: a ready pod of the service)")
    .option(
      "--reason <text>",
      "why you need the twin or the dump, for an annotation or the service's log; required for prod",
    )
    .option("--yes", "do not ask for confirmation; required for prod")
    .addHelpText(
      "after",
      "\nCtrl-C ends the command and deletes the twin.\nExit codes: 0 done; 1 failed; 2 for wrong arguments; 130 if you stop --heap or --jfr.",
    )
    .exitOverride(exitWithWrongUse)
    .action(
      refusingWrongUse(async (stack: string, options: DebugOptions) => {
        if (options.threads === true && bannerInOutput("debug")) {
          throw new WrongUse(
            "npm writes its own first lines into the output. Use npm run --silent debug -- ... Nothing was changed.",
          );
        }
        const { debug } = await import("../operations/debug/command");
        const name = await stackNameOf(stack);
        await debug(name, options, await workspaceFor(name));
      }),
    );
}
