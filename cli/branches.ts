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
    .description("creates or updates it from the code that is checked out")
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
    .description("removes it; the branch may be gone")
    .argument(...branch)
    .action(
      leaving(async (given?: string) =>
        (await import("../operations/review/down")).reviewDown(given),
      ),
    );
  review
    .command("list")
    .description("all of them, with owner and expiry")
    .action(leaving(async () => (await loadReviewList()).reviewList()));
  review
    .command("extend")
    .description("lets it live longer than the default 72 h after its last update")
    .argument(...branch)
    .requiredOption("--for <time>", "how long from now: 90m, 24h or 2d")
    .action(
      leaving(async (given: string | undefined, options: { for: string }) =>
        (await loadReviewList()).reviewExtend(given, options.for),
      ),
    );
}

function percent(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && value <= 50)) {
    throw new InvalidArgumentError("a percentage is a number above 0 and at most 50");
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
    .description("starts one, after a preview and a confirmation")
    .argument("<branch>", "a branch at the remote")
    .requiredOption("--percent <n>", "share of production's requests", percent)
    .requiredOption("--for <time>", "how long: 90m, 24h or 2d")
    .option("--accept-share", "start even if the real share is far above --percent")
    .option("--commit <commit>", "commit to run (default: the newest one of the branch)")
    .option("--built <file>", "run the image in this report of `canary -- image`")
    .option("--image <repository@digest>", "run this image, which --commit became; builds nothing")
    .option("--yes", "do not ask for confirmation")
    .action(
      leaving(async (branch: string, options: CanaryOptions) =>
        (await loadCanary()).canaryStart(branch, options, buildJars),
      ),
    );
  for (const [name, description] of [
    ["build", "builds the jars of a branch with main's build; needs no permissions"],
    ["image", "builds and pushes the image of a branch, and starts nothing"],
  ] as const) {
    canary
      .command(name)
      .description(description)
      .argument("<branch>", "a branch at the remote")
      .option("--commit <commit>", "the newest commit of the branch, as it was approved")
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
