import type { Finding, Source } from "./source";
import { named, type PlacedJob, type ReadWorkflow, workflowsOf } from "./shape";

const statuses = ["success", "failed", "canceled", "unauthorized", "not_run", "terminal"];

/** Names without a target: missing jobs, circles, and approvals that no job waits for. */
export function graph(source: Source): readonly Finding[] {
  const defined = new Set(named(source, "jobs").map(([name]) => name));
  const orbs = new Set(named(source, "orbs").map(([name]) => name));
  const workflows = workflowsOf(source);
  const used = new Set(workflows.flatMap(({ jobs }) => jobs.map(({ name }) => name)));
  return [
    ...workflows.flatMap((workflow) => [
      ...workflow.jobs.flatMap((place) => names(source, place, defined, orbs)),
      ...workflow.jobs.flatMap((place) => requirements(source, place, workflow)),
      ...twice(source, workflow),
      ...circles(source, workflow),
      ...idleApprovals(source, workflow),
      ...afterRelease(source, workflow),
    ]),
    ...[...defined]
      .filter((name) => !used.has(name))
      .map((name) => source.key(["jobs", name], `job "${name}" is in no workflow; remove it`)),
  ];
}

function names(
  source: Source,
  { approval, name, path }: PlacedJob,
  defined: ReadonlySet<string>,
  orbs: ReadonlySet<string>,
): readonly Finding[] {
  if (approval) {
    return defined.has(name)
      ? [
          source.key(
            path,
            `approval "${name}" has the name of a job; its steps would never run, so rename one of them`,
          ),
        ]
      : [];
  }
  const [orb = "", ...inOrb] = name.split("/");
  if (defined.has(name) || (inOrb.length > 0 && orbs.has(orb))) return [];
  return [source.key(path, `there is no job "${name}"; defined are ${[...defined].join(", ")}`)];
}

function requirements(
  source: Source,
  { name, requires }: PlacedJob,
  workflow: ReadWorkflow,
): readonly Finding[] {
  const there = workflow.jobs.map((place) => place.name);
  return requires.flatMap((requirement) => [
    ...(there.includes(requirement.name)
      ? []
      : [
          source.value(
            requirement.path,
            `"${name}" requires "${requirement.name}", which is not in workflow "${workflow.name}"; there are ${there.join(", ")}`,
          ),
        ]),
    ...requirement.statuses
      .filter((status) => !statuses.includes(status))
      .map((status) =>
        source.value(
          requirement.path,
          `"${status}" is not a status of a job; allowed are ${statuses.join(", ")}`,
        ),
      ),
  ]);
}

function twice(source: Source, { jobs, name }: ReadWorkflow): readonly Finding[] {
  return jobs
    .filter((place, index) => jobs.findIndex((other) => other.name === place.name) < index)
    .map((place) => source.key(place.path, `"${place.name}" is twice in workflow "${name}"`));
}

function circles(source: Source, { jobs }: ReadWorkflow): readonly Finding[] {
  return jobs
    .filter((place) => ancestors(place, jobs).has(place.name))
    .map((place) => source.key(place.path, `"${place.name}" waits for itself`));
}

function idleApprovals(source: Source, { jobs }: ReadWorkflow): readonly Finding[] {
  const required = new Set(jobs.flatMap(({ requires }) => requires.map(({ name }) => name)));
  return jobs
    .filter(({ approval, name }) => approval && !required.has(name))
    .map(({ name, path }) =>
      source.key(path, `nothing requires approval "${name}", so it holds nothing back`),
    );
}

/**
 * The bare name of a job with a serial group is satisfied when the group is released, however the
 * job ended.
 */
function afterRelease(source: Source, { jobs }: ReadWorkflow): readonly Finding[] {
  const serial = jobs.filter(({ serialGroup }) => serialGroup !== undefined);
  return jobs.flatMap(({ name, requires }) =>
    requires
      .filter((one) => one.bare && serial.some((job) => job.name === one.name))
      .map((one) =>
        source.value(
          one.path,
          `"${name}" requires "${one.name}", which has a serial group, so it would also run after a failure; write "${one.name}: [success]"`,
        ),
      ),
  );
}

/** Jobs that must have ended, in one of the required ways, before `place` starts. */
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
