import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { shortCommit } from "../../components/conventions/names";
import type { Form } from "../../settings/forms";
import { parseText } from "../../settings/setting";
import { table } from "../../settings/table";
import { UserError } from "../../lib/errors";
import { quoted } from "../../lib/shell";
import { type Workspace, defaultWorkspace } from "../pulumi/run-pulumi";
import { stackNames } from "../pulumi/connect";
import { addTag, imageParts } from "../clients/registry";
import { type Release, promotedTag, releaseEnv } from "../stacks/release";
import { secretsProviderOf } from "../pulumi/settings";
import type { Json } from "../pulumi/events";
import { valueAt } from "../preview/changes/differences";
import { settingsOf } from "../pulumi/settings";
import { assertStillRuns, deploymentIn } from "./deployed";
import { assertNotHeld } from "./hold";
import {
  type State,
  createStack,
  outputsIn,
  outputsOf,
  setTags,
  stateOf,
  tagsOf,
} from "../pulumi/stacks";

export interface PromoteOptions {
  /** Branch of the code in `image`. Without `image`, this option has no effect. */
  readonly branch?: string;
  /** Commit of the code in `image`. Without `image`, this option has no effect. */
  readonly commit?: string;
  /**
   * Report of the deploy to staging. With this option, the command promotes the release in the
   * report. The command fails if staging now runs a different release. This option has no effect
   * with `image`.
   */
  readonly deployed?: string;
  /**
   * File into which the command writes the release as environment variables, for the later jobs of
   * a pipeline. With this option, the command does not change the state of `prod`, because the CI
   * job that promotes has no permission to change this state. This option needs `deployed` or
   * `image`, because a later pipeline may have deployed another release to staging in the meantime.
   */
  readonly saveRelease?: string;
  /**
   * Image that the command promotes instead of the image that staging runs. This option needs the
   * option `reason`.
   */
  readonly image?: string;
  readonly reason?: string;
}

/** Stack whose release the command promotes. */
const from = "staging";
/** Stack to which the next deploy deploys the promoted release. */
const to = "prod";

/**
 * `npm run promote`: chooses the release for production's next deploy. This release is staging's
 * release or the release in the options. The command deploys nothing.
 */
export async function promote(
  options: PromoteOptions,
  workspace: Workspace = defaultWorkspace,
): Promise<void> {
  const { deployed, image } = options;
  if (options.saveRelease !== undefined && deployed === undefined && image === undefined) {
    throw new UserError(
      "--save-release needs --deployed with the report of staging's deploy, or --image with an image, because a later pipeline may have deployed another release to staging. Nothing was changed.",
    );
  }
  const stacks = await stackNames(workspace);
  const release = image === undefined ? await runs(stacks, workspace, deployed) : chosen(options);
  const there = stacks.includes(to);
  if (there) assertNotHeld(to, await tagsOf(to, workspace));
  const now = there ? lastImage(await stateOf(to, workspace)) : undefined;
  console.log(`${to} runs      ${now ?? "nothing"}`);
  console.log(`promoted is    ${release.imageRef}`);
  console.log(`  of ${release.branch} at ${shortCommit(release.commit)}`);
  if (release.reason !== undefined) console.log(`  because: ${release.reason}`);
  const tag = releaseTag(release);
  console.log(`  tag ${tag}: ${await addTag(release.imageRef, tag, { env: workspace.env })}`);
  const { saveRelease } = options;
  if (saveRelease !== undefined) {
    mkdirSync(dirname(saveRelease), { recursive: true });
    writeFileSync(saveRelease, exports(releaseEnv(release)));
    console.log(`Next: source ${saveRelease}, then npm run deploy -- ${to}`);
    return;
  }
  if (!there) {
    await settingsOf(to, workspace);
    await createStack(to, secretsProviderOf(to, workspace), workspace);
  }
  await setTags(to, { [promotedTag]: JSON.stringify(release) }, workspace);
  console.log(`Next: npm run deploy -- ${to}`);
}

