import { contextOf, contexts, fullName } from "../contexts";
import { alwaysFalse } from "./conditions";
import { ancestors } from "./graph";
import type { Finding, Source } from "./source";
import { commandsOf, type PlacedJob, type ReadWorkflow, workflowsOf } from "./shape";

/** Commands that change production and need an approval. */
const changes = [
  /\bnpm run deploy -- prod\b/,
  /\bnpm run canary -- start\b/,
  /\bnpm run (?:resume|rollback|run|unlock) -- prod\b(?!.* --preview )/,
  /\bpulumi (?:up|destroy|import|refresh)\b.*\bprod\b/,
];

/**
 * Checks four rules. A job must not use a context that `pipeline/contexts.ts` does not list. A job
 * that changes production must have the context of production. A job that changes production or has
 * this context must have a serial group, and an approval must come before the job. A workflow that
 * runs on branches must not use a context that is only for main.
 */
export function* production(source: Source): Generator<Finding> {
  const changing = new Set(
    commandsOf(source)
      .filter(({ text }) => changes.some((form) => form.test(text)))
      .map(({ job }) => job),
  );
  for (const workflow of workflowsOf(source)) {
    for (const place of workflow.jobs) {
      yield* ofContexts(source, place, workflow);
      yield* unapproved(source, place, workflow, changing);
    }
  }
}

function* ofContexts(
  source: Source,
  { contexts: given, name, path }: PlacedJob,
  workflow: ReadWorkflow,
): Generator<Finding> {
  // A pipeline of a branch runs the branch's code, including the branch's version of the pipeline.
  // So this check protects only against mistakes. CircleCI's own restrictions protect the contexts.
  const onBranches = !alwaysFalse(workflow.when, { "pipeline.git.branch": "a-branch" });
  for (const context of given) {
    const known = contextOf(context);
    if (known === undefined) {
      yield source.value(
        [...path, "context"],
        `"${name}" uses context "${context}", which is unknown; use one of ${Object.keys(contexts).map(fullName).join(", ")}`,
      );
    } else if (onBranches && !known.onBranches) {
      yield source.value(
        [...path, "context"],
        `"${name}" uses context "${context}" in workflow "${workflow.name}", which runs on branches; this context is for main only: add pipeline.git.branch == "main" to the "when" of the workflow`,
      );
    }
  }
}

function* unapproved(
  source: Source,
  place: PlacedJob,
  { jobs }: ReadWorkflow,
  changing: ReadonlySet<string>,
): Generator<Finding> {
  const { name, path } = place;
  const allowed = place.contexts.some((context) => contextOf(context)?.changesProduction);
  if (!changing.has(name) && !allowed) return;
  const onSuccess = ancestors(place, jobs, (statuses) =>
    statuses.every((one) => one === "success"),
  );
  if (!jobs.some((other) => other.approval && onSuccess.has(other.name))) {
    yield source.key(
      path,
      `"${name}" can change production, and no approval comes before it; add an approval to its "requires"`,
    );
  }
  if (!allowed) {
    yield source.key(
      path,
      `"${name}" changes production without production's restricted context ${fullName("prod")}; add the context to the job`,
    );
  }
  if (place.serialGroup === undefined) {
    yield source.key(
      path,
      `"${name}" can change production, and two pipelines could run it at the same time; give it a serial-group`,
    );
  }
}
