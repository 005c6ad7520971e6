import { UserError } from "../../lib/errors";
import { environmentNames, environments, parseStack } from "../../environments";
import { service } from "../../config/service";
import { type Workspace, variables } from "../../operations/pulumi/run-pulumi";
import type { Json } from "../../operations/pulumi/events";
import type { Setting } from "../../settings/setting";
import { table } from "../../settings/table";
import { isObject } from "../render/manifests";
import { type Declared, declaredIn } from "../render/program";
import { settingsToRender } from "../render/settings";
import { type Place, lineIn } from "./source";

/** A stack that represents its environment, and what the program declares in this stack. */
export interface Stack {
  readonly components: readonly Declared[];
  /** Error message of the program. Undefined if the program accepts the stack's settings. */
  readonly issue?: string;
  readonly objects: readonly Declared[];
  readonly stack: string;
  readonly workspace: Workspace;
}

/** Slug of the review stack that represents all review stacks. */
const slug = "any-branch";

/** Returns the name of an environment's stack. One review stack represents all review stacks. */
function stackOf(environment: (typeof environmentNames)[number]): string {
  const { canaryOf, perBranch } = environments[environment];
  if (perBranch) return `${environment}-${slug}`;
  return canaryOf === undefined ? environment : `${canaryOf}-${environment}`;
}

/** Returns the name with which an answer shows a stack, such as `review-<slug>`. */
export const shownStack = (stack: string): string => stack.replace(`-${slug}`, "-<slug>");

async function readStack(stack: string, workspace: Workspace): Promise<Stack> {
  try {
    const all = await declaredIn(await settingsToRender(stack, workspace));
    const components = all.filter(({ type }) => type.startsWith("services:"));
    return { components, objects: all.filter(isObject), stack, workspace };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { components: [], issue: error.message, objects: [], stack, workspace };
  }
}

/** Runs the program for one stack of each environment, without a cluster. */
export async function readStacks(
  workspaceOf: (stack: string) => Promise<Workspace>,
): Promise<readonly Stack[]> {
  const found: Stack[] = [];
  // Runs the program for one stack after the other, because the state of Pulumi's SDK is global.
  for (const environment of environmentNames) {
    const stack = stackOf(environment);
    found.push(await readStack(stack, await workspaceOf(stack)));
  }
  return found;
}

/**
 * Source of a setting's value: the stack settings file, an environment variable, or the default.
 */
export interface ValuePlace {
  /** `default`: the setting has its default, and the place is the definition of the setting. */
  readonly from: "default" | "file" | "variable";
  readonly place?: Place;
  readonly setting: string;
  readonly variable?: string;
}

/** Returns the line that defines a setting. */
export function definitionOf(key: string): Place | undefined {
  for (const file of ["settings/table.ts", "settings/database.ts"]) {
    const line = lineIn(file, new RegExp(`^ {2}${key}: (?:setting|required)\\(`));
    if (line !== undefined) return { file, line };
  }
  return undefined;
}

/** Returns the source of a setting's value in a stack. */
export function settingIn({ stack, workspace }: Stack, key: string): ValuePlace {
  const { [key]: setting } = table as Readonly<Record<string, Setting>>;
  const environment = parseStack(stack)?.environment;
  const { canaryOf } = environment === undefined ? {} : environments[environment];
  const file = `Pulumi.${canaryOf ?? stack}.yaml`;
  const own = canaryOf !== undefined && setting?.ownOfCanary === true;
  const line = own ? undefined : lineIn(file, new RegExp(`^\\s+["']?${service}:${key}["']?:`));
  if (line !== undefined) return { from: "file", place: { file, line }, setting: key };
  const variable = setting?.env;
  if (variable !== undefined && (variables(workspace)[variable] ?? "") !== "") {
    return { from: "variable", setting: key, variable };
  }
  const place = definitionOf(key);
  return { from: "default", setting: key, ...(place === undefined ? {} : { place }) };
}

/**
 * Returns the values of an arg in a stack, one for each component of this type. A value is
 * `undefined` if the component uses the default.
 */
export function valuesIn({ components }: Stack, type: string, arg: string): readonly Given[] {
  return components
    .filter((one) => one.type === type)
    .map(({ inputs, name }) => ({ name, value: inputs[arg] }));
}

/** Value of an arg of one component. */
export interface Given {
  /** Pulumi's name of the component. */
  readonly name: string;
  readonly value: Json | undefined;
}
