import { UserError } from "../../lib/errors";
import { evaluate, parseExpression } from "../checks/expression";
import { mapping, named, text } from "../checks/shape";
import type { Source } from "../checks/source";
import { refValues } from "./restrictions";

/**
 * The situation that a local run simulates: the code, the branch, the pull request and the
 * parameters of a pipeline.
 */
export interface Situation {
  readonly branch: string;
  readonly commit: string;
  /** Branch that the configuration comes from. @default the branch that the jobs check out */
  readonly configBranch?: string;
  /** Values of the pipeline's parameters, as strings from a command line. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly pullRequest: number;
  /** `owner/name` of the repository. */
  readonly repository: string;
}

type Values = Readonly<Record<string, string | number | boolean>>;

/**
 * Returns the pipeline values of the events that start our workflows. The local run simulates the
 * first event for which the workflow's condition is true.
 */
const events = ({ branch }: Situation): readonly Values[] => [
  {
    "pipeline.event.action": "synchronize",
    "pipeline.event.name": "pull_request",
    "pipeline.git.branch": branch,
  },
  { "pipeline.event.name": "push", "pipeline.git.branch": "main" },
  {
    "pipeline.event.action": "closed",
    "pipeline.event.name": "pull_request",
    "pipeline.git.branch": "main",
  },
  { "pipeline.event.name": "schedule", "pipeline.git.branch": "main" },
];

/**
 * Returns the pipeline values with which CircleCI would run a workflow.
 *
 * @throws UserError if none of the events starts the workflow, or if a parameter is wrong
 */
export function valuesFor(
  source: Source,
  workflow: string,
  when: string,
  situation: Situation,
): Values {
  const always: Values = {
    "pipeline.event.github.pull_request.head.ref": situation.branch,
    "pipeline.event.github.pull_request.number": situation.pullRequest,
    "pipeline.git.revision": situation.commit,
    "pipeline.git.tag": "",
    "pipeline.id": "00000000-0000-4000-8000-000000000000",
    "pipeline.number": 1,
    "pipeline.project.slug": `gh/${situation.repository}`,
    ...parameters(source, situation.parameters),
  };
  const condition = parseExpression(when);
  for (const event of events(situation)) {
    const { configBranch } = situation;
    const refs = refValues({
      checkoutBranch: String(event["pipeline.git.branch"]),
      ...(configBranch === undefined ? {} : { configBranch }),
    });
    const values = { ...always, ...event, ...refs };
    if (evaluate(condition, values) === true) return values;
  }
  throw new UserError(
    `CircleCI would not run workflow "${workflow}" on branch "${situation.branch}", because this expression is not true: ${when}; give another --branch or --parameter`,
  );
}

function parameters(source: Source, given: Readonly<Record<string, string>>): Values {
  const declared = new Map(named(source, "parameters"));
  for (const name of Object.keys(given)) {
    if (!declared.has(name)) {
      throw new UserError(
        `${source.file} has no parameter "${name}"; there are ${[...declared.keys()].join(", ") || "none"}`,
      );
    }
  }
  return Object.fromEntries(
    [...declared].map(([name, parameter]) => {
      const value = given[name] ?? String(parameter["default"]);
      const allowed = parameter["enum"];
      if (Array.isArray(allowed) && !allowed.includes(value)) {
        throw new UserError(`parameter "${name}" must be one of ${allowed.join(", ")}`);
      }
      if (parameter["type"] === "integer" && !/^-?\d+$/.test(value)) {
        throw new UserError(`parameter "${name}" must be an integer, got "${value}"`);
      }
      const typed = parameter["type"] === "integer" ? Number(value) : value;
      return [`pipeline.parameters.${name}`, typed];
    }),
  );
}

/**
 * Replaces expressions such as `<< pipeline.id >>` in a text with their values, as CircleCI does
 * before a job starts.
 */
export function fill(template: string, values: Values): string {
  return template.replace(/<<\s*(.*?)\s*>>/gs, (_, inside: string) =>
    String(evaluate(parseExpression(inside), values) ?? ""),
  );
}

/** Converts the key `environment` of a job or an executor to environment variables. */
export function variables(environment: unknown, values: Values): Record<string, string> {
  return Object.fromEntries(
    Object.entries(mapping(environment)).map(([name, value]) => [
      name,
      fill(typeof value === "string" ? text(value) : JSON.stringify(value), values),
    ]),
  );
}
