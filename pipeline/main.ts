import { notice, planOf, type Stage } from "./compose";
import { afterDeploy, checks, groups, previewOf } from "./stages";
import { releaseFile } from "./steps";

/** On main: deploy staging, then after an approval production, with the image that staging runs. */
export const main: readonly Stage[] = [
  ...checks("-main"),
  {
    name: "image-staging",
    job: {
      aws: true,
      command: "npm run image -- staging",
      docker: true,
      executor: "pulumi",
      gives: "reports",
      takes: true,
    },
    contexts: ["staging"],
    requires: ["test-service-main"],
  },
  {
    name: "scan-image-staging",
    job: { aws: true, command: "npm run scan -- image", executor: "pulumi", takes: true },
    contexts: ["preview"],
    requires: ["image-staging"],
  },
  {
    name: "deploy-staging",
    job: {
      aws: true,
      command: "npm run deploy -- staging --yes",
      executor: "pulumi",
      reportsAs: "deploy-staging",
      takes: true,
    },
    contexts: ["staging"],
    requires: ["check", "test-unit", "scan", "scan-image-staging"],
    serialGroup: groups.staging,
  },
  ...afterDeploy("staging"),
  {
    name: "promote",
    job: {
      aws: true,
      command: `npm run promote -- --save-release ${releaseFile}`,
      executor: "pulumi",
      gives: "reports",
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
      aws: true,
      command: `npm run deploy -- prod --yes --approved ${planOf("prod")}`,
      executor: "pulumi",
      released: true,
      reportsAs: "deploy-prod",
      takes: true,
    },
    contexts: ["prod"],
    requires: ["approve-prod"],
    serialGroup: groups.prod,
  },
  ...afterDeploy("prod"),
];
