import { projectId, user } from "../../support/platform";
import type { Actor, Project } from "./circleci-stand-in";

/** May push any branch, open a pull request and use CircleCI; may neither merge nor approve. */
export const developer: Actor = { id: user };

/** The actor of the last pipeline of main: the person that merged. */
export const merger: Actor = { id: "00000000-0000-4000-8000-00000000000c" };

/** The project that runs the pipelines of branches. */
export const serviceProject: Project = { id: projectId, is: "service" };
