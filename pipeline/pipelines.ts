import { compose, failureNotice, notice, type Stage } from "./compose";
import type { Config, Parameter } from "./model";
import { companyScan } from "./slots";

/** Whatever a branch is called, this is a number, and so legal in a serial group. */
const pullRequest = "<< pipeline.event.github.pull_request.number >>";
const ofBranch = { PULL_REQUEST: pullRequest };
const group = (name: string): string => `<< pipeline.project.slug >>/${name}`;
const groups = {
  canary: group("prod-canary"),
  prod: group("prod"),
  review: group(`review-${pullRequest}`),
  staging: group("staging"),
  sweep: group("sweep"),
};
const onMain = 'pipeline.git.branch == "main"';
const removal = ["services-orders-removal"] as const;

const checks = (suffix: "" | "-main"): readonly Stage[] => [
  { name: "check", job: { command: "npm run check", executor: "java", keepsNpmCache: true } },
  { name: "test-unit", job: { command: "npm run test:unit", executor: "java" } },
  {
    name: `test-service${suffix}`,
    job: {
      command: "npm run test:service",
      executor: "java",
      gives: "jars",
      mavenCache: suffix === "",
      testResults: "service/target/surefire-reports",
    },
  },
  { name: "scan", job: { command: "npm run scan", executor: "java", more: companyScan.steps } },
];

const previewOf = (stack: string, requires: readonly string[], suffix = ""): Stage => ({
  name: `preview-${stack}${suffix}`,
  job: {
    aws: true,
    command: `npm run preview -- ${stack}`,
    executor: "pulumi",
    gives: "reports",
    takes: true,
  },
  contexts: ["services-orders-preview"],
  requires,
});

const smokeTest = (stack: string): Stage => ({
  name: `smoke-${stack}`,
  job: {
    aws: true,
    command: `npm run smoke -- ${stack}`,
    executor: "pulumi",
    reportsAs: `smoke-${stack}`,
  },
  contexts: ["services-orders-preview"],
  requires: [`deploy-${stack}`],
});

/** What follows each deployment: is it there, and who has to know. */
const afterDeploy = (
  stack: string,
  environment?: Readonly<Record<string, string>>,
): readonly Stage[] => [
  smokeTest(stack),
  notice(`tell-${stack}`, `deployed ${stack}`, {
    requires: [`smoke-${stack}`],
    reportOf: `deploy-${stack}`,
    ...(environment === undefined ? {} : { environment }),
  }),
  failureNotice(`deploy-${stack}`, stack, environment),
  failureNotice(`smoke-${stack}`, stack, environment),
];

const previews = ["preview-review", "preview-staging", "preview-prod"];

const branch: readonly Stage[] = [
  ...checks(""),
  {
    name: "image-review",
    job: {
      aws: true,
      command: "npm run image -- review",
      docker: true,
      executor: "pulumi",
      gives: "reports",
      takes: true,
    },
    contexts: ["services-orders-review"],
    requires: ["test-service"],
  },
  {
    name: "scan-image-review",
    job: { aws: true, command: "npm run scan -- image", executor: "pulumi", takes: true },
    contexts: ["services-orders-preview"],
    requires: ["image-review"],
  },
  previewOf("review", ["image-review"]),
  previewOf("staging", ["image-review"]),
  previewOf("prod", ["image-review"]),
  {
    name: "comment",
    job: { command: "npm run comment", environment: ofBranch, executor: "pulumi", takes: true },
    contexts: ["services-orders-github"],
    requires: previews,
  },
  {
    name: "approve-review",
    requires: ["check", "test-unit", "scan", "scan-image-review", ...previews],
  },
  {
    name: "deploy-review",
    job: {
      aws: true,
      command: 'npm run review -- up "$CIRCLE_BRANCH"',
      environment: ofBranch,
      executor: "pulumi",
      reportsAs: "deploy-review",
      takes: true,
    },
    contexts: ["services-orders-review", "services-orders-github"],
    requires: ["approve-review"],
    serialGroup: groups.review,
  },
  ...afterDeploy("review", ofBranch),
];

