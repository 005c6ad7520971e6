import { badEndNotices, notice, previewReport, skippedNotice, type Stage } from "../compose";
import type { ContextName } from "../contexts";
import type { Parameter } from "../model";
import { afterDeploy, groups } from "../stages";

/** A command that a person approves, and the stack that the command changes. */
interface Recovery {
  readonly action: "resume" | "rollback" | "run" | "unlock";
  /** Context whose role may change the stack. */
  readonly context: ContextName;
  /** Parameters of the pipeline, as environment variables and as options of the command. */
  readonly given?: { readonly environment: Readonly<Record<string, string>>; readonly as: string };
  /**
   * Serial group of the command's job. The jobs that deploy the stack are in the same group, so a
   * recovery and a deploy never run at the same time.
   */
  readonly serialGroup: string;
  readonly stack: "prod" | "prod-canary" | "staging";
}

const inProd = { context: "prod", serialGroup: groups.prod, stack: "prod" } as const;

/**
 * Every recovery. The key is the value of the pipeline parameter `action` that starts the recovery.
 * This one parameter sets both the action and the stack, so no one can choose a combination that
 * does not exist, such as a rollback of staging.
 */
const recoveries: Readonly<Record<string, Recovery>> = {
  "rollback-prod": {
    ...inProd,
    action: "rollback",
    given: {
      as: ' --reason "$RECOVER_REASON" --to "$RECOVER_TO"',
      environment: {
        RECOVER_REASON: "<< pipeline.parameters.reason >>",
        RECOVER_TO: "<< pipeline.parameters.to >>",
      },
    },
  },
  "resume-prod": { ...inProd, action: "resume" },
  // The command writes its output into the directory `reports`, which the job stores as an
  // artifact.
  "run-prod": {
    ...inProd,
    action: "run",
    given: {
      as: ' --reason "$RECOVER_REASON" --line "$RECOVER_COMMAND" --output reports/output',
      environment: {
        RECOVER_COMMAND: "<< pipeline.parameters.command >>",
        RECOVER_REASON: "<< pipeline.parameters.reason >>",
      },
    },
  },
  "unlock-prod": { ...inProd, action: "unlock" },
  "unlock-prod-canary": {
    ...{ context: "prod", serialGroup: groups.canary, stack: "prod-canary" },
    action: "unlock",
  },
  "unlock-staging": {
    ...{ context: "staging", serialGroup: groups.staging, stack: "staging" },
    action: "unlock",
  },
};

/** Parameters of the pipeline. The person who starts the pipeline sets the parameters. */
export const recoverParameters: Readonly<Record<string, Parameter>> = {
  action: {
    type: "enum",
    description:
      "go back to an older release, end the hold after a rollback, run one command, or remove a lock that is left",
    enum: Object.keys(recoveries),
    default: "rollback-prod",
  },
  command: {
    type: "string",
    description: "for run-prod: a command of the service, such as export --since 1d --format csv",
    default: "",
  },
  reason: {
    type: "string",
    description: "for rollback-prod and run-prod: the reason",
    default: "",
  },
  to: {
    type: "string",
    description:
      "for rollback-prod: commit or digest of the release, or nothing for the release before",
    default: "",
  },
};

/** Jobs of each recovery, by the recovery's name. */
export const recover: Readonly<Record<string, readonly Stage[]>> = Object.fromEntries(
  Object.entries(recoveries).map(([name, recovery]) => [name, stagesOf(name, recovery)]),
);

/**
 * Returns the jobs of a recovery: a preview, an approval, the command and messages. A rollback also
 * has a smoke test. The command changes only what the person approved.
 */
function stagesOf(name: string, recovery: Recovery): readonly Stage[] {
  const { action, context, given, serialGroup, stack } = recovery;
  const environment = { RECOVER_ACTION: action, ...given?.environment };
  const command = `npm run ${action} -- ${stack}${given?.as ?? ""}`;
  const [preview, approval] = [`preview-${name}`, `approve-${name}`];
  const file = previewReport(stack);
  return [
    {
      name: preview,
      job: {
        command: `${command} --preview ${file}`,
        environment,
        gives: "reports",
        keepsReport: true,
      },
      contexts: ["preview"],
    },
    ...badEndNotices(preview, stack, environment),
    notice(`ask-${name}`, "approval", stack, { environment, requires: [preview], takes: true }),
    { name: approval, requires: [preview] },
    {
      name,
      job: {
        command: `${command} --approved ${file} --yes`,
        environment,
        keepsReport: true,
        takes: true,
      },
      contexts: [context],
      requires: [approval],
      serialGroup,
    },
    ...(action === "rollback"
      ? afterDeploy(stack, { environment, of: name })
      : [
          notice(`tell-${name}`, "done", stack, { environment, requires: [name] }),
          ...badEndNotices(name, stack, environment),
        ]),
    skippedNotice(name, stack, { approval, environment }),
  ];
}
