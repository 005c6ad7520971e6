import type { Path, Source } from "./source";

/** A job of a workflow, with its path in the file. */
export interface PlacedJob {
  readonly name: string;
  /** Path of the job's mapping, or of the job's name if the workflow contains only the name. */
  readonly path: Path;
  readonly approval: boolean;
  readonly contexts: readonly string[];
  readonly serialGroup: string | undefined;
  readonly requires: readonly {
    readonly name: string;
    readonly statuses: readonly string[];
    /** Whether the requirement is only a name, without a status. */
    readonly bare: boolean;
    readonly path: Path;
  }[];
}

export interface ReadWorkflow {
  readonly name: string;
  readonly path: Path;
  readonly when: unknown;
  readonly jobs: readonly PlacedJob[];
}

/** A command of a job. */
export interface ReadCommand {
  readonly job: string;
  readonly path: Path;
  readonly run: Readonly<Record<string, unknown>>;
  readonly text: string;
}

type Mapping = Readonly<Record<string, unknown>>;

export function mapping(value: unknown): Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Mapping)
    : {};
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Returns the mappings under a top-level key of the file, with their names. */
export function named(source: Source, key: string): readonly (readonly [string, Mapping])[] {
  return Object.entries(mapping(mapping(source.content)[key])).map(([name, value]) => [
    name,
    mapping(value),
  ]);
}

/** Returns the workflows. Ignores invalid parts, because other checks report these parts. */
export function workflowsOf(source: Source): readonly ReadWorkflow[] {
  return named(source, "workflows").map(([name, workflow]) => {
    const path = ["workflows", name];
    return {
      jobs: list(workflow["jobs"]).map((entry, index) => placed(entry, [...path, "jobs", index])),
      name,
      path,
      when: workflow["when"],
    };
  });
}

function placed(entry: unknown, path: Path): PlacedJob {
  const [key, value] =
    typeof entry === "string" ? [entry, {}] : (Object.entries(mapping(entry))[0] ?? ["", {}]);
  const place = mapping(value);
  const at = typeof entry === "string" ? path : [...path, key];
  const { context } = place;
  return {
    approval: place["type"] === "approval",
    contexts: typeof context === "string" ? [context] : list(context).map(text),
    name: key,
    path: at,
    requires: list(place["requires"]).map((item, index) => {
      const [name, statuses] =
        typeof item === "string"
          ? [item, ["success"]]
          : (Object.entries(mapping(item))[0] ?? ["", []]);
      return {
        bare: typeof item === "string",
        name,
        path: [...at, "requires", index],
        statuses: typeof statuses === "string" ? [statuses] : list(statuses).map(text),
      };
    }),
    serialGroup: typeof place["serial-group"] === "string" ? place["serial-group"] : undefined,
  };
}

/**
 * Returns every command in the file. A command has the form `run: {command: TEXT}`, or the short
 * form `run: TEXT`.
 */
export function commandsOf(source: Source): readonly ReadCommand[] {
  return named(source, "jobs").flatMap(([job, { steps }]) =>
    list(steps).flatMap((step, index) => {
      const run = mapping(step)["run"];
      const at = ["jobs", job, "steps", index, "run"];
      if (typeof run === "string") return [{ job, path: at, run: {}, text: run }];
      const { command } = mapping(run);
      return typeof command === "string"
        ? [{ job, path: [...at, "command"], run: mapping(run), text: command }]
        : [];
    }),
  );
}

/**
 * Returns the expressions that CircleCI replaces in a text, such as `pipeline.git.branch` for
 * `<< pipeline.git.branch >>`.
 */
export function filledIn(value: string): readonly string[] {
  return [...value.matchAll(/<<\s*(.*?)\s*>>/gs)].map(([, inside = ""]) => inside);
}
