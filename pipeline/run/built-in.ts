import { claimsOf, type Issuer, type Origin } from "./token";
import { actorOf, type JobRun } from "./actors";

/** The values that `builtIn` needs for the environment variables of a job. */
export interface BuiltIn {
  readonly buildNumber: number;
  readonly commit: string;
  readonly issuer: Issuer;
  readonly job: string;
  readonly jobId: string;
  readonly origin: Origin;
  readonly pipelineId: string;
  readonly pullRequest: number;
  /** `owner/name` of the repository. */
  readonly repository: string;
  readonly run: JobRun;
  readonly workflowId: string;
  readonly workingDirectory: string;
}

/**
 * Returns the environment variables that CircleCI sets in pipelines of its GitHub App.
 * `CIRCLE_REPOSITORY_URL` is missing, because only the older integrations set this variable.
 *
 * This function does not set two variables that CircleCI sets:
 *
 * - `CI`. If this variable is set, commands fail instead of skipping a check. But a machine without
 *   the scanners' databases must skip some checks. For the same strictness as in CircleCI, set `CI`
 *   yourself.
 * - `CIRCLE_WORKFLOW_JOB_ID`. In CircleCI, commands may take over locks, because only one job of a
 *   serial group runs at a time. Two local runs can run jobs of one serial group at the same time.
 *   Without `CIRCLE_WORKFLOW_JOB_ID`, commands do not take over locks.
 *
 * @see https://circleci.com/docs/reference/variables/#built-in-environment-variables
 */
export function builtIn(about: BuiltIn): Record<string, string> {
  const { buildNumber, commit, issuer, job, jobId, origin, pipelineId, workflowId } = about;
  const { pullRequest, repository, run, workingDirectory } = about;
  const { checkoutBranch, project } = run.pipeline;
  const [owner = "", name = ""] = repository.split("/");
  const ids = { at: Math.floor(Date.now() / 1000), jobId, pipelineId, workflowId };
  const token = (version: 1 | 2): string => issuer.token(claimsOf(run, origin, ids, version));
  return {
    CIRCLECI: "true",
    CIRCLE_BRANCH: checkoutBranch,
    CIRCLE_BUILD_NUM: String(buildNumber),
    CIRCLE_BUILD_URL: `https://circleci.com/gh/${repository}/${String(buildNumber)}`,
    CIRCLE_JOB: job,
    CIRCLE_NODE_INDEX: "0",
    CIRCLE_NODE_TOTAL: "1",
    CIRCLE_OIDC_TOKEN: token(1),
    CIRCLE_OIDC_TOKEN_V2: token(2),
    CIRCLE_ORGANIZATION_ID: origin.organizationId,
    CIRCLE_PIPELINE_ID: pipelineId,
    CIRCLE_PROJECT_ID: project.id,
    CIRCLE_PROJECT_REPONAME: name,
    CIRCLE_PROJECT_USERNAME: owner,
    ...(checkoutBranch === "main"
      ? {}
      : { CIRCLE_PULL_REQUEST: `https://github.com/${repository}/pull/${String(pullRequest)}` }),
    CIRCLE_SHA1: commit,
    CIRCLE_USERNAME: actorOf(run).id === run.pipeline.actor.id ? "rehearsal" : "approver",
    CIRCLE_WORKFLOW_ID: workflowId,
    CIRCLE_WORKFLOW_WORKSPACE_ID: workflowId,
    CIRCLE_WORKING_DIRECTORY: workingDirectory,
  };
}
