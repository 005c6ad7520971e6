import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { deployProject } from "../../config/circleci";
import { service } from "../../config/service";
import { project } from "../../lib/project";
import { command } from "../../lib/command";
import { duration } from "../../lib/time";
import { UserError } from "../../lib/errors";
import { mapping, named, type PlacedJob, type ReadWorkflow, workflowsOf } from "../checks/shape";
import { Source } from "../checks/source";
import { directory } from "../write";
import { contextVariables, inherited } from "./contexts";
import { bashEnvironment, runSteps } from "./job";
import { type End, next } from "./order";
import { type Situation, valuesFor, variables } from "./situation";

export interface RunOptions {
  /**
   * Names of the approvals that are given, or a function that decides about each approval. Jobs
   * that wait for any other approval do not run.
   */
  readonly approve?: readonly string[] | ((approval: string) => Promise<boolean>);
  /** Branch that the run simulates. Default: the branch that is checked out. */
  readonly branch?: string;
  /** Commit whose code runs. Default: the last commit. Uncommitted changes are not included. */
  readonly commit?: string;
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
  readonly pullRequest?: number;
  readonly repository?: string;
  readonly root?: string;
  /** Jobs that count as successful without a run: checks that have just passed for this commit. */
  readonly skip?: readonly string[];
}

/** How each job of a run ended, and after how many milliseconds. */
export type Result = ReadonlyMap<string, { readonly end: End; readonly took: number }>;

/**
 * Runs a workflow on this machine as CircleCI would run it, before anything is pushed (`npm run
 * pipeline -- run WORKFLOW`). Returns how each job ended.
 */
export async function rehearse(workflow: string, options: RunOptions = {}): Promise<Result> {
  const { approve = [], deployDirectory = deployProject?.directory, skip = [] } = options;
  const { root = project } = options;
  const { found, source } = find(root, workflow, deployDirectory);
  const names = (approval: boolean): readonly string[] =>
    found.jobs.filter((place) => place.approval === approval).map(({ name }) => name);
  refuseUnknown(workflow, "approval", typeof approve === "function" ? [] : approve, names(true));
  refuseUnknown(workflow, "job", skip, names(false));
  const approved = async (name: string): Promise<boolean> =>
    typeof approve === "function" ? approve(name) : approve.includes(name);
  const situation = await situationOf(root, options);
  const values = valuesFor(source, workflow, String(found.when), situation);
  const work = mkdtempSync(join(tmpdir(), `${service}-pipeline-`));
  const id = randomUUID();
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
        console.log(`\n=== ${place.name}: taken as good (--skip)`);
        end = "success";
      } else if (act === "run") {
        console.log(`\n=== ${place.name}`);
        const good = await runJob(source, place, { id, options, situation, values, work });
        end = good ? "success" : "failed";
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

/**
 * Returns the configuration files: those of this repository, and those in the clone of the deploy
 * project's repository.
 */
function sourcesOf(root: string, deployDirectory: string | undefined): readonly Source[] {
  const clone = deployDirectory === undefined ? [] : [deployDirectory];
  return [directory, ...clone].flatMap((folder) => {
    const from = resolve(root, folder);
    if (!existsSync(from)) {
      throw new UserError(
        `${from} does not exist: clone the deploy project's repository, and run npm run pipeline`,
      );
    }
    return readdirSync(from)
      .filter((name) => name.endsWith(".yml"))
      .map((name) => new Source(`${folder}/${name}`, readFileSync(join(from, name), "utf8")));
  });
}

/**
 * Finds a workflow by its name. The deploy project also has a workflow `main`, which deploys, and
 * which the run therefore prefers.
 */
function find(
  root: string,
  workflow: string,
  deployDirectory: string | undefined,
): { found: ReadWorkflow; source: Source } {
  const sources = sourcesOf(root, deployDirectory);
  const all = sources.flatMap((source) => workflowsOf(source).map((found) => ({ found, source })));
  const match = all.findLast(({ found }) => found.name === workflow);
  if (match === undefined) {
    const names = all.map(({ found }) => found.name).join(", ");
    throw new UserError(`there is no workflow "${workflow}"; there are ${names}`);
  }
  return match;
}

async function situationOf(root: string, options: RunOptions): Promise<Situation> {
  const git = (...args: readonly string[]) => command("git", args, { cwd: root, timeout: 30_000 });
  if (options.commit === undefined && (await git("status", "--porcelain")) !== "") {
    console.log("What is not committed is not part of the run: CircleCI would not see it either.");
  }
  return {
    branch: options.branch ?? (await git("branch", "--show-current")),
    commit: await git("rev-parse", "--verify", `${options.commit ?? "HEAD"}^{commit}`),
    parameters: options.parameters ?? {},
    pullRequest: options.pullRequest ?? 1,
    repository: options.repository ?? `example/${service}`,
  };
}

interface Run {
  readonly id: string;
  readonly options: RunOptions;
  readonly situation: Situation;
  readonly values: Readonly<Record<string, string | number | boolean>>;
  readonly work: string;
}

async function runJob(source: Source, place: PlacedJob, run: Run): Promise<boolean> {
  const { id, options, situation, values, work } = run;
  const job = new Map(named(source, "jobs")).get(place.name);
  if (job === undefined) {
    console.log("  skipped, because it is a job of an orb");
    return true;
  }
  const branch = String(values["pipeline.git.branch"]);
  const copy = join(work, "jobs", place.name);
  await checkOut(options.root ?? project, copy, situation.commit, branch);
  const executor = mapping(new Map(named(source, "executors")).get(String(job["executor"])));
  const env = {
    ...inherited(options.env ?? process.env),
    ...circleci(place.name, id, branch, situation),
    BASH_ENV: bashEnvironment(join(work, "environments", place.name)),
    ...contextVariables(options.contexts, place.contexts),
    ...withoutCaches(variables(executor["environment"], values)),
    ...variables(job["environment"], values),
  };
  const good = await runSteps(job["steps"] as readonly unknown[], values, env, {
    artifacts: join(work, "artifacts", place.name),
    caches: join(work, "caches"),
    copy,
    say: (line) => {
      console.log(line);
    },
    workspace: join(work, "workspace"),
  });
  rmSync(copy, { force: true, recursive: true });
  return good;
}

/**
 * Returns the variables without `npm_config_cache`, so that jobs use the machine's own npm cache,
 * which is already filled.
 */
function withoutCaches(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name !== "npm_config_cache"));
}

