import { contextOf, contexts, fullName } from "../contexts";
import { alwaysFalse } from "./conditions";
import { ancestors } from "./graph";
import type { Finding, Source } from "./source";
import { commandsOf, type PlacedJob, type ReadWorkflow, workflowsOf } from "./shape";

/** Commands that change what production's users see. */
const changes = [
  /\bnpm run deploy -- prod\b/,
  /\bnpm run canary -- start\b/,
  /\bpulumi (?:up|destroy|import|refresh)\b.*\bprod\b/,
];

/**
 * Only a job with production's own role may change production: after an approval, and never on a
 * branch.
 */
export function production(source: Source): readonly Finding[] {
  const commands = commandsOf(source);
  const changing = new Set(
    commands.filter(({ text }) => changes.some((form) => form.test(text))).map(({ job }) => job),
  );
  return workflowsOf(source).flatMap((workflow) =>
    workflow.jobs.flatMap((place) => [
      ...unknownContexts(source, place),
      ...branchContexts(source, place, workflow),
      ...unapproved(source, place, workflow, changing),
    ]),
  );
}

function unknownContexts(
  source: Source,
  { contexts: given, name, path }: PlacedJob,
): readonly Finding[] {
  return given
    .filter((context) => contextOf(context) === undefined)
    .map((context) =>
      source.value(
        [...path, "context"],
        `"${name}" uses context "${context}", which is unknown; known are ${Object.keys(contexts).map(fullName).join(", ")}`,
      ),
    );
}

/** A branch runs its own code, including its own copy of the pipeline. */
function branchContexts(
  source: Source,
  { contexts: given, name, path }: PlacedJob,
  workflow: ReadWorkflow,
): readonly Finding[] {
  if (alwaysFalse(workflow.when, { "pipeline.git.branch": "a-branch" })) return [];
  return given
    .filter((context) => contextOf(context)?.onBranches === false)
    .map((context) =>
      source.value(
        [...path, "context"],
        `"${name}" uses context "${context}" in workflow "${workflow.name}", which runs on branches; it is for main only (pipeline.git.branch == "main")`,
      ),
    );
}

function unapproved(
  source: Source,
  place: PlacedJob,
  { jobs }: ReadWorkflow,
  changing: ReadonlySet<string>,
): readonly Finding[] {
  const allowed = place.contexts.some((context) => contextOf(context)?.changesProduction);
  if (!changing.has(place.name) && !allowed) return [];
  const onSuccess = ancestors(place, jobs, (statuses) =>
    statuses.every((one) => one === "success"),
  );
  const approved = jobs.some(({ approval, name }) => approval && onSuccess.has(name));
  return [
    ...(approved
      ? []
      : [
          source.key(
            place.path,
            `"${place.name}" can change production, and no approval comes before it; let it require one`,
          ),
        ]),
    ...(allowed
      ? []
      : [
          source.key(
            place.path,
            `"${place.name}" changes production without its restricted context ${fullName("prod")}`,
          ),
        ]),
    ...(place.serialGroup === undefined
      ? [
          source.key(
            place.path,
            `"${place.name}" can change production, and two of them could run at the same time; give it a serial-group`,
          ),
        ]
      : []),
  ];
}
