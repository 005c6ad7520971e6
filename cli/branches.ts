import { type Command, InvalidArgumentError } from "commander";
import type { CanaryOptions } from "../operations/canary/canary";
import type { ReviewUpOptions } from "../operations/review/up";
import { Steps } from "../lib/progress";
import { leaving } from "./command";

const loadCanary = async () => import("../operations/canary/canary");
const loadCanaryImage = async () => import("../operations/canary/image");
const loadReviewList = async () => import("../operations/review/list");

/** Adds the subcommands of `review`. */
export function addReview(review: Command): void {
  const branch = ["[branch]", "default: the branch that is checked out"] as const;
  review
    .command("up")
    .description("creates or updates the branch's review stack from the code that is checked out")
    .argument(...branch)
    .option("--allow-older", "run code that is older than the running code")
    .option(
      "--approved <file>",
      "stop if the command would change more than the plan in this file shows",
    )
    .action(
      leaving(async (given: string | undefined, options: ReviewUpOptions) =>
        (await import("../operations/review/up")).reviewUp(given, options),
      ),
    );
  review
    .command("down")
    .description("removes the branch's review stack, even if the branch no longer exists")
    .argument(...branch)
    .action(
      leaving(async (given?: string) =>
        (await import("../operations/review/down")).reviewDown(given),
      ),
    );
  review
    .command("list")
    .description("lists all review stacks, with owner and expiry")
    .action(leaving(async () => (await loadReviewList()).reviewList()));
  review
    .command("extend")
    .description("keeps the branch's review stack for at least the time in --for")
    .argument(...branch)
    .requiredOption("--for <time>", "time from now, such as 90m, 24h or 2d")
    .action(
      leaving(async (given: string | undefined, options: { for: string }) =>
        (await loadReviewList()).reviewExtend(given, options.for),
      ),
    );
}

function percent(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && value <= 50)) {
    throw new InvalidArgumentError("The percentage must be a number above 0 and at most 50.");
  }
  return value;
}

/** Builds the service's jars with Maven, in a directory with the files of the repository. */
async function buildJars(directory: string): Promise<void> {
  const { buildService } = await import("../tools/build");
  await new Steps(1).step("Service: Java code to jars (Maven)", async (report) => {
    await buildService(report, directory);
  });
}

/** Adds the subcommands of `canary`. */
export function addCanary(canary: Command): void {
  canary
    .command("start")
    .description("starts a canary of a branch, after a preview and a confirmation")
    .argument("<branch>", "a branch at the remote")
    .requiredOption(
      "--percent <n>",
      "the canary's share of production's requests, in percent",
      percent,
    )
    .requiredOption(
      "--for <time>",
      "time until the canary expires, such as 90m or 24h; at most 72h",
    )
    .option("--accept-share", "start even if the real share is far above --percent")
    .option("--commit <commit>", "commit to run (default: the newest commit of the branch)")
    .option("--built <file>", "run the image in this report of `canary -- image`")
    .option(
      "--image <repository@digest>",
      "run this image, which was built from --commit; build nothing",
    )
    .option("--yes", "do not ask for confirmation")
    .action(
      leaving(async (branch: string, options: CanaryOptions) =>
        (await loadCanary()).canaryStart(branch, options, buildJars),
      ),
    );
  for (const [name, description] of [
    ["build", "builds the jars of a branch with main's build files; needs no permissions"],
    ["image", "builds and pushes the image of a branch, but starts no canary"],
  ] as const) {
    canary
      .command(name)
      .description(description)
      .argument("<branch>", "a branch at the remote")
      .option(
        "--commit <commit>",
        "the approved commit, which must still be the newest commit of the branch",
      )
      .action(
        leaving(async (branch: string, options: { readonly commit?: string }) => {
          const { canaryBuild, canaryImage } = await loadCanaryImage();
          await (name === "build" ? canaryBuild : canaryImage)(branch, options, buildJars);
        }),
      );
  }
  canary
    .command("status")
    .description("shows the running canary, with its share and expiry")
    .action(leaving(async () => (await loadCanary()).canaryStatus()));
  canary
    .command("stop")
    .description("deletes the canary's pods")
    .action(leaving(async () => (await loadCanary()).canaryStop()));
}
