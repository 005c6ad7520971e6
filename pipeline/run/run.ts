import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deployProject } from "../../config/circleci";
import { service } from "../../config/service";
import { project } from "../../lib/project";
import { command } from "../../lib/command";
import { duration } from "../../lib/time";
import { UserError } from "../../lib/errors";
import { list, mapping, named, type PlacedJob, text } from "../checks/shape";
import type { Restriction } from "../contexts";
import { type Actor, type JobRun, rerun } from "./actors";
import { builtIn } from "./built-in";
import { homeOf } from "./caches";
import { checkOut } from "./checkout";
import { contextVariables, inherited } from "./contexts";
import { bashEnvironment, runSteps } from "./job";
import { type End, next } from "./order";
import { ourRestriction, refusedContexts, type Values } from "./restrictions";
import { type Situation, valuesFor, variables } from "./situation";
import { find, type FoundWorkflow } from "./sources";
import { StoredCaches } from "./stored-caches";
import { Issuer, type Origin, uuidOf } from "./token";
import { upstreamOf, Workspace } from "./workspace";

export interface RunOptions {
  /**
   * Names of the approvals that the run gives, or a function that decides on each approval. Jobs
   * that wait for any other approval do not run.
   */
  readonly approve?: readonly string[] | ((approval: string) => Promise<boolean>);
  /**
   * Directory of the artifacts, with one subdirectory for each job.
   *
   * @default - the run removes the artifacts at its end
   */
  readonly artifacts?: string;
  /** Branch that the run simulates. Default: the branch that is checked out. */
  readonly branch?: string;
  /**
   * Directory of the caches. If two runs use the same directory, the runs share the caches. In
   * CircleCI, the pipelines of all branches share the caches in the same way.
   *
   * @default - a new directory, so that the run starts without caches
   */
  readonly caches?: string;
  /** Commit whose code runs, without uncommitted changes. Default: the checked-out commit. */
  readonly commit?: string;
  /**
   * Branch that the configuration comes from. By default, the configuration comes from the commit.
   */
  readonly configBranch?: string;
  /** Directory with a file `<context>.env` for each context that has values. */
  readonly contexts?: string;
  /**
   * Directory of the deploy project's configuration, in a clone of its repository.
   *
   * @default - the directory in config/circleci.ts, if there is a deploy project
   */
  readonly deployDirectory?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly parameters?: Readonly<Record<string, string>>;
  /**
   * The person who starts the pipeline, and the person who gives the approvals.
   *
   * @default - one person, who is in the security group of the approvers
   */
  readonly people?: { readonly actor: Actor; readonly approver: Actor };
  readonly pullRequest?: number;
  readonly repository?: string;
  /** Restrictions of the contexts. Default: the restrictions of pipeline/contexts.ts. */
  readonly restrictionFor?: (context: string) => Restriction | undefined;
  readonly root?: string;
  /**
   * Jobs that the run skips and treats as successful, such as checks that have just passed for this
   * commit.
   */
  readonly skip?: readonly string[];
  /** Whether the run simulates that each job is a rerun with SSH. @default false */
  readonly ssh?: boolean;
}

/** How each job of a run ended, and after how many milliseconds. */
export type Result = ReadonlyMap<string, { readonly end: End; readonly took: number }>;

/**
 * `npm run pipeline -- run WORKFLOW`: runs a workflow on this machine before the push, as CircleCI
 * would run it. Returns how each job ended.
 */
