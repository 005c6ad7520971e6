import { evaluate, ExpressionError, namesIn, parseExpression, type Expression } from "./expression";
import type { Finding, Path, Source } from "./source";
import { filledIn, mapping, named, workflowsOf } from "./shape";

/**
 * Pipeline values that our pipelines may use in addition to the parameters that the file declares.
 * The check reports every other name, because CircleCI may treat a misspelled name as an empty
 * text.
 */
const knownValues = [
  "pipeline.config.ref",
  "pipeline.config_source",
  "pipeline.event.action",
  "pipeline.event.github.pull_request.head.ref",
  "pipeline.event.github.pull_request.number",
  "pipeline.event.name",
  "pipeline.git.branch",
  "pipeline.git.revision",
  "pipeline.git.tag",
  "pipeline.id",
  "pipeline.number",
  "pipeline.project.slug",
  "pipeline.trigger.type",
];
const ofPullRequest = "pipeline.event.github.pull_request.";

/**
 * Yields findings about invalid expressions, unknown values in expressions, and workflows without a
 * condition.
 */
export function* conditions(source: Source): Generator<Finding> {
  const allowed = [
    ...knownValues,
    ...named(source, "parameters").map(([name]) => `pipeline.parameters.${name}`),
  ];
  for (const { name, path, when } of workflowsOf(source)) {
    if (typeof when === "string") yield* expression(source, when, [...path, "when"], allowed);
    else {
      yield source.key(
        path,
        `workflow "${name}" must have an expression in "when"; otherwise the workflow runs at every event`,
      );
    }
  }
  for (const [path, text] of texts(source.content, [])) {
    for (const inside of filledIn(text)) yield* expression(source, inside, path, allowed);
  }
  yield* unguarded(source);
}

function* expression(
  source: Source,
  text: string,
  path: Path,
  allowed: readonly string[],
): Generator<Finding> {
  try {
    for (const name of namesIn(parseExpression(text))) {
      if (allowed.includes(name)) continue;
      yield source.value(
        path,
        `there is no pipeline value "${name}"; use one of ${allowed.join(", ")}`,
      );
    }
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    yield source.value(
      path,
      `the expression cannot be read: ${error.message}, at character ${String(error.at + 1)}: ${text}`,
      // Under a key other than `when`, the expression is only a part of a longer text. In this
      // case, the finding points to the start of the longer text.
      path.at(-1) === "when" ? error.at : 0,
    );
  }
}

/** Returns every text in the file, with its path. */
function texts(value: unknown, path: Path): readonly (readonly [Path, string])[] {
  if (typeof value === "string") return [[path, value]];
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => texts(item, [...path, index]));
  }
  return Object.entries(mapping(value)).flatMap(([key, item]) => texts(item, [...path, key]));
}

/**
 * Yields a finding for each job that uses values of a pull request in a workflow that a push can
 * start. A push has no such values, so CircleCI may refuse the whole pipeline.
 */
function* unguarded(source: Source): Generator<Finding> {
  const jobs = mapping(mapping(source.content)["jobs"]);
  for (const workflow of workflowsOf(source)) {
    if (alwaysFalse(workflow.when, { "pipeline.event.name": "push" })) continue;
    for (const { name, path, serialGroup = "" } of workflow.jobs) {
      if (!`${serialGroup} ${JSON.stringify(jobs[name] ?? "")}`.includes(ofPullRequest)) continue;
      yield source.key(
        path,
        `"${name}" uses values of a pull request, but workflow "${workflow.name}" also runs without a pull request; add pipeline.event.name == "pull_request" to the "when" of the workflow`,
      );
    }
  }
}

/**
 * Whether a workflow's condition is false for the values in `known` and for all possible values of
 * the other names. Returns false if the condition is invalid.
 */
export function alwaysFalse(
  when: unknown,
  known: Readonly<Record<string, string | number | boolean>>,
): boolean {
  if (typeof when !== "string") return false;
  let read: Expression;
  try {
    read = parseExpression(when);
  } catch {
    return false;
  }
  const value = evaluate(read, known);
  return value !== undefined && !value;
}
