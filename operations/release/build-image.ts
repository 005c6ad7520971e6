import { environments } from "../../environments";
import { UserError } from "../../lib/errors";
import { imageRefOf, imageType as image, prepareBuild } from "../deploy/built-image";
import { assertDeployable } from "../deploy/deploy";
import { type DeployTarget, resolveTarget } from "../deploy/target";
import { type Workspace, defaultWorkspace, change } from "../pulumi/run-pulumi";
import { ensureStack } from "../deploy/ensure-stack";
import { isLocked } from "../pulumi/lock-wait";
import { reports } from "../../lib/reports";
import { editState, outputsIn, stateOf } from "../pulumi/stacks";

const component = "services:image:ContainerImage";

/**
 * `npm run image -- STACK`: builds and pushes the stack's image, and changes no other resource. So
 * a pipeline can scan the image, and a person can approve the image, before a deploy. The deploy
 * does not build the image again. If the stack has built this image before, but the registry no
 * longer has the image, the command builds the image again.
 */
export async function buildImage(
  stack: string,
  given: Workspace = defaultWorkspace,
): Promise<void> {
  const target = await resolveTarget(stack, given);
  const { workspace, settings } = target;
  if (environments[settings.environment].image !== "built" || settings.imageRef !== undefined) {
    throw new UserError(
      `Stack "${stack}" does not build an image: its image comes from a promotion, a canary or the setting imageRef. Build an image for staging or a review stack.`,
    );
  }
  await assertDeployable(target, false);
  await ensureStack(target);
  let outputs: Readonly<Record<string, unknown>> = {};
  const imageRef = await pushImage(target, async () => {
    const { resources } = await stateOf(stack, workspace);
    outputs = outputsIn(resources);
  });
  await keepOutputs(stack, outputs, workspace).catch((error: unknown) => {
    // If the lock belongs to another update now, that update writes its own outputs.
    if (!isLocked(String(error))) throw error;
  });
  reports.leaveImage(imageRef);
  console.log(imageRef);
}

/**
 * Builds and pushes the image of a stack, and updates no other resource.
 *
 * @param before function that `pushImage` calls before each try to update the stack
 * @returns the image, in the form `repository@sha256:...`
 */
export async function pushImage(
  target: DeployTarget,
  before?: () => Promise<void>,
): Promise<string> {
  const { settings, workspace } = target;
  const { stack } = settings;
  const options = await prepareBuild(target);
  const targets = [`**::${component}::image`, `**${component}$${image}::image`];
  // This update does not check the policies, because the update contains only the image. The
  // policies would report all other resources as missing. The deploy checks the policies.
  await change("up", stack, workspace, {
    ...(before && { before }),
    options: ["--suppress-outputs", ...options, ...targets.flatMap((urn) => ["--target", urn])],
  });
  const built = (await stateOf(stack, workspace)).resources.find(({ type }) => type === image);
  const imageRef = imageRefOf(built);
  if (imageRef === undefined)
    throw new UserError(`Stack "${stack}" has no image, although its update succeeded.`);
  return imageRef;
}

/**
 * Writes the stack's previous outputs back into the state. Pulumi writes new outputs even in an
 * update that is limited to the image. The new outputs contain an image that no pod runs yet. With
 * these outputs in the state of staging, `npm run promote` would fail, because the Deployment has a
 * different image.
 */
async function keepOutputs(
  stack: string,
  outputs: Readonly<Record<string, unknown>>,
  workspace: Workspace,
): Promise<void> {
  await editState(
    stack,
    (deployment) => ({
      ...deployment,
      resources: (deployment.resources ?? []).map((resource) =>
        resource.type === "pulumi:pulumi:Stack" ? { ...resource, outputs } : resource,
      ),
    }),
    workspace,
  );
}
