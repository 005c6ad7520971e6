/**
 * This file defines the input of a rule: the plain data of one resource that the program declares.
 */
import { type Environment, parseStack } from "../../environments";

/**
 * A value that is unknown during a preview, because the value comes from a resource that does not
 * exist yet.
 */
export const unknown = Symbol("unknown until the update");

export interface Declared {
  /** Last part of the type, such as `Deployment`. */
  readonly kind: string;
  /**
   * The object's name in the cluster. If `metadata.name` is missing or not known yet, this field
   * contains the resource's name in Pulumi.
   */
  readonly name: string;
  /**
   * Inputs that Pulumi sends to the provider. {@link unknown} replaces a value that is not known
   * yet. A secret value looks the same as any other value: see `secretPaths`.
   */
  readonly props: unknown;
  /** Whether Pulumi refuses to delete or replace the resource. */
  readonly protect: boolean;
  /**
   * Paths of the inputs whose values are Pulumi secrets. Only the rule `no-secret-values` gets
   * these paths. For all other rules, the list is empty.
   */
  readonly secretPaths: readonly string[];
  readonly stack: string;
  /** Type token, such as `kubernetes:apps/v1:Deployment`. */
  readonly type: string;
}

/**
 * Returns an input of the policy SDK as plain data. When code reads an input that is not known yet,
 * the SDK throws an error. In the plain data, {@link unknown} replaces such an input.
 */
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

/** A resource in the form of the policy SDK, with only the fields that the rules need. */
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

/**
 * Returns the environment of the resource's stack. Undefined if the stack's name is not valid.
 */
export function environmentOf({ stack }: Declared): Environment | undefined {
  return parseStack(stack)?.environment;
}

/**
 * Returns the value at a path. Returns undefined if the path does not exist, and {@link unknown} if
 * the value or one of its parents is unknown.
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

/**
 * Returns the elements of the list under a key, each with its path. Empty if there is no list under
 * this key.
 */
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
