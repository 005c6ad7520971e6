import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { mainBranch } from "../../components/conventions/ci-roles";
import { traitsOf } from "../../environments";
import { type Workspace, defaultWorkspace, variables, withEnv } from "../pulumi/run-pulumi";
import type { PullRequest } from "../clients/github";
import { forcing } from "../pulumi/field-managers";
import { isGiven, promoted, releaseEnv } from "../stacks/release";
import { assertStackName } from "../stacks/stack-name";
import { reports } from "../../lib/reports";
import { commentLimit, sectionLimit } from "./render/limits";
import type { PreviewRun } from "../pulumi/run-preview";
import { type Place, asMerged } from "./merged";
import { type Notes, previewOf } from "./preview-result";
import type { PreviewResult } from "./result-of";
import type { Verdict } from "./impact/summary";

type Format = "json" | "markdown" | "text";

export interface PreviewOptions {
  readonly comment?: boolean;
  readonly detailedExitcode?: boolean;
  readonly format?: Format;
  /**
   * Notes that the caller adds to the summary. If the notes are a promise, this promise must not be
   * rejected.
   */
  readonly notes?: Notes;
  readonly output?: string;
  readonly savePlan?: string;
}

/**
 * Exit codes with `--detailed-exitcode`: those of `terraform plan`, and 3 if a person must check
 * the changes.
 */
const exitCodes: Readonly<Record<Verdict, number>> = {
  changes: 2,
  danger: 3,
  error: 1,
  nothing: 0,
};

/**
 * Returns the caller's workspace with further environment variables. For staging and production,
 * these variables set the release that the preview compares with the state. If the caller has not
 * set a branch, the branch of this release is `main`. So the preview of a branch shows what happens
 * after the merge of the branch. For production, the preview uses the promoted release if the
 * caller has not set an image.
 */
async function workspaceFor(stack: string, given: Workspace): Promise<Workspace> {
  const env = variables(given);
  const { image, protectedBranch = false } = traitsOf(stack) ?? {};
  // A deploy to a stack without a protected branch overwrites manual changes in the cluster. So the
  // preview uses the same option as the deploy.
  if (!protectedBranch) return withEnv(given, forcing);
  const unsaid = (env["RELEASE_BRANCH"] ?? "") === "";
  const workspace = unsaid ? withEnv(given, { RELEASE_BRANCH: mainBranch }) : given;
  if (image !== "promoted" || isGiven(workspace)) return workspace;
  const { tagsIfExists } = await import("../pulumi/connect");
  const release = promoted(await tagsIfExists(stack, workspace));
  return release === undefined ? workspace : withEnv(workspace, releaseEnv(release));
}

/**
 * Runs a preview. For staging and production, the preview uses the code after a merge of this
 * branch with `main`. If RELEASE_BRANCH is set, the preview uses the code of this branch without a
 * merge.
 */
async function previewIn(
  stack: string,
  { notes = [] }: PreviewOptions,
  given: Workspace,
  to: PreviewRun["to"],
): Promise<PreviewResult> {
  const isMain =
    traitsOf(stack)?.protectedBranch === true && (variables(given)["RELEASE_BRANCH"] ?? "") === "";
  const work = async (place: Place): Promise<PreviewResult> => {
    const workspace = await workspaceFor(stack, place.workspace);
    const all = Promise.resolve(notes).then((told) => [...place.notes, ...told]);
    return checkedPreview({ stack, to, workspace }, all);
  };
  return isMain ? asMerged(given, work) : work({ notes: [], workspace: given });
}

/** Milliseconds within which the engine usually reads the state and prints its first line. */
const usualMs = 1_000;

/**
 * Runs the engine. The engine first reads the state. If the state backend does not answer, the
 * engine prints nothing for 15 minutes. So if the engine has printed nothing after a second, this
 * function itself sends a request to the backend. This function does not check the cluster, because
 * the Pulumi program checks the cluster.
 *
 * @throws UserError within 25 s if the state backend does not answer. The error identifies the
 * backend.
 */
async function checkedPreview(run: PreviewRun, notes?: Notes): Promise<PreviewResult> {
  const ended = new AbortController();
  let begun = false;
  const began = (): void => void (begun = true);
  const previewed = previewOf({ ...run, began, signal: ended.signal }, notes);
  const reached = async (): Promise<void> => {
    const over = previewed.catch(() => undefined);
    await Promise.race([over, sleep(usualMs, undefined, { ref: false })]);
    if (begun) return;
    const { stackNames } = await import("../pulumi/connect");
    await stackNames(run.workspace).catch((error: unknown) => {
      if (!begun) throw error;
    });
  };
  try {
    const [seen] = await Promise.all([previewed, reached()]);
    return seen;
  } catch (error) {
    ended.abort();
    throw error;
  }
}

/**
 * Returns the pull request on which the preview writes a comment. The caller calls this function
 * before the start of the engine, so that the error about a missing variable appears early. Without
 * GITHUB_TOKEN, the preview writes no comment on a laptop. In CI (`CI=true`), a missing token is an
 * error.
 */
async function pullRequest(): Promise<PullRequest | undefined> {
  if ((process.env["GITHUB_TOKEN"] ?? "") === "" && process.env["CI"] !== "true") {
    process.stderr.write("no comment, because GITHUB_TOKEN is not set\n");
    return undefined;
  }
  const { pullRequestFrom } = await import("../clients/github");
  const pull = pullRequestFrom(process.env);
  if (pull === undefined)
    process.stderr.write("no comment, because there is no pull request yet\n");
  return pull;
}

/** `npm run preview -- STACK`: shows Pulumi's diff, and the impact on the running service. */
export async function preview(
  stack: string,
  options: PreviewOptions = {},
  given: Workspace = defaultWorkspace,
): Promise<void> {
  assertStackName(stack);
  const { format = "text" } = options;
  const pull = options.comment === true ? await pullRequest() : undefined;
  // For the formats `json` and `markdown`, Pulumi's own output goes to standard error, so that
  // standard output contains only the summary.
  const to = format === "text" ? process.stdout : process.stderr;
  const { plan, printed, safe, summary, text } = await previewIn(stack, options, given, to);
  const sha = process.env["CIRCLE_SHA1"];
  const where = sha === undefined ? {} : { where: sha.slice(0, 7) };
  const markdown = async (limit: number): Promise<string> => {
    const { markdownOf } = await import("./render/markdown");
    return safe(markdownOf(summary, { limit, printed, ...where }));
  };
  const rendered =
    format === "text"
      ? text
      : format === "markdown"
        ? await markdown(commentLimit)
        : safe(`${JSON.stringify({ ...summary, plan }, undefined, 2)}\n`);
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
    const { comment } = await import("./render/comment");
    await comment(pull, stack, await markdown(sectionLimit)).then(
      (url) => process.stderr.write(`The pull request's comment: ${url}\n`),
      (error: unknown) =>
        process.stderr.write(`warning: no comment on the pull request: ${String(error)}\n`),
    );
  }
  if (summary.verdict === "error") reports.addCause(safe(summary.errors.join("\n")));
  const { verdict } = summary;
  const isExact = options.detailedExitcode === true || verdict === "error";
  process.exitCode = isExact ? exitCodes[verdict] : 0;
}
