import { branch } from "./workflows/branch";
import { canaryParameters, canaryStart, canaryStop } from "./workflows/canary";
import { compose } from "./compose";
import { drift } from "./workflows/drift";
import { main, mainInDeployProject } from "./workflows/main";
import type { Config } from "./model";
import { sweep, teardown } from "./workflows/removal";
import { notifyJobs } from "./workflows/notify";
import { recover, recoverParameters } from "./workflows/recover";
import { companyScan, deployProject } from "../config/circleci";
import { checks, onMain } from "./stages";

const pullRequestEvent = 'pipeline.event.name == "pull_request"';

const branchWorkflow = {
  when: `${pullRequestEvent} and pipeline.event.action != "closed" and pipeline.git.branch != "main"`,
  stages: branch,
};
const pushToMain = `pipeline.event.name == "push" and ${onMain}`;
const orbs = Object.keys(companyScan.orbs).length === 0 ? {} : { orbs: companyScan.orbs };

/**
 * The pipeline files of one CircleCI project. Each file is a separate pipeline in CircleCI. A
 * trigger or a person starts the pipeline.
 */
type Files = Readonly<Record<string, Config>>;

/**
 * Returns the pipelines for removals, drift, job notifications, canaries and recoveries. If there
 * is a deploy project, these pipelines belong to the deploy project.
 */
const withRights = (place: { readonly inDeployProject: boolean }): Files => ({
  "teardown.yml": compose(
    {
      teardown: {
        when: `${pullRequestEvent} and pipeline.event.action == "closed" and ${onMain}`,
        stages: teardown,
      },
    },
    {},
    place,
  ),
  "sweep.yml": compose({ sweep: { when: onMain, stages: sweep } }, {}, place),
  "drift.yml": compose({ drift: { when: onMain, stages: drift } }, {}, place),
  "notify.yml": compose({ "notify-jobs": { when: onMain, stages: notifyJobs } }, {}, place),
  "canary.yml": compose(
    {
      "canary-start": {
        when: `${onMain} and pipeline.parameters.action == "start"`,
        stages: canaryStart,
      },
      "canary-stop": {
        when: `${onMain} and pipeline.parameters.action == "stop"`,
        stages: canaryStop,
      },
    },
    { parameters: canaryParameters },
    place,
  ),
  "recover.yml": compose(
    Object.fromEntries(
      Object.entries(recover).map(([name, stages]) => [
        name,
        { stages, when: `${onMain} and pipeline.parameters.action == "${name}"` },
      ]),
    ),
    { parameters: recoverParameters },
    place,
  ),
});

/**
 * All pipelines, if there is no deploy project. Without a deploy project, staging and production
 * have less protection: see docs/trust.md.
 */
export const inOneProject: Files = {
  "config.yml": compose({ branch: branchWorkflow, main: { when: pushToMain, stages: main } }, orbs),
  ...withRights({ inDeployProject: false }),
};

/**
 * Pipelines of the service's own project, if there is a deploy project. The jobs of these pipelines
 * cannot change staging or production.
 */
export const inServiceProject: Files = {
  "config.yml": compose(
    { branch: branchWorkflow, main: { when: pushToMain, stages: checks("-main") } },
    orbs,
  ),
};

/**
 * Pipelines of the deploy project. The jobs of a branch cannot start these pipelines, and cannot
 * write to the caches of the deploy project.
 */
export const inDeployProject: Files = {
  "deploy.yml": compose(
    { main: { when: pushToMain, stages: mainInDeployProject } },
    {},
    { inDeployProject: true },
  ),
  ...withRights({ inDeployProject: true }),
};

/** The files under `.circleci` of this repository. */
export const pipelines: Files = deployProject === undefined ? inOneProject : inServiceProject;