const main: readonly Stage[] = [
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
    contexts: ["services-orders-staging"],
    requires: ["test-service-main"],
  },
  {
    name: "scan-image-staging",
    job: { aws: true, command: "npm run scan -- image", executor: "pulumi", takes: true },
    contexts: ["services-orders-preview"],
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
    contexts: ["services-orders-staging"],
    requires: ["check", "test-unit", "scan", "scan-image-staging"],
    serialGroup: groups.staging,
  },
  ...afterDeploy("staging"),
  {
    name: "promote",
    job: { aws: true, command: "npm run promote", executor: "pulumi", gives: "reports" },
    contexts: ["services-orders-staging"],
    requires: ["smoke-staging"],
  },
  previewOf("prod", ["promote"], "-promoted"),
  notice("ask-approval", "approval prod", { requires: ["preview-prod-promoted"], takes: true }),
  { name: "approve-prod", requires: ["preview-prod-promoted"] },
  {
    name: "deploy-prod",
    job: {
      aws: true,
      command: "npm run deploy -- prod --yes",
      executor: "pulumi",
      reportsAs: "deploy-prod",
      takes: true,
    },
    contexts: ["services-orders-prod"],
    requires: ["approve-prod"],
    serialGroup: groups.prod,
  },
  ...afterDeploy("prod"),
];

const closedBranch = {
  ...ofBranch,
  REVIEW_BRANCH: "<< pipeline.event.github.pull_request.head.ref >>",
};

const canaryParameters: Readonly<Record<string, Parameter>> = {
  action: {
    type: "enum",
    description: "start a canary (asks for an approval), or stop the one that runs",
    enum: ["start", "stop"],
    default: "start",
  },
  branch: { type: "string", description: "branch whose image joins production", default: "" },
  duration: {
    type: "enum",
    description: "after which time the sweep removes it",
    enum: ["30m", "1h", "2h"],
    default: "2h",
  },
  percent: {
    type: "integer",
    description: "share of production's requests that is asked for",
    default: 10,
  },
};

const ofCanary = {
  CANARY_BRANCH: "<< pipeline.parameters.branch >>",
  CANARY_DURATION: "<< pipeline.parameters.duration >>",
  CANARY_PERCENT: "<< pipeline.parameters.percent >>",
};

const canaryStart: readonly Stage[] = [
  notice("ask-approval", "approval prod-canary", { environment: ofCanary }),
  { name: "approve-canary" },
  {
    name: "canary-start",
    job: {
      aws: true,
      command:
        'npm run canary -- start "$CANARY_BRANCH" --percent "$CANARY_PERCENT" --for "$CANARY_DURATION"',
      environment: ofCanary,
      executor: "pulumi",
      reportsAs: "canary-start",
    },
    contexts: ["services-orders-prod"],
    requires: ["approve-canary"],
    serialGroup: groups.canary,
  },
  notice("tell-canary", "deployed prod-canary", {
    environment: ofCanary,
    reportOf: "canary-start",
    requires: ["canary-start"],
  }),
  failureNotice("canary-start", "prod-canary", ofCanary),
];

const canaryStop: readonly Stage[] = [
  {
    name: "canary-stop",
    job: {
      aws: true,
      command: "npm run canary -- stop",
      executor: "pulumi",
      reportsAs: "canary-stop",
    },
    contexts: removal,
    serialGroup: groups.canary,
  },
  notice("tell-stopped", "removed prod-canary", {
    reportOf: "canary-stop",
    requires: ["canary-stop"],
  }),
  failureNotice("canary-stop", "prod-canary"),
];

const teardown: readonly Stage[] = [
  {
    name: "teardown",
    job: {
      aws: true,
      command: 'npm run review -- down "$REVIEW_BRANCH"',
      environment: closedBranch,
      executor: "pulumi",
      reportsAs: "teardown",
    },
    contexts: removal,
    serialGroup: groups.review,
  },
  failureNotice("teardown", "review", closedBranch),
];

const sweep: readonly Stage[] = [
  {
    name: "sweep",
    job: {
      aws: true,
      command: "npm run sweep -- --apply",
      executor: "pulumi",
      reportsAs: "sweep",
    },
    contexts: removal,
    serialGroup: groups.sweep,
  },
  failureNotice("sweep", "review"),
];

const pullRequestEvent = 'pipeline.event.name == "pull_request"';

/** The files under `.circleci`: each is a pipeline of its own in CircleCI, with a trigger of its own. */
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
};
