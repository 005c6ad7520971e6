import { deployReport, notice, planOf, type Stage } from "../compose";
import { afterDeploy, checks, groups, imageOf, previewOf } from "../stages";
import { releaseFile } from "../steps";

/**
 * Returns the jobs that deploy staging and, after an approval, deploy staging's image to
 * production.
 *
 * @param before jobs that must succeed before the job that deploys staging starts
 * @param jars job that builds the jars
 */
const release = (before: readonly string[], jars: string): readonly Stage[] => [
  ...imageOf("staging", jars),
  {
    name: "deploy-staging",
    job: {
      command: "npm run deploy -- staging --yes",
      keepsReport: true,
      takes: true,
    },
    contexts: ["staging"],
    requires: [...before, "scan-image-staging"],
    serialGroup: groups.staging,
  },
  ...afterDeploy("staging"),
  {
    name: "promote",
    job: {
      command: `npm run promote -- --deployed ${deployReport} --save-release ${releaseFile}`,
      gives: "reports",
      takes: true,
    },
    contexts: ["staging"],
    requires: ["smoke-staging"],
  },
  previewOf("prod", ["promote"], { released: true, suffix: "-promoted" }),
  notice("ask-approval", "approval", "prod", { requires: ["preview-prod-promoted"], takes: true }),
  { name: "approve-prod", requires: ["preview-prod-promoted"] },
  {
    name: "deploy-prod",
    job: {
      command: `npm run deploy -- prod --yes --approved ${planOf("prod")}`,
      released: true,
      keepsReport: true,
      takes: true,
    },
    contexts: ["prod"],
    requires: ["approve-prod"],
    serialGroup: groups.prod,
  },
  ...afterDeploy("prod"),
];

export const main: readonly Stage[] = [
  ...checks("-main"),
  ...release(["check", "test-unit", "scan"], "test-service-main"),
];

/**
 * The jobs of `main` in the deploy project. The deploy project runs no tests: tests run the code
 * of development dependencies, and AWS cannot distinguish one job of this project from another.
 * GitHub's branch rules require that a change passes the tests before a person can merge the change
 * into main.
 */
export const mainInDeployProject: readonly Stage[] = [
  { name: "build", job: { command: "npm run build", executor: "java", gives: "jars" } },
  ...release([], "build"),
];
