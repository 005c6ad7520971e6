import { evaluate, ExpressionError, namesIn, parseExpression, type Expression } from "./expression";
import type { Finding, Path, Source } from "./source";
import { filledIn, mapping, named, workflowsOf } from "./shape";

/** Pipeline values that our pipelines use. CircleCI treats a misspelt one as an empty text. */
const knownValues = [
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

/** Expressions that cannot be parsed, that use unknown values, or that are missing. */
export function conditions(source: Source): readonly Finding[] {
  const allowed = [
    ...knownValues,
    ...named(source, "parameters").map(([name]) => `pipeline.parameters.${name}`),
  ];
  return [
    ...workflowsOf(source).flatMap(({ name, path, when }) =>
      typeof when === "string"
        ? expression(source, when, [...path, "when"], allowed)
        : [
            source.key(
              path,
              `workflow "${name}" must say when it runs, as an expression; else it runs at every event`,
            ),
          ],
    ),
    ...texts(source.content, []).flatMap(([path, text]) =>
      filledIn(text).flatMap((inside) => expression(source, inside, path, allowed)),
    ),
    ...unguarded(source),
  ];
}

function expression(
  source: Source,
  text: string,
  path: Path,
  allowed: readonly string[],
): readonly Finding[] {
  try {
    return namesIn(parseExpression(text))
      .filter((name) => !allowed.includes(name))
      .map((name) =>
        source.value(path, `there is no value "${name}"; there are ${allowed.join(", ")}`),
      );
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return [
      source.value(
        path,
        `the expression cannot be read: ${error.message}, at its character ${String(error.at + 1)}: ${text}`,
        isCondition(path) ? error.at : 0,
      ),
    ];
  }
}

/**
 * In a condition the whole text is the expression; elsewhere the expression is a part of the text.
 */
function isCondition(path: Path): boolean {
  return path.at(-1) === "when";
}

/** Every text in the file with the path to it. */
function texts(value: unknown, path: Path): readonly (readonly [Path, string])[] {
  if (typeof value === "string") return [[path, value]];
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => texts(item, [...path, index]));
  }
  return Object.entries(mapping(value)).flatMap(([key, item]) => texts(item, [...path, key]));
}

/** A pull request's values exist only in its events: with other events the whole pipeline fails. */
function unguarded(source: Source): readonly Finding[] {
  const jobs = mapping(mapping(source.content)["jobs"]);
  return workflowsOf(source).flatMap((workflow) => {
    if (alwaysFalse(workflow.when, { "pipeline.event.name": "push" })) return [];
    return workflow.jobs
      .filter(({ name, serialGroup = "" }) =>
        `${serialGroup} ${JSON.stringify(jobs[name] ?? "")}`.includes(ofPullRequest),
      )
      .map(({ name, path }) =>
        source.key(
          path,
          `"${name}" uses values of a pull request, and workflow "${workflow.name}" runs without one too; let it begin with pipeline.event.name == "pull_request" and`,
        ),
      );
  });
}

/**
 * Whether a workflow's condition can never hold with these values; false for one that cannot be
 * read.
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
