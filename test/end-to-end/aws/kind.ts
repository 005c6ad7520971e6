import { isDeepStrictEqual } from "node:util";

export type Properties = Readonly<Record<string, unknown>>;

/** The operations with which the stand-in for the AWS plugin manages one type of resource. */
export interface Kind {
  /** Creates the resource, and returns its id. */
  readonly create: (inputs: Properties) => Promise<string>;
  readonly delete: (id: string) => Promise<void>;
  /**
   * Names of the inputs that AWS cannot change. If such an input changes, Pulumi replaces the
   * resource.
   */
  readonly fixed: readonly string[];
  /** Names of the inputs that contain JSON as text. AWS may write the same JSON in another form. */
  readonly json?: readonly string[];
  /**
   * Returns the properties of the resource in AWS. Undefined if AWS has no resource with this id.
   */
  readonly read: (id: string, known: Properties) => Promise<Properties | undefined>;
  /** Changes the resource in AWS to the new values of the inputs that are not in `fixed`. */
  readonly update: (id: string, inputs: Properties) => Promise<void>;
}

/**
 * Returns the value of a property, which must be a string. Throws an error if the value is not a
 * string.
 */
export function text(properties: Properties, key: string): string {
  const value = properties[key];
  if (typeof value !== "string") throw new Error(`${key} must be a text`);
  return value;
}

function parsed(value: unknown): unknown {
  try {
    return typeof value === "string" ? (JSON.parse(value) as unknown) : value;
  } catch {
    return value;
  }
}

/**
 * Whether two values of an input are equal. If the input contains JSON, the order of the keys in
 * the JSON does not matter.
 */
export function same(kind: Kind, key: string, a: unknown, b: unknown): boolean {
  const [left, right] = kind.json?.includes(key) ? [parsed(a), parsed(b)] : [a, b];
  return isDeepStrictEqual(left, right);
}

/**
 * Returns the result of a call to AWS. Undefined if AWS answers that the resource does not exist.
 */
export async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    const { name } = error as Error;
    if (/NotFound|NoSuchEntity/.test(name)) return undefined;
    throw error;
  }
}
