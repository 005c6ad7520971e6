/**
 * The people and the pipeline that cause a job to run. The local run of a pipeline (`rehearse`) and
 * the tests in test/attacks use these types and the rules in this folder.
 */
import type { Project } from "../contexts";

/** A member of the organization. */
export interface Actor {
  /** UUID of the user in CircleCI. */
  readonly id: string;
  /**
   * Whether the person is an administrator: "Organization administrators have read/write access to
   * all projects and have unrestricted access to all contexts" (docs: Using contexts).
   *
   * @default false
   */
  readonly administrator?: boolean;
  /** Whether the person is in the security group of the approvers. @default false */
  readonly approver?: boolean;
}

/** A CircleCI project: its purpose, and its id. */
export interface CircleciProject {
  readonly id: string;
  readonly is: Project;
}

/**
 * How a pipeline starts. A person who starts a pipeline by hand chooses two branches: "Select your
 * config source branch", and then "your checkout source and branch" (docs: Trigger options).
 */
export interface Pipeline {
  readonly actor: Actor;
  /** Branch of the code that the jobs check out. */
  readonly checkoutBranch: string;
  /** Branch that the configuration comes from. @default checkoutBranch */
  readonly configBranch?: string;
  /** @default "github_app" */
  readonly configSource?: string;
  /** Type of the organization. @default "github" */
  readonly organizationType?: "circleci" | "github";
  readonly project: CircleciProject;
  /** What starts the pipeline. @default "event" */
  readonly trigger?: "custom-webhook" | "event";
}

/** One run of a job. */
export interface JobRun {
  /**
   * Person who gave the last approval before this job: "`deploy` will only run if the user who
   * approves the `hold` job is a member of the security group" (docs: Using contexts).
   */
  readonly approvedBy?: Actor;
  /** Full names of the contexts. */
  readonly contexts: readonly string[];
  readonly pipeline: Pipeline;
  /** The rerun, if this is not the first run of the job. */
  readonly rerun?: { readonly by: Actor; readonly ssh: boolean };
}

/**
 * Returns a rerun of a job. "Anyone with permission to initiate a job can rerun it with SSH" (docs:
 * Container runner). "If you rerun a workflow containing a job that was previously rerun with SSH,
 * the new job run will have SSH enabled" (docs: Debug jobs with SSH rerun).
 */
export function rerun(run: JobRun, by: Actor, { ssh }: { readonly ssh: boolean }): JobRun {
  return { ...run, rerun: { by, ssh: ssh || hasSsh(run) } };
}

export const hasSsh = ({ rerun: again }: JobRun): boolean => again?.ssh === true;

/** Returns "the CircleCI user that caused this job to run" (docs: OIDC tokens). */
export const actorOf = ({ approvedBy, pipeline, rerun: again }: JobRun): Actor =>
  again?.by ?? approvedBy ?? pipeline.actor;
