import { service } from "../config/service";
import { companyScan, insideNetwork } from "../config/circleci";
import {
  badEndNotices,
  deployReport,
  notice,
  planOf,
  previewReport,
  type Stage,
  type Voice,
} from "./compose";
import type { ContextName } from "./contexts";
import type { Requirement } from "./model";

/**
 * The number of the pull request. The name of a serial group may contain only some characters. A
 * branch's name may contain other characters, but a number contains only digits.
 */
const pullRequest = "<< pipeline.event.github.pull_request.number >>";
export const ofBranch = { PULL_REQUEST: pullRequest };
/**
 * Returns the name of a serial group. The service's own project and the deploy project use the same
 * groups, so that a deploy in one project never runs at the same time as a removal in the other
 * project.
 */
const group = (name: string): string => `${service}/${name}`;
/**
 * Serial groups. CircleCI runs only one job of a group at a time, even if the jobs are in different
 * pipelines.
 */
export const groups = {
  canary: group("prod-canary"),
  "notify-jobs-prod": group("notify-jobs-prod"),
  "notify-jobs-staging": group("notify-jobs-staging"),
  prod: group("prod"),
  review: group(`review-${pullRequest}`),
  staging: group("staging"),
  "sweep-canary": group("sweep-canary"),
  "sweep-reviews": group("sweep-reviews"),
};
export const onMain = 'pipeline.git.branch == "main"';

/**
 * Returns the jobs that check the code. On main, the job that tests the service does not use the
 * Maven cache, because the jobs of branches can write to this cache.
 */
export const checks = (suffix: "" | "-main"): readonly Stage[] => [
  // `check` and `test-unit` need pip to download CircleCI's schema. So these jobs do not use the
  // executor `java`, whose image has no pip.
  { name: "check", job: { command: "npm run check", keepsNpmCache: true } },
  { name: "test-unit", job: { command: "npm run test:unit" } },
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

/** Returns the jobs that build, push and scan a stack's image. */
export const imageOf = (stack: "review" | "staging", tests: string): readonly Stage[] => [
  {
    name: `image-${stack}`,
    job: { command: `npm run image -- ${stack}`, docker: true, gives: "reports", takes: true },
    contexts: [stack],
    requires: [tests],
  },
  {
    name: `scan-image-${stack}`,
    job: { command: "npm run scan -- image", takes: true },
    contexts: ["preview"],
    requires: [`image-${stack}`],
  },
];

/**
 * Returns the job that shows people a preview of a deploy, and saves a plan. If a later job deploys
 * with this plan, the later job may change only what the preview shows.
 */
export function previewOf(
  stack: string,
  requires: readonly Requirement[],
  more: {
    readonly onPullRequest?: boolean;
    readonly released?: boolean;
    readonly suffix?: string;
  } = {},
): Stage {
  const { onPullRequest = false, released = false, suffix = "" } = more;
  return {
    name: `preview-${stack}${suffix}`,
    job: {
      command: [
        `npm run preview -- ${stack} --format json --output ${previewReport(stack)}`,
        `--save-plan ${planOf(stack)}`,
        ...(onPullRequest ? ["--comment"] : []),
      ].join(" "),
      ...(onPullRequest ? { environment: ofBranch } : {}),
      gives: "reports",
      released,
      takes: true,
    },
    contexts: [readerOf(stack), ...(onPullRequest ? (["github"] as const) : [])],
    requires,
  };
}

/**
 * Returns the context whose role may read a stack's state. The states of review stacks are in a
 * separate state backend, which the role `preview` cannot read.
 */
const readerOf = (stack: string): ContextName => (stack === "review" ? "review" : "preview");

/**
 * Returns the job that tests what the job `of` has deployed. The test fails if the stack runs a
 * release that the job `of` has not deployed.
 */
const smokeTest = (stack: string, of: string): Stage => ({
  name: `smoke-${stack}`,
  job: {
    command: `npm run smoke -- ${stack} --deployed ${deployReport}`,
    executor: insideNetwork.stacks.some((one) => one === stack) ? "inside-network" : "pulumi",
    keepsReport: true,
    takes: true,
  },
  contexts: [readerOf(stack)],
  requires: [of],
});

/**
 * Returns the jobs that follow each deployment by the job `of`: the smoke test and the messages.
 */
export const afterDeploy = (
  stack: string,
  {
    environment,
    of = `deploy-${stack}`,
    voice,
  }: {
    readonly environment?: Readonly<Record<string, string>>;
    readonly of?: string;
    readonly voice?: Voice;
  } = {},
): readonly Stage[] => [
  smokeTest(stack, of),
  notice(`tell-${stack}`, "deployed", stack, {
    requires: [`smoke-${stack}`],
    reportOf: of,
    voice,
    ...(environment === undefined ? {} : { environment }),
  }),
  ...badEndNotices(of, stack, environment, voice),
  ...badEndNotices(`smoke-${stack}`, stack, environment, voice),
];
