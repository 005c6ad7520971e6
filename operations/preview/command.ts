import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseStack } from "../../components/conventions/stacks";
import { UserError } from "../../tools/progress";
import { type Engine, ambient, withEnv } from "../engine";
import type { PullRequest } from "../github";
import { isGiven, promoted, releaseEnv } from "../release";
import { reports } from "../reports";
import { commentLimit, sectionLimit } from "./limits";
import { look } from "./look";
import type { Summary, Verdict } from "./summary";

export type Format = "json" | "markdown" | "text";

export interface PreviewOptions {
  readonly comment?: boolean;
  readonly detailedExitcode?: boolean;
  readonly format?: Format;
  readonly output?: string;
  readonly savePlan?: string;
}

/** Exit codes with `--detailed-exitcode`, as those of `terraform plan`, and one more. */
export const exitCodes: Readonly<Record<Verdict, number>> = {
  changes: 2,
  danger: 3,
  error: 1,
  nothing: 0,
};

/** Pulumi as the shell has it, else as the sandbox has; and what was promoted for production. */
async function engineFor(stack: string): Promise<Engine> {
  if (process.env["PULUMI_BACKEND_URL"] === undefined && stack === "local") {
    const { environment } = await import("../../tools/sandbox/environment");
    return withEnv(ambient, environment());
  }
  if (stack !== "prod" || isGiven(ambient)) return ambient;
  const { tagsOf } = await import("../stacks");
  const release = promoted(await tagsOf(stack).catch(() => ({})));
  return release === undefined ? ambient : withEnv(ambient, releaseEnv(release));
}

/** Where the comment goes: found before the engine runs, because it may be that something is missing. */
async function pullRequest(): Promise<PullRequest | undefined> {
  const { pullRequestFrom } = await import("../github");
  const pull = pullRequestFrom(process.env);
  if (pull === undefined) process.stderr.write("There is no pull request yet, so no comment.\n");
  return pull;
}

/** `npm run preview -- STACK`: Pulumi's diff as it comes, and what it means for the running service. */
export async function preview(stack: string, options: PreviewOptions = {}): Promise<void> {
  if (parseStack(stack) === undefined) {
    throw new UserError(
      `"${stack}" is no stack; there are local, review-<slug>, staging, prod and prod-canary`,
    );
  }
  const { format = "text" } = options;
  const pull = options.comment === true ? await pullRequest() : undefined;
  // Where the summary alone is wanted on standard output, Pulumi's own goes beside it.
  const to = format === "text" ? process.stdout : process.stderr;
  const engine = await engineFor(stack);
  const { plan, printed, safe, summary, text } = await look({ engine, stack, to });
  const sha = process.env["CIRCLE_SHA1"];
  const where = sha === undefined ? {} : { where: sha.slice(0, 7) };
  const markdown = async (limit: number): Promise<string> => {
    const { markdownOf } = await import("./markdown");
    return safe(markdownOf(summary, { limit, printed, ...where }));
  };
  const rendered = await {
    json: async () =>
      Promise.resolve(safe(`${JSON.stringify({ ...summary, plan }, undefined, 2)}\n`)),
    markdown: async () => markdown(commentLimit),
    text: async () => Promise.resolve(text),
  }[format]();
  if (options.output === undefined) {
    process.stdout.write(format === "text" ? `\n${rendered}` : rendered);
  } else {
    mkdirSync(dirname(options.output), { recursive: true });
    writeFileSync(options.output, rendered);
    process.stdout.write(text);
  }
  if (options.savePlan !== undefined && summary.verdict !== "error") {
    const { savePlan } = await import("./plan");
    savePlan(options.savePlan, plan);
  }
  if (pull !== undefined) {
    const { comment } = await import("./comment");
    await comment(pull, stack, await markdown(sectionLimit)).then(
      (url) => process.stderr.write(`The pull request's comment: ${url}\n`),
      (error: unknown) =>
        process.stderr.write(`warning: no comment on the pull request: ${String(error)}\n`),
    );
  }
  if (summary.verdict === "error") reports.addCause(safe(summary.errors.join("\n")));
  process.exitCode = exitCodeOf(summary, options);
}

function exitCodeOf({ verdict }: Summary, { detailedExitcode = false }: PreviewOptions): number {
  return detailedExitcode || verdict === "error" ? exitCodes[verdict] : 0;
}