/**
 * Returns the environment variables that CircleCI sets, except `CI`. With `CI`, commands must not
 * skip a check, but a machine without the scanners' databases must skip some checks. For the same
 * strictness as in CircleCI, set `CI` yourself. The job's id and token are missing, too, so that
 * commands do not treat this machine as a CircleCI job, and take over no lock.
 */
function circleci(
  job: string,
  id: string,
  branch: string,
  { commit, pullRequest, repository }: Situation,
): Record<string, string> {
  const [owner = "", name = ""] = repository.split("/");
  return {
    CIRCLECI: "true",
    CIRCLE_BRANCH: branch,
    CIRCLE_BUILD_NUM: "1",
    CIRCLE_BUILD_URL: `https://circleci.com/gh/${repository}/1`,
    CIRCLE_JOB: job,
    CIRCLE_PROJECT_REPONAME: name,
    CIRCLE_PROJECT_USERNAME: owner,
    ...(branch === "main"
      ? {}
      : { CIRCLE_PULL_REQUEST: `https://github.com/${repository}/pull/${String(pullRequest)}` }),
    CIRCLE_REPOSITORY_URL: `git@github.com:${repository}.git`,
    CIRCLE_SHA1: commit,
    CIRCLE_USERNAME: "rehearsal",
    CIRCLE_WORKFLOW_ID: id,
  };
}

/**
 * Clones the repository and checks out the commit, as CircleCI does. The clone's `origin` is the
 * local repository, so that commands can look up branches.
 */
async function checkOut(root: string, copy: string, commit: string, branch: string): Promise<void> {
  mkdirSync(join(copy, ".."), { recursive: true });
  await command("git", ["clone", "--quiet", "--no-checkout", root, copy], { timeout: 300_000 });
  await command("git", ["checkout", "--quiet", "-B", branch, commit], {
    cwd: copy,
    timeout: 300_000,
  });
  const packages = join(root, "node_modules");
  if (existsSync(packages)) {
    // Copies the packages as hard links. If the packages do not match the lock file, the first
    // command installs them again.
    await command("cp", ["-al", packages, copy], { timeout: 300_000 }).catch(async () =>
      command("cp", ["-a", packages, copy], { timeout: 300_000 }),
    );
  }
}

function summary(result: Result): string {
  const words: Readonly<Record<End, string>> = {
    failed: "FAILED",
    held: "waits for an approval",
    not_run: "not run",
    success: "good",
  };
  const width = Math.max(...[...result.keys()].map((name) => name.length));
  return [...result]
    .map(([name, { end, took }]) => {
      const time = took >= 1000 ? ` (${duration(took)})` : "";
      return `${name.padEnd(width)}  ${words[end]}${time}`;
    })
    .join("\n");
}
