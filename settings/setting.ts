import { closest, distance } from "fastest-levenshtein";
import * as v from "valibot";
import type { OwnDefaults } from "../environments";
import { type Config, isSecret } from "./config";
import type { Form } from "./forms";

/** Values that the default of a setting may depend on. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly gitBranch: string;
  /** Environment whose defaults apply. */
  readonly environment: OwnDefaults;
  readonly slug: string;
}

/** The definition of one setting. */
export interface Setting<Value = unknown, Default = unknown> extends Form<Value> {
  /**
   * Returns the default: the value of the setting if neither the configuration nor the environment
   * variable has a value.
   */
  readonly default: (surroundings: Surroundings) => Default;
  readonly description: string;
  /** Environment variable whose value applies if the configuration has no value. */
  readonly env?: string;
  /** If true, a canary never uses production's value of this setting. */
  readonly ownOfCanary?: true;
  readonly required?: true;
}

interface Statement<Value, Default> extends Omit<Setting<Value>, "default"> {
  /**
   * The default of the setting: one value for each environment, or a function that returns the
   * value. Without this field, the default is `undefined`.
   */
  readonly default?:
    ((surroundings: Surroundings) => Default) | Readonly<Record<OwnDefaults, Default>>;
}

/** Defines a setting. The messages, the editor schema and the reference use this definition. */
export function setting<Value, Default extends Value | undefined = undefined>({
  default: given,
  ...statement
}: Statement<Value, Default>): Setting<Value, Default> {
  if (typeof given === "function") return { ...statement, default: given };
  return { ...statement, default: ({ environment }) => given?.[environment] as Default };
}

/** Defines a setting that the configuration must contain. */
export function required<Value>(statement: Statement<Value, undefined>): Setting<Value, never> {
  return { ...statement, default: () => undefined as never, required: true };
}

type Table = Readonly<Record<string, Setting>>;

/** The settings' values, by key. */
export type ValuesOf<From extends Table> = {
  readonly [Key in keyof From]: From[Key] extends Setting<infer Value, infer Default>
    ? Value | Default
    : never;
};

/** Sources of the settings' values. */
interface Source {
  readonly config: Config;
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * Path of the stack settings file. Messages contain this path, so that a person knows which file
   * to edit.
   */
  readonly file: string;
  /** Namespace of the keys: the name of the Pulumi project. */
  readonly project: string;
}

/**
 * Parses a text. A text that begins with `[` or `{` may be JSON, because Pulumi passes the lists
 * and objects of a stack settings file as JSON.
 */
export function parseText<Value>(
  { allowed, schema }: Form<Value>,
  text: string,
): { readonly issues: readonly Wrong[]; readonly value?: Value } {
  const asText = v.safeParse(schema, text);
  if (asText.success) return { issues: [], value: asText.output };
  const decoded = fromJson(text);
  if (decoded === undefined) return { issues: [{ allowed, got: text, path: "" }] };
  const result = v.safeParse(schema, decoded);
  if (result.success) return { issues: [], value: result.output };
  return {
    issues: result.issues.map(({ expected, input, message, path = [], type }) => {
      // If a key is missing or unknown, the message describes the object that contains the key.
      const isOfObject = type === "strict_object" && expected !== "Object";
      const steps = isOfObject ? path.slice(0, -1) : path;
      return {
        allowed: message,
        got: isOfObject ? path.at(-1)?.input : input,
        path: steps
          .map(({ key }) => (typeof key === "number" ? `[${String(key)}]` : `.${String(key)}`))
          .join(""),
      };
    }),
  };
}

/** One wrong part of a value. */
interface Wrong {
  readonly allowed: string;
  readonly got: unknown;
  /** Position in the value, such as `[0].ports`. Empty for the value itself. */
  readonly path: string;
}

function fromJson(text: string): unknown {
  try {
    return /^\s*[[{]/.test(text) ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Returns the values of all settings, and one line for each issue. An issue is an unknown key, a
 * missing required key, a value that is not allowed, or a secret.
 */
export function readTable<From extends Table>(
  table: From,
  source: Source,
  surroundings: Surroundings,
): { readonly issues: readonly string[]; readonly values: ValuesOf<From> } {
  const issues = [...unknownKeys(table, source), ...secrets(source)];
  const values = Object.entries<Setting>(table).map(([key, one]) => {
    const { issues: wrong, value } = readValue(key, one, source, surroundings);
    issues.push(...wrong);
    return [key, value];
  });
  return { issues, values: Object.fromEntries(values) as ValuesOf<From> };
}

function unknownKeys(table: Table, { config, project }: Source): readonly string[] {
  const known = Object.keys(table);
  return Object.entries(config)
    .filter(([key, value]) => key.startsWith(`${project}:`) && !isSecret(value))
    .map(([key]) => key.slice(project.length + 1))
    .filter((key) => !Object.hasOwn(table, key))
    .map((key) => {
      const nearest = closest(key, known);
      const near = distance(key, nearest) <= key.length / 2;
      const hint = near ? `Did you mean "${nearest}"?` : `The settings are: ${known.join(", ")}.`;
      return `Unknown setting "${key}". ${hint}`;
    });
}

function secrets({ config, project }: Source): readonly string[] {
  return Object.entries(config)
    .filter(([key, value]) => key.startsWith(`${project}:`) && isSecret(value))
    .map(
      ([key]) =>
        `${key} is stored with --secret, but Pulumi's configuration must not contain secrets: ` +
        "if the value is not secret, store it without --secret; if it is secret, put it into a Secret of the cluster",
    );
}

function readValue(
  key: string,
  one: Setting,
  { config, env, file, project }: Source,
  surroundings: Surroundings,
): { readonly issues: readonly string[]; readonly value?: unknown } {
  const configured = config[`${project}:${key}`];
  const variable = one.env === undefined ? undefined : env[one.env];
  // An empty environment variable has the same effect as a variable that is not set.
  const given = configured ?? (variable === "" ? undefined : variable);
  if (given === undefined) {
    const missing = `${project}:${key} must be set to ${one.allowed}; add it to ${file}`;
    return one.required === true
      ? { issues: [missing] }
      : { issues: [], value: one.default(surroundings) };
  }
  if (isSecret(given)) return { issues: [] };
  const { issues, value } = parseText(one, given);
  const where = configured === undefined ? `${String(one.env)} (${key})` : `${project}:${key}`;
  const todo = configured === undefined ? "fix the variable" : `fix it in ${file}`;
  return {
    issues: issues.map(
      ({ allowed, got, path }) =>
        `${where}${path} must be ${allowed}, got ${got === undefined ? "nothing" : JSON.stringify(got)}; ${todo}`,
    ),
    value,
  };
}
