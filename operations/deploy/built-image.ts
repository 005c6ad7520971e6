import { environments } from "../../environments";
import type { Settings } from "../../settings";
import { addTag, imageParts, isGone } from "../clients/registry";
import { ecrRegion, logInToPush } from "../clients/registry-login";
import { type StateResource, stateOf } from "../pulumi/stacks";
import type { DeployTarget } from "./target";

/** Type of the resource that builds and pushes the image, in Pulumi's state. */
export const imageType = "docker-build:index:Image";

/** Whether an update of the stack builds the stack's image. */
function builds({ environment, imageRef }: Settings): boolean {
  return environments[environment].image === "built" && imageRef === undefined;
}

/**
 * Prepares an update that builds the stack's image: logs Docker in to the registry, and checks
 * whether the registry still has the image that the state names. Without this check, Pulumi would
 * not build a deleted image again, because Pulumi compares the program only with the state.
 *
 * @returns options for `pulumi up`. If the registry no longer has the image, the options make
 * Pulumi build the image again
 */
export async function prepareBuild({ settings, workspace }: DeployTarget): Promise<string[]> {
  if (!builds(settings)) return [];
  await logInToPush(settings.imageRepository ?? "", workspace.env);
  const { resources } = await stateOf(settings.stack, workspace);
  const image = resources.find(({ type }) => type === imageType);
  const imageRef = imageRefOf(image);
  if (image === undefined || imageRef === undefined || !(await isGone(imageRef, workspace.env))) {
    return [];
  }
  console.log(`The registry does not have ${imageRef} any more: the update builds it again.`);
  // The component sets `retainOnDelete`, so the replacement deletes nothing.
  return ["--replace", image.urn];
}

/** Returns the reference `repository@digest` of an image in the state. */
export function imageRefOf(resource: StateResource | undefined): string | undefined {
  const [tag] = (resource?.inputs?.["tags"] ?? []) as string[];
  const digest = resource?.outputs?.["digest"];
  return tag === undefined || typeof digest !== "string"
    ? undefined
    : `${tag.replace(/:[^:/]+$/, "")}@${digest}`;
}

/**
 * Tag of the image that a stack runs. The lifecycle policy in platform/image-repository.ts keeps
 * images with this tag.
 */
const runningTag = (stack: string): string => `deployed-${stack}`;

/**
 * Moves the stack's tag to the image that the stack now runs. ECR counts the age of an image from
 * the first push of the image. A deploy of unchanged code pushes nothing. Without the tag, a
 * lifecycle rule would delete the image of a stack whose code has not changed for a long time. Does
 * nothing for a stack that does not build its image. Does nothing for a registry other than ECR,
 * because only ECR has these lifecycle rules.
 */
export async function keepImage({ settings, workspace }: DeployTarget, ref: string): Promise<void> {
  const { env } = workspace;
  if (!builds(settings) || ecrRegion(imageParts(ref).host, env) === undefined) return;
  await addTag(ref, runningTag(settings.stack), { env, moves: true });
}

/**
 * If the registry no longer has the image that the stack must run, returns this image. New pods of
 * this stack could not start, because no node could pull the image. Undefined if the registry has
 * the image, or if the stack builds its own image.
 */
export async function goneImage(target: DeployTarget): Promise<string | undefined> {
  const { last, settings, workspace } = target;
  const imageRef = builds(settings) ? undefined : (settings.imageRef ?? last?.outputs.imageRef);
  if (imageRef === undefined) return undefined;
  return (await isGone(imageRef, workspace.env)) ? imageRef : undefined;
}
