import { badEndNotices, notice, skippedNotice, type Stage } from "../compose";
import type { Parameter } from "../model";
import { groups } from "../stages";

/** Parameters that the person who starts the pipeline sets. */
export const canaryParameters: Readonly<Record<string, Parameter>> = {
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

export const canaryStart: readonly Stage[] = [
  notice("ask-approval", "approval", "prod-canary", { environment: ofCanary }),
  { name: "approve-canary" },
  {
    name: "canary-start",
    job: {
      command:
        'npm run canary -- start "$CANARY_BRANCH" --percent "$CANARY_PERCENT" --for "$CANARY_DURATION" --yes',
      environment: ofCanary,
      keepsReport: true,
    },
    contexts: ["prod"],
    requires: ["approve-canary"],
    serialGroup: groups.canary,
  },
  notice("tell-canary", "deployed", "prod-canary", {
    environment: ofCanary,
    reportOf: "canary-start",
    requires: ["canary-start"],
  }),
  ...badEndNotices("canary-start", "prod-canary", ofCanary),
  skippedNotice("canary-start", "prod-canary", { environment: ofCanary }),
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
