import { badEndNotices, notice, skippedNotice, type Stage } from "../compose";
import type { Parameter } from "../model";
import { groups } from "../stages";

/** Parameters of the pipeline. The person who starts the pipeline sets the parameters. */
export const canaryParameters: Readonly<Record<string, Parameter>> = {
  action: {
    type: "enum",
    description: "start a canary (asks for an approval), or stop the one that runs",
    enum: ["start", "stop"],
    default: "start",
  },
  branch: { type: "string", description: "branch whose code joins production", default: "" },
  commit: {
    type: "string",
    description: "newest commit of the branch, with 40 digits: what is approved and built",
    default: "",
  },
  duration: {
    type: "enum",
    description: "time after which the sweep removes the canary",
    enum: ["30m", "1h", "2h"],
    default: "2h",
  },
  percent: {
    type: "integer",
    description: "share of production's requests that the canary should receive, in percent",
    default: 10,
  },
};

const ofCanary = {
  CANARY_BRANCH: "<< pipeline.parameters.branch >>",
  CANARY_COMMIT: "<< pipeline.parameters.commit >>",
  CANARY_DURATION: "<< pipeline.parameters.duration >>",
  CANARY_PERCENT: "<< pipeline.parameters.percent >>",
};

const code = '"$CANARY_BRANCH" --commit "$CANARY_COMMIT"';

/**
 * The jobs that start a canary. The first job builds the branch's code, and has no permissions.
 * After the approval, a job with staging's role pushes the image. These jobs never use an image
 * from the branch's own pipeline, because the branch's code could have changed this image.
 */
export const canaryStart: readonly Stage[] = [
  {
    name: "canary-build",
    job: {
      command: `npm run canary -- build ${code}`,
      environment: ofCanary,
      executor: "java",
      gives: "jars",
      trusted: true,
    },
  },
  notice("ask-approval", "approval", "prod-canary", {
    environment: ofCanary,
    requires: ["canary-build"],
  }),
  { name: "approve-canary", requires: ["canary-build"] },
  {
    name: "canary-image",
    job: {
      command: `npm run canary -- image ${code}`,
      docker: true,
      environment: ofCanary,
      gives: "reports",
      keepsReport: true,
      takes: true,
    },
    contexts: ["staging"],
    requires: ["approve-canary"],
  },
  {
    name: "scan-canary-image",
    job: { command: "npm run scan -- image", takes: true },
    contexts: ["preview"],
    requires: ["canary-image"],
  },
  {
    name: "canary-start",
    job: {
      command: `npm run canary -- start ${code} --built reports/image.json --percent "$CANARY_PERCENT" --for "$CANARY_DURATION" --yes`,
      environment: ofCanary,
      keepsReport: true,
      takes: true,
    },
    contexts: ["prod"],
    requires: ["scan-canary-image"],
    serialGroup: groups.canary,
  },
  notice("tell-canary", "deployed", "prod-canary", {
    environment: ofCanary,
    reportOf: "canary-start",
    requires: ["canary-start"],
  }),
  // This job does not read a report, because a failed `canary-build` does not persist a report.
  notice("tell-failed-canary-build", "failed", "prod-canary", {
    environment: ofCanary,
    requires: [{ "canary-build": ["failed", "unauthorized"] }],
  }),
  ...["canary-image", "canary-start"].flatMap((job) => badEndNotices(job, "prod-canary", ofCanary)),
  skippedNotice("canary-start", "prod-canary", {
    approval: "scan-canary-image",
    environment: ofCanary,
  }),
];

export const canaryStop: readonly Stage[] = [
  {
    name: "canary-stop",
    job: { command: "npm run canary -- stop", keepsReport: true },
    contexts: ["canary-removal"],
    serialGroup: groups.canary,
  },
  notice("tell-stopped", "removed", "prod-canary", {
    reportOf: "canary-stop",
    requires: ["canary-stop"],
  }),
  ...badEndNotices("canary-stop", "prod-canary"),
  skippedNotice("canary-stop", "prod-canary"),
];
