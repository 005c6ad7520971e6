import { rmSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { type StateObject, projectOf, stateObjects } from "../clients/state-objects";
import { type Workspace, stateOfProject } from "../pulumi/run-pulumi";
import { isReview, reviewTags } from "./review-stack";

/**
 * The state of a review stack, as files or S3 objects. The jobs of every branch can write these
 * objects, and a state can contain the names of plugins, programs and servers that Pulumi would
 * use. So this module reads the objects without Pulumi.
 */
export interface ReviewState {
  /** Time at which the newest object of the state was written. */
  readonly modified: Date;
  readonly name: string;
}

/**
 * Returns the folders in the state backend that belong to a Pulumi project and have one subfolder
 * for each stack.
 *
 * @see https://github.com/pulumi/pulumi/blob/v3.215.0/pkg/backend/diy/store.go
 */
const folders = (project: string): readonly string[] => [
  `.pulumi/locks/organization/${project}`,
  `.pulumi/backups/${project}`,
  `.pulumi/history/${project}`,
];

const stacksFolder = ({ cwd }: Workspace): string => `.pulumi/stacks/${projectOf(cwd)}`;

/**
 * Returns the review stacks that have a state. Reads only the names and the times of the objects,
 * and not their content.
 */
export async function reviewStates(workspace: Workspace): Promise<readonly ReviewState[]> {
  const found = await stateObjects(stateOfProject(workspace)).list(stacksFolder(workspace));
  const names = new Set(found.map(stackOfObject).filter(isReview));
  return [...names].map((name) => ({
    modified: newest(found.filter((object) => stackOfObject(object) === name)),
    name,
  }));
}

/**
 * Returns the name of the stack that an object belongs to. The object's name consists of the
 * stack's name and an ending, such as `.json.bak`.
 */
const stackOfObject = ({ name }: StateObject): string => name.replace(/\..*$/, "");

const newest = (objects: readonly StateObject[]): Date =>
  new Date(Math.max(...objects.map(({ modified }) => modified.getTime())));

/**
 * Removes all objects of a review stack's state, and the stack settings file. The objects that
 * `reviewStates` finds are the last objects that the function removes. So if the function is
 * killed, the next removal finds the stack again.
 */
export async function removeState(stack: string, workspace: Workspace): Promise<void> {
  const { cwd } = workspace;
  const objects = stateObjects(stateOfProject(workspace));
  for (const folder of folders(projectOf(cwd))) await objects.removeFolder(`${folder}/${stack}`);
  await objects.removeNamed(stacksFolder(workspace), `${stack}.`);
  rmSync(join(cwd, `Pulumi.${stack}.yaml`), { force: true });
}

/** Reads an object of a stack as JSON. Undefined if the object does not exist or is not JSON. */
async function readJson(stack: string, ending: string, workspace: Workspace): Promise<unknown> {
  const objects = stateObjects(stateOfProject(workspace));
  const folder = stacksFolder(workspace);
  const name = `${stack}.${ending}`;
  if (!(await objects.list(folder)).some((one) => one.name === name)) return undefined;
  try {
    return JSON.parse(await objects.read(folder, name)) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const tagsForm = v.object({
  tags: v.object({ [reviewTags.cluster]: v.pipe(v.string(), v.regex(/^[0-9a-z-]{1,64}$/)) }),
});

/**
 * Returns the UID of the cluster in the tags of a review stack. Undefined if the stack has no tag
 * with the cluster, or if the tag's value is not a UID.
 */
export async function clusterOfState(
  stack: string,
  workspace: Workspace,
): Promise<string | undefined> {
  const found = v.safeParse(tagsForm, await readJson(stack, "pulumi-tags", workspace));
  return found.success ? found.output.tags[reviewTags.cluster] : undefined;
}
