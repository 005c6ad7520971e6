import { branch } from "./workflows/branch";
import { canaryParameters, canaryStart, canaryStop } from "./workflows/canary";
import { compose } from "./compose";
import { drift } from "./workflows/drift";
import { main } from "./workflows/main";
import type { Config } from "./model";
import { sweep, teardown } from "./workflows/removal";
import { recover, recoverParameters } from "./workflows/recover";
import { companyScan } from "../config/circleci";
import { onMain } from "./stages";

const pullRequestEvent = 'pipeline.event.name == "pull_request"';

/** The files under `.circleci`: each is a separate pipeline in CircleCI, with its own trigger. */
export const pipelines: Readonly<Record<string, Config>> = {
  "config.yml": compose(
    {
      branch: {
        when: `${pullRequestEvent} and pipeline.event.action != "closed" and pipeline.git.branch != "main"`,
        stages: branch,
      },
      main: { when: `pipeline.event.name == "push" and ${onMain}`, stages: main },
    },
    Object.keys(companyScan.orbs).length === 0 ? {} : { orbs: companyScan.orbs },
  ),
  "teardown.yml": compose({
    teardown: {
      when: `${pullRequestEvent} and pipeline.event.action == "closed" and ${onMain}`,
      stages: teardown,
    },
  }),
  "sweep.yml": compose({ sweep: { when: onMain, stages: sweep } }),
  "drift.yml": compose({ drift: { when: onMain, stages: drift } }),
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
  ),
  "recover.yml": compose(
    Object.fromEntries(
      Object.entries(recover).map(([name, stages]) => [
        name,
        { stages, when: `${onMain} and pipeline.parameters.action == "${name}"` },
      ]),
    ),
    { parameters: recoverParameters },
  ),
};
