import { type Command, Option } from "commander";

/** Adds the command that runs the benchmarks. */
export function addBench(program: Command): void {
  program
    .command("bench")
    .description("measures the program, previews, memory and CPU requests")
    .option(
      "--jobs <counts>",
      "measures instead a stack with these numbers of additional jobs, and Helm, such as 20,100",
    )
    .addOption(
      new Option(
        "--state-delay <milliseconds>",
        "measures instead updates with the state in files, and in an S3 server that answers later",
      ).conflicts("jobs"),
    )
    .action(async ({ jobs, stateDelay }: { jobs?: string; stateDelay?: string }) => {
      if (jobs !== undefined) return (await import("../tools/bench/scale/scale")).scale(jobs);
      if (stateDelay !== undefined) {
        return (await import("../tools/bench/state/state")).state(stateDelay);
      }
      return (await import("../tools/bench/bench")).bench();
    });
}
