import type { OwnDefaults } from "../environments";
import { type Parse, withSchema } from "./json-schema";

/** What the default of a setting may depend on. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly gitBranch: string;
  /** Environment whose defaults hold. */
  readonly environment: OwnDefaults;
  readonly slug: string;
}

/** One row of the table of settings. `parse` gives undefined for a value that is not allowed. */
export interface Setting<Value> {
  readonly allowed: string;
  /** Value where config has none. */
  readonly default: (surroundings: Surroundings) => Value;
  readonly description: string;
  /** Environment variable that is read where config has no value. */
  readonly env?: string;
  readonly parse: Parse<Exclude<Value, undefined>>;
}

type WithoutDefault<Value> = Omit<Setting<Value>, "default">;

/** A row as it is; says what its value is. */
export function row<Value>(setting: Setting<Value>): Setting<Value> {
  return setting;
}

/** A row whose default is one value per environment. */
export function byEnvironment<Value>(
  defaults: Readonly<Record<OwnDefaults, Value>>,
  rest: WithoutDefault<Value>,
): Setting<Value> {
  return { ...rest, default: ({ environment }) => defaults[environment] };
}

/** Defaults of what only review stacks take from the company: the others have a file that says it. */
export function reviewOnly<Value, Other>(
  review: Value,
  others: Other,
): Record<OwnDefaults, Value | Other> {
  return { canary: others, local: others, prod: others, review, staging: others };
}

/** Allowed for what a stack can do without, so that the environment can say so. */
export function orNone<Value>(parse: Parse<Value>): Parse<Value | "none"> {
  const schema = { anyOf: [{ const: "none" }, parse.schema] };
  return withSchema(schema, (value) => (value === "none" ? value : parse(value)));
}
