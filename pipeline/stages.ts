import { companyScan, insideNetwork } from "../config/circleci";
import { badEndNotices, notice, planOf, previewReport, type Stage } from "./compose";
import type { ContextPurpose } from "./contexts";
import type { Requirement } from "./model";

/** Whatever a branch is called, this is a number, and so legal in a serial group. */
const pullRequest = "<< pipeline.event.github.pull_request.number >>";
export const ofBranch = { PULL_REQUEST: pullRequest };
const group = (name: string): string => `<< pipeline.project.slug >>/${name}`;
/** Jobs of one group run one after another, in all pipelines. */
export const groups = {
  canary: group("prod-canary"),
  prod: group("prod"),
  review: group(`review-${pullRequest}`),
  staging: group("staging"),
  "sweep-canary": group("sweep-canary"),
  "sweep-reviews": group("sweep-reviews"),
};
export const onMain = 'pipeline.git.branch == "main"';

/** Is it good? On main the same jobs, without the cache that branches fill. */
export const checks = (suffix: "" | "-main"): readonly Stage[] => [
  // Both fetch CircleCI's schema by pip, which the image with Java has not.
  { name: "check", job: { command: "npm run check", executor: "pulumi", keepsNpmCache: true } },
  { name: "test-unit", job: { command: "npm run test:unit", executor: "pulumi" } },
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

/** What a deployment would change, as people read it, and as `deploy` is held to it. */
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
      aws: true,
      command: [
        `npm run preview -- ${stack} --format json --output ${previewReport(stack)}`,
        `--save-plan ${planOf(stack)}`,
        ...(onPullRequest ? ["--comment"] : []),
      ].join(" "),
      ...(onPullRequest ? { environment: ofBranch } : {}),
      executor: "pulumi",
      gives: "reports",
      released,
      takes: true,
    },
    contexts: [readerOf(stack), ...(onPullRequest ? (["github"] as const) : [])],
    requires,
  };
}

/** Who may read a stack's state: that of review stacks is apart, and open to every branch. */
const readerOf = (stack: string): ContextPurpose => (stack === "review" ? "review" : "preview");

const smokeTest = (stack: string): Stage => ({
  name: `smoke-${stack}`,
  job: {
    aws: true,
    command: `npm run smoke -- ${stack}`,
    executor: insideNetwork.stacks.some((one) => one === stack) ? "inside-network" : "pulumi",
    reportsAs: `smoke-${stack}`,
  },
  contexts: [readerOf(stack)],
  requires: [`deploy-${stack}`],
});

/** What follows each deployment: is it there, and who has to know. */
export const afterDeploy = (
  stack: string,
  environment?: Readonly<Record<string, string>>,
): readonly Stage[] => [
  smokeTest(stack),
  notice(`tell-${stack}`, "deployed", stack, {
    requires: [`smoke-${stack}`],
    reportOf: `deploy-${stack}`,
    ...(environment === undefined ? {} : { environment }),
  }),
  ...badEndNotices(`deploy-${stack}`, stack, environment),
  ...badEndNotices(`smoke-${stack}`, stack, environment),
];
