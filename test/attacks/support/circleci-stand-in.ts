/**
 * A stand-in for the parts of CircleCI where an attack could begin: which jobs get a context, what
 * a token says, and what a cache can contain. It is as strict as CircleCI. Comments quote the
 * sentences of CircleCI's documentation that the code follows.
 *
 * The stand-in does not have the web app, approval jobs, orbs, or tokens of version 1.
 */
import { evaluate, parseExpression } from "../../../pipeline/checks/expression";
import {
  type ContextName,
  fullName,
  type Project as CircleCiProject,
  restrictionOf,
} from "../../../pipeline/contexts";
import { claimsOf } from "../../support/platform";

/**
 * A person who may push branches. If `approver` is true, the person is also in the security group.
 */
export interface Actor {
  readonly id: string;
  readonly approver?: boolean;
}

/** A CircleCI project: its purpose, and its id. */
export interface Project {
  readonly id: string;
  readonly is: CircleCiProject;
}

/**
 * How a pipeline was started. Anyone who starts a pipeline by hand chooses "config branch and
 * checkout branch" separately (docs: Trigger options).
 */
interface Pipeline {
  readonly actor: Actor;
  readonly project: Project;
  /** Branch that the configuration comes from. @default checkoutBranch */
  readonly configBranch?: string;
  readonly checkoutBranch: string;
  /** @default "github_app" */
  readonly configSource?: string;
}

export interface JobRun {
  readonly pipeline: Pipeline;
  readonly contexts: readonly ContextName[];
  /** "Anyone with permission to initiate a job can rerun it with SSH" (docs: container runner). */
  readonly rerunWithSshBy?: Actor;
}

/** Returns the pipeline values that the expression of a context restriction can use. */
function values({ pipeline, rerunWithSshBy }: JobRun): Readonly<Record<string, string | boolean>> {
  const { checkoutBranch, configBranch = checkoutBranch, configSource = "github_app" } = pipeline;
  return {
    "job.ssh.enabled": rerunWithSshBy !== undefined,
    // "pipeline.git.* describe the git state of the code CircleCI checks out; it may differ from
    // the commit or branch used to fetch the configuration file" (docs: Pipeline values).
    "pipeline.config.ref": `refs/heads/${configBranch}`,
    "pipeline.config_source": configSource,
    "pipeline.git.branch": checkoutBranch,
  };
}

const actorOf = ({ pipeline, rerunWithSshBy }: JobRun): Actor => rerunWithSshBy ?? pipeline.actor;

/**
 * Returns the contexts whose restrictions refuse the job. If the list is not empty, CircleCI ends
 * the job with the status "unauthorized".
 */
export function refusedContexts(run: JobRun): readonly ContextName[] {
  return run.contexts.filter((context) => {
    const { approversOnly, expression, projects } = restrictionOf(context);
    return !(
      projects.includes(run.pipeline.project.is) &&
      evaluate(parseExpression(expression), values(run)) === true &&
      (!approversOnly || actorOf(run).approver === true)
    );
  });
}

/** Whether a job gets every context that it names. Otherwise CircleCI does not run the job. */
export const runs = (run: JobRun): boolean => refusedContexts(run).length === 0;

/**
 * Returns the claims of a job's token. The docs do not say whether `vcs-ref` names the checkout
 * branch or the config branch. The stand-in uses the checkout branch, because this choice helps the
 * attacker.
 */
export function tokenOf(run: JobRun): Readonly<Record<string, string>> {
  const { checkoutBranch, project } = run.pipeline;
  return claimsOf({
    contexts: run.contexts.map(fullName),
    projectId: project.id,
    ref: `refs/heads/${checkoutBranch}`,
    rerunWithSsh: run.rerunWithSshBy !== undefined,
    user: actorOf(run).id,
  });
}

/** For the absolute path of each file: who wrote the file's content. */
export type Files = ReadonlyMap<string, "attacker" | "main">;

/** The caches of one project. */
export class Caches {
  readonly #saved: { readonly files: Files; readonly key: string }[] = [];

  /**
   * Saves files under a key. Does nothing if the key exists: "caches are immutable" (docs:
   * Caching).
   */
  save(key: string, files: Files): void {
    if (!this.#saved.some((one) => one.key === key)) this.#saved.push({ files, key });
  }

  /**
   * Returns the files of the newest cache whose key begins with `key`: "A key is searched as a
   * prefix. When multiple matches exist, CircleCI uses the most recent match, even if a more
   * precise match exists"; "caches are global within a project, a cache saved on one branch will be
   * used by jobs run on other branches"; "CircleCI restores the cache to the location where it
   * originally saved it" (configuration reference, docs: Persisting data).
   */
  restore(key: string): Files {
    return this.#saved.findLast((one) => one.key.startsWith(key))?.files ?? new Map();
  }
}