export async function rehearse(workflow: string, options: RunOptions = {}): Promise<Result> {
  const { approve = [], deployDirectory = deployProject?.directory, skip = [] } = options;
  const { configBranch, root = project } = options;
  const situation = await situationOf(root, options);
  const ref = configBranch ?? situation.commit;
  const workflowFound = await find(workflow, { deployDirectory, ref, root });
  const { found, source } = workflowFound;
  const names = (approval: boolean): readonly string[] =>
    found.jobs.filter((place) => place.approval === approval).map(({ name }) => name);
  refuseUnknown(workflow, "approval", typeof approve === "function" ? [] : approve, names(true));
  refuseUnknown(workflow, "job", skip, names(false));
  const approved = async (name: string): Promise<boolean> =>
    typeof approve === "function" ? approve(name) : approve.includes(name);
  const values = valuesFor(source, workflow, String(found.when), situation);
  const work = mkdtempSync(join(tmpdir(), `${service}-pipeline-`));
  const run: Run = {
    caches: new StoredCaches(join(options.caches ?? join(work, "caches"), workflowFound.project)),
    found: workflowFound,
    hasDeployProject: deployDirectory !== undefined,
    id: randomUUID(),
    issuer: new Issuer(),
    options,
    situation,
    values,
    work,
    workspace: new Workspace(join(work, "workspace"), found.jobs),
  };
  const ends = new Map<string, End>();
  const result = new Map<string, { end: End; took: number }>();
  try {
    for (let one = next(found.jobs, ends); one !== undefined; one = next(found.jobs, ends)) {
      const { act, place } = one;
      const started = Date.now();
      let end: End = act === "skip" ? "not_run" : "held";
      if (act === "run" && place.approval) {
        end = (await approved(place.name)) ? "success" : "held";
        console.log(
          `\n=== ${place.name}: ${end === "success" ? "approved" : `waits for an approval (--approve ${place.name})`}`,
        );
      } else if (act === "run" && skip.includes(place.name)) {
        console.log(`\n=== ${place.name}: counts as a success (--skip)`);
        end = "success";
      } else if (act === "run") {
        console.log(`\n=== ${place.name}`);
        end = await runJob(place, run, ends.size + 1);
      }
      ends.set(place.name, end);
      result.set(place.name, { end, took: Date.now() - started });
    }
  } finally {
    rmSync(work, { force: true, recursive: true });
  }
  console.log(`\n${summary(result)}`);
  return result;
}

function refuseUnknown(
  workflow: string,
  what: string,
  given: readonly string[],
  known: readonly string[],
): void {
  const unknown = given.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new UserError(
    `workflow "${workflow}" has no ${what} "${unknown}"; there are ${known.join(", ") || "none"}`,
  );
}

async function situationOf(root: string, options: RunOptions): Promise<Situation> {
  const git = (...args: readonly string[]) => command("git", args, { cwd: root, timeout: 30_000 });
  if (options.commit === undefined && (await git("status", "--porcelain")) !== "") {
    console.log("Uncommitted changes are not part of the run: CircleCI would not see them.");
  }
  return {
    branch: options.branch ?? (await git("branch", "--show-current")),
    commit: await git("rev-parse", "--verify", `${options.commit ?? "HEAD"}^{commit}`),
    ...(options.configBranch === undefined ? {} : { configBranch: options.configBranch }),
    parameters: options.parameters ?? {},
    pullRequest: options.pullRequest ?? 1,
    repository: options.repository ?? `example/${service}`,
  };
}

/** One local run of a workflow, with everything that its jobs share. */
interface Run {
  readonly caches: StoredCaches;
  readonly found: FoundWorkflow;
  readonly hasDeployProject: boolean;
  readonly id: string;
  readonly issuer: Issuer;
  readonly options: RunOptions;
  readonly situation: Situation;
  readonly values: Values;
  readonly work: string;
  readonly workspace: Workspace;
}

/** The person at this machine, who starts the pipeline and gives the approvals in `--approve`. */
const person: Actor = { approver: true, id: uuidOf("the person at this machine") };