/**
 * Returns the image of a stack's last release. The function does not decrypt the outputs in the
 * state, because a job that promotes does not always have access to the key for the state's
 * secrets.
 */
export function lastImage({ resources }: Pick<State, "resources">): string | undefined {
  const image = outputsIn(resources)["imageRef"];
  return typeof image === "string" ? image : undefined;
}

/**
 * Returns shell commands that set environment variables. The values are quoted, because anyone with
 * access to the repository can choose the name of a branch and the reason.
 */
function exports(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `export ${name}=${quoted(value)}\n`)
    .join("");
}

/**
 * Returns the tag for the image of a release. The registry does not delete images whose tag begins
 * with `release-`, so a rollback to this release stays possible.
 */
export function releaseTag({ commit, imageRef }: Release): string {
  const digest = imageParts(imageRef).digest.slice("sha256:".length, "sha256:".length + 12);
  return `release-${shortCommit(commit).replace(/[^A-Za-z0-9_.-]/g, "-")}-${digest}`;
}

function chosen({ branch, commit, image = "", reason }: PromoteOptions): Release {
  imageParts(image);
  if (reason === undefined || !isReason(reason)) {
    throw new UserError(
      "--image needs --reason, a line of at most 200 characters. Production's outputs keep this reason.",
    );
  }
  assertAllowed("--branch", branch, table.branch);
  assertAllowed("--commit", commit, table.releaseCommit);
  return { branch: branch ?? "unknown", commit: commit ?? "unknown", imageRef: image, reason };
}

/** Whether a text is allowed as a reason. The outputs of production's stack contain the reason. */
export const isReason = (reason: string): boolean => isAllowed(reason, table.releaseReason);

const isAllowed = (given: string, setting: Form<string>): boolean =>
  parseText(setting, given).issues.length === 0;

/**
 * Checks the value of an option before the command adds a tag to the image. No one can move or
 * reuse this tag. So the command adds the tag only to a release that a deploy will accept.
 */
function assertAllowed(option: string, given: string | undefined, setting: Form<string>): void {
  if (given !== undefined && !isAllowed(given, setting)) {
    throw new UserError(
      `${option} must be ${setting.allowed}, got "${given}". Nothing was changed.`,
    );
  }
}

/**
 * Returns the release that staging runs.
 *
 * @param report file with the release that the pipeline has deployed to staging
 * @throws UserError if staging runs a release other than the release in `report`, runs no release,
 * is between two releases, or runs uncommitted code
 */
async function runs(
  stacks: readonly string[],
  workspace: Workspace,
  report: string | undefined,
): Promise<Release> {
  const deployed = report === undefined ? undefined : deploymentIn(report, from);
  if (!stacks.includes(from)) {
    throw new UserError(`Stack "${from}" does not exist: npm run deploy -- ${from}`);
  }
  const { branch, commit, imageRef } = await outputsOf(from, workspace);
  if (branch === undefined || commit === undefined || imageRef === undefined) {
    throw new UserError(`Stack "${from}" runs nothing yet: npm run deploy -- ${from}`);
  }
  if (deployed !== undefined) assertStillRuns(from, deployed, { commit, imageRef });
  const running = webImage(await stateOf(from, workspace));
  if (running !== imageRef) {
    throw new UserError(
      `Stack "${from}" is between two releases: its outputs name ${imageRef}, but its Deployment has ` +
        `${running ?? "no image"}. Deploy the stack first: npm run deploy -- ${from}`,
    );
  }
  if (commit.includes("-dirty.")) {
    throw new UserError(
      `Stack "${from}" runs code that is not committed (${shortCommit(commit)}): commit and deploy it first.`,
    );
  }
  return { branch, commit, imageRef };
}

/** Returns the image of the web service's pods, from the Deployment in the state. */
export function webImage({ resources }: Pick<State, "resources">): string | undefined {
  const deployment = resources.find(({ type }) => type === "kubernetes:apps/v1:Deployment");
  const image = valueAt(
    deployment?.outputs as Json | undefined,
    "spec.template.spec.containers[0].image",
  );
  return typeof image === "string" ? image : undefined;
}
