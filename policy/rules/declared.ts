/** The input of a rule: one resource as the program declares it, as plain data. */
import { type Environment, parseStack } from "../../environments";

/** A value that a preview cannot know, because it comes from a resource that does not exist yet. */
export const unknown = Symbol("unknown until the update");

export interface Declared {
  /** Last part of the type, such as `Deployment`. */
  readonly kind: string;
  /**
   * The object's name in the cluster, or the resource's name if Kubernetes or Pulumi generates one.
   */
  readonly name: string;
  /**
   * Inputs: what is sent to the provider. Unknown values are {@link unknown}, secret values have no
   * mark.
   */
  readonly props: unknown;
  /** Whether Pulumi refuses to delete or replace it. */
  readonly protect: boolean;
  /** Paths of the inputs whose values are Pulumi secrets. */
  readonly secretPaths: readonly string[];
  readonly stack: string;
  /** Type token, such as `kubernetes:apps/v1:Deployment`. */
  readonly type: string;
}

/** Inputs of the policy SDK: reading an unknown one throws. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return Object.keys(value).map((key) => field(value, key));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.keys(value).map((key) => [key, field(value, key)]));
}

function field(parent: object, key: string): unknown {
  let value: unknown;
  try {
    value = (parent as Record<string, unknown>)[key];
  } catch {
    return unknown;
  }
  return plain(value);
}

/** What the policy SDK knows about a resource; only the part that is read here. */
export interface Given {
  readonly name: string;
  readonly opts: { readonly protect: boolean };
  readonly props: object;
  readonly type: string;
  readonly urn: string;
}

export function declared(given: Given, secretPaths: readonly string[] = []): Declared {
  const props = plain(given.props);
  const name = at(props, "metadata", "name");
  return {
    kind: given.type.split(":").at(-1) ?? given.type,
    name: typeof name === "string" ? name : given.name,
    props,
    protect: given.opts.protect,
    secretPaths,
    // urn:pulumi:<stack>::<project>::<types>::<name>
    stack: given.urn.split("::")[0]?.split(":")[2] ?? "",
    type: given.type,
  };
}

/** Environment of the resource's stack. Undefined for a stack that the program refuses. */
export function environmentOf({ stack }: Declared): Environment | undefined {
  return parseStack(stack)?.environment;
}

/**
 * The value at a path. Undefined if it does not exist. Unknown if a part of the path is unknown.
 */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value;
  for (const key of path) {
    if (here === unknown) return unknown;
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Record<string, unknown>)[key];
  }
  return here;
}

/** The elements at a path with their own paths. Empty if there is no list. */
export function elements(
  value: unknown,
  base: string,
  key: string,
): readonly { readonly path: string; readonly value: unknown }[] {
  const list = at(value, key);
  if (!Array.isArray(list)) return [];
  return list.map((element: unknown, index) => ({
    path: `${base}.${key}[${String(index)}]`,
    value: element,
  }));
}
