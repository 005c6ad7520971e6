import type { Finding, Source } from "./source";
import { named, type PlacedJob, type ReadWorkflow, workflowsOf } from "./shape";

const statuses = ["success", "failed", "canceled", "unauthorized", "not_run", "terminal"];

/**
 * Yields findings about the jobs of workflows, such as a missing job, a job that no workflow uses,
 * a job that waits for itself, or an approval that no job waits for.
 */
export function* graph(source: Source): Generator<Finding> {
  const defined = named(source, "jobs").map(([name]) => name);
  const orbs = named(source, "orbs").map(([name]) => name);
  const workflows = workflowsOf(source);
  for (const workflow of workflows) {
    yield* places(source, workflow, defined, orbs);
    yield* requirements(source, workflow);
  }
  const used = new Set(workflows.flatMap(({ jobs }) => jobs.map(({ name }) => name)));
  for (const name of defined) {
    if (!used.has(name)) {
      yield source.key(["jobs", name], `job "${name}" is in no workflow; remove it`);
    }
  }
}

function* places(
  source: Source,
  { jobs, name: workflow }: ReadWorkflow,
  defined: readonly string[],
  orbs: readonly string[],
): Generator<Finding> {
  const required = new Set(jobs.flatMap(({ requires }) => requires.map(({ name }) => name)));
  for (const [index, place] of jobs.entries()) {
    const { approval, name, path } = place;
    if (approval && defined.includes(name)) {
      yield source.key(
        path,
        `approval "${name}" has the name of a job; the steps of this job would never run, so rename the approval or the job`,
      );
    }
    const isInOrb = orbs.some((orb) => name.startsWith(`${orb}/`));
    if (!approval && !defined.includes(name) && !isInOrb) {
      yield source.key(path, `there is no job "${name}"; use one of ${defined.join(", ")}`);
    }
    if (jobs.findIndex((other) => other.name === name) < index) {
      yield source.key(path, `"${name}" is twice in workflow "${workflow}"`);
    }
    if (ancestors(place, jobs).has(name)) yield source.key(path, `"${name}" waits for itself`);
    if (approval && !required.has(name)) {
      yield source.key(
        path,
        `nothing requires approval "${name}", so no job waits for it; add it to the "requires" of a job, or remove it`,
      );
    }
  }
}

function* requirements(source: Source, { jobs, name: workflow }: ReadWorkflow): Generator<Finding> {
  const there = new Map(jobs.map((place) => [place.name, place]));
  for (const { name, requires } of jobs) {
    for (const { bare, name: required, path, statuses: given } of requires) {
      if (!there.has(required)) {
        yield source.value(
          path,
          `"${name}" requires "${required}", which is not in workflow "${workflow}"; use one of ${[...there.keys()].join(", ")}`,
        );
      }
      for (const status of given.filter((one) => !statuses.includes(one))) {
        yield source.value(
          path,
          `"${status}" is not a status of a job; use one of ${statuses.join(", ")}`,
        );
      }
      // If a requirement has no status, and the required job has a serial group, the requirement is
      // satisfied when CircleCI releases the group. At this moment, the required job may have
      // failed.
      if (bare && there.get(required)?.serialGroup !== undefined) {
        yield source.value(
          path,
          `"${name}" requires "${required}", which has a serial group, so "${name}" would also run if "${required}" fails; write "${required}: [success]"`,
        );
      }
    }
  }
}

/**
 * Returns the names of the jobs that must have ended before the job `place` starts. The function
 * follows a requirement only if `counts` returns true for the statuses of this requirement.
 */
export function ancestors(
  place: PlacedJob,
  jobs: readonly PlacedJob[],
  counts: (statuses: readonly string[]) => boolean = () => true,
): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = ({ requires }: PlacedJob): void => {
    for (const requirement of requires) {
      if (!counts(requirement.statuses) || found.has(requirement.name)) continue;
      found.add(requirement.name);
      const next = jobs.find(({ name }) => name === requirement.name);
      if (next !== undefined) visit(next);
    }
  };
  visit(place);
  return found;
}