/** Returns the facts about a job that determine whether the job gets its contexts. */
function jobRun(place: PlacedJob, { found, options, values }: Run): JobRun {
  const { configBranch, people = { actor: person, approver: person }, ssh = false } = options;
  const upstream = upstreamOf(place.name, found.found.jobs);
  const run: JobRun = {
    ...(found.found.jobs.some(({ approval, name }) => approval && upstream.includes(name))
      ? { approvedBy: people.approver }
      : {}),
    contexts: place.contexts,
    pipeline: {
      actor: people.actor,
      checkoutBranch: String(values["pipeline.git.branch"]),
      ...(configBranch === undefined ? {} : { configBranch }),
      project: { id: uuidOf(`project ${found.project}`), is: found.project },
    },
  };
  return ssh ? rerun(run, people.actor, { ssh }) : run;
}

async function runJob(place: PlacedJob, run: Run, buildNumber: number): Promise<End> {
  const { found, hasDeployProject, id, options, situation, values, work } = run;
  const about = jobRun(place, run);
  const { restrictionFor = (name: string) => ourRestriction(name, hasDeployProject) } = options;
  const refused = refusedContexts(about, values, restrictionFor);
  for (const [context, reasons] of refused) {
    console.log(`  unauthorized: context ${context} refuses this job: ${reasons.join("; ")}`);
  }
  if (refused.size > 0) return "unauthorized";
  const job = new Map(named(found.source, "jobs")).get(place.name);
  if (job === undefined) {
    console.log("  skipped, because it is a job of an orb");
    return "success";
  }
  const branch = about.pipeline.checkoutBranch;
  const copy = join(work, "jobs", place.name);
  await checkOut(options.root ?? project, copy, situation.commit, branch);
  const executor = mapping(new Map(named(found.source, "executors")).get(String(job["executor"])));
  const origin: Origin = {
    organizationId: uuidOf("organization"),
    vcsOrigin: `github.com/${situation.repository}`,
  };
  const given = contextVariables(options.contexts, place.contexts);
  const special = builtIn({
    ...{ buildNumber, origin, run: about, workflowId: id, workingDirectory: copy },
    commit: situation.commit,
    issuer: run.issuer,
    job: place.name,
    jobId: randomUUID(),
    pipelineId: String(values["pipeline.id"]),
    pullRequest: situation.pullRequest,
    repository: situation.repository,
  });
  // "Environment variables are used according to a specific precedence order": first the variables
  // of the job, then the variables of CircleCI, then the variables of the contexts (docs: Using
  // contexts).
  const env = {
    ...inherited(options.env ?? process.env),
    ...given,
    ...special,
    BASH_ENV: bashEnvironment(join(work, "environments", place.name)),
    ...withoutCaches(variables(executor["environment"], values)),
    ...variables(job["environment"], values),
  };
  const good = await runSteps(list(job["steps"]), values, env, {
    artifacts: join(options.artifacts ?? join(work, "artifacts"), place.name),
    caches: run.caches,
    copy,
    home: homeOf(text(mapping(list(executor["docker"])[0])["image"])),
    job: place.name,
    keyValues: {
      branch,
      buildNumber: String(buildNumber),
      environment: { ...given, ...special },
      revision: situation.commit,
      workingDirectory: copy,
    },
    say: (line) => {
      console.log(line);
    },
    workspace: run.workspace,
  });
  rmSync(copy, { force: true, recursive: true });
  return good ? "success" : "failed";
}

/**
 * Returns the variables without `npm_config_cache`. Without this variable, jobs use this machine's
 * npm cache, which already contains the packages.
 */
function withoutCaches(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name !== "npm_config_cache"));
}

function summary(result: Result): string {
  const words: Readonly<Record<End, string>> = {
    failed: "FAILED",
    held: "waits for an approval",
    not_run: "not run",
    success: "good",
    unauthorized: "UNAUTHORIZED",
  };
  const width = Math.max(...[...result.keys()].map((name) => name.length));
  return [...result]
    .map(([name, { end, took }]) => {
      const time = took >= 1000 ? ` (${duration(took)})` : "";
      return `${name.padEnd(width)}  ${words[end]}${time}`;
    })
    .join("\n");
}
