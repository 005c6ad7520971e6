import { notice, planOf, type Stage } from "../compose";
import { afterDeploy, checks, groups, imageOf, previewOf } from "../stages";
import { releaseFile } from "../steps";

/** On main: deploy staging. After an approval, deploy its image to production. */
export const main: readonly Stage[] = [
  ...checks("-main"),
  ...imageOf("staging", "test-service-main"),
  {
    name: "deploy-staging",
    job: {
      command: "npm run deploy -- staging --yes",
      keepsReport: true,
      takes: true,
    },
    contexts: ["staging"],
    requires: ["check", "test-unit", "scan", "scan-image-staging"],
    serialGroup: groups.staging,
  },
  ...afterDeploy("staging"),
  {
    name: "promote",
    job: { command: `npm run promote -- --save-release ${releaseFile}`, gives: "reports" },
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
