import { isDeepStrictEqual } from "node:util";

export type Properties = Readonly<Record<string, unknown>>;

/** One type of resource, as far as the platform uses it. */
export interface Kind {
  /** Makes it, and gives its id. */
  readonly create: (inputs: Properties) => Promise<string>;
  readonly delete: (id: string) => Promise<void>;
  /** Inputs that cannot change: another value means another resource. */
  readonly fixed: readonly string[];
  /** Inputs that hold JSON as text, which AWS may write in another way. */
  readonly json?: readonly string[];
  /** What AWS has, or undefined when it has none of that id. */
  readonly read: (id: string, known: Properties) => Promise<Properties | undefined>;
  /** Brings what is not fixed to its new value. */
  readonly update: (id: string, inputs: Properties) => Promise<void>;
}

/** A text property. */
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

/** Whether two values of an input mean the same. */
export function same(kind: Kind, key: string, a: unknown, b: unknown): boolean {
  const [left, right] = kind.json?.includes(key) ? [parsed(a), parsed(b)] : [a, b];
  return isDeepStrictEqual(left, right);
}

/** Gives what a call gives, or undefined where AWS has no such thing. */
export async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    const { name } = error as Error;
    if (/NotFound|NoSuchEntity/.test(name)) return undefined;
    throw error;
  }
}
