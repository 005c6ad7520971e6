/**
 * A stand-in for CircleCI, as strict as CircleCI is where an attack could begin: who gets a
 * context, what a token says, and what a cache can contain. Each rule names the sentence that it
 * follows.
 *
 * Left out: the web app, approvals by themselves, orbs, and the tokens of version 1.
 */
import { evaluate, parseExpression } from "../../../pipeline/checks/expression";
import { type ContextName, fullName, restrictionOf } from "../../../pipeline/contexts";
import { organization, settings } from "../../support/platform";

/** A person. Everyone here may push a branch; only an approver is in the security group. */
export interface Actor {
  readonly id: string;
  readonly approver?: boolean;
}

/** A CircleCI project: its purpose, and its id. */
export interface Project {
  readonly id: string;
  readonly is: "service";
}

/**
 * How a pipeline was started. "Config branch and checkout branch" are chosen separately by anyone
 * who starts a pipeline by hand (docs: Trigger options).
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

/** Values that a restriction's expression may ask for. */
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

/** Contexts of a job that its restrictions refuse: with one of them it ends as "unauthorized". */
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

/** Whether a job gets every context that it names. Without one of them it does not run. */
export const runs = (run: JobRun): boolean => refusedContexts(run).length === 0;

/**
 * Claims of a job's token, version 2 (docs: OIDC tokens). `vcs-ref` is the ref of the checkout. The
 * docs do not say it, and the other answer would only help the defence.
 */
export function tokenOf(run: JobRun): Readonly<Record<string, string>> {
  const { checkoutBranch, project } = run.pipeline;
  const user = actorOf(run).id;
  const origin = settings.circleci.vcsOrigin;
  const ref = `refs/heads/${checkoutBranch}`;
  const claim = (name: string) => `oidc.circleci.com/${name}`;
  return {
    aud: organization,
    [claim("context-ids")]: JSON.stringify(run.contexts.map(fullName)),
    [claim("project-id")]: project.id,
    [claim("ssh-rerun")]: String(run.rerunWithSshBy !== undefined),
    [claim("vcs-origin")]: origin,
    [claim("vcs-ref")]: ref,
    sub: `org/${organization}/project/${project.id}/user/${user}/vcs-origin/${origin}/vcs-ref/${ref}`,
  };
}

/** Files by their absolute path, and who wrote the content. */
export type Files = ReadonlyMap<string, "attacker" | "main">;

/** The caches of one project. */
export class Caches {
  readonly #saved: { readonly files: Files; readonly key: string }[] = [];

  /** "Caches are immutable": a key that is there is not written again (docs: Caching). */
  save(key: string, files: Files): void {
    if (!this.#saved.some((one) => one.key === key)) this.#saved.push({ files, key });
  }

  /**
   * "A key is searched as a prefix. When multiple matches exist, CircleCI uses the most recent
   * match, even if a more precise match exists"; "caches are global within a project, a cache saved
   * on one branch will be used by jobs run on other branches"; "CircleCI restores the cache to the
   * location where it originally saved it" (configuration reference, docs: Persisting data).
   */
  restore(key: string): Files {
    return this.#saved.findLast((one) => one.key.startsWith(key))?.files ?? new Map();
  }
}
