import type { Actor, CircleciProject } from "../../../pipeline/run/actors";
import { deployProjectId, projectId, user } from "../../support/platform";

/**
 * A developer who may push branches, open a pull request and use CircleCI. The developer has no
 * permission to merge or approve.
 */
export const developer: Actor = { id: user };

/** The person who merged last: the actor of main's newest pipeline. */
export const merger: Actor = { id: "00000000-0000-4000-8000-00000000000c" };

/** The project that runs the pipelines of branches. */
export const serviceProject: CircleciProject = { id: projectId, is: "service" };

/**
 * The deploy project. The configuration of this project is in another repository, to which
 * developers cannot push.
 */
export const deployProject: CircleciProject = { id: deployProjectId, is: "deploy" };
