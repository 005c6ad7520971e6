import { randomBytes } from "node:crypto";
import { commandPod } from "../../components/conventions/one-off/command-pod";
import { copyLabels } from "../../components/conventions/one-off/copies";
import { scheduledJob } from "../../components/conventions/defaults";

/** The PodTemplate for commands, with only the fields that `npm run run` reads. */
export interface PodTemplate {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly name: string;
  };
  readonly template: {
    readonly metadata: {
      readonly annotations?: Readonly<Record<string, string>>;
      readonly labels?: Readonly<Record<string, string>>;
    };
    readonly spec: {
      readonly containers: readonly { readonly image: string; readonly name: string }[];
    };
  };
}

/** The command that a person wants to run. */
export interface Request {
  readonly args: readonly string[];
  readonly deadlineSeconds: number;
  readonly reason: string | undefined;
  /** The person or the CircleCI job that runs the command. */
  readonly who: string;
}

/**
 * Annotations of a Job: the command, the reason, and the person or the CI job that started the
 * command.
 */
export const annotationsOf = {
  command: "run/command",
  reason: "run/reason",
  who: "run/by",
} as const;

/**
 * Returns a unique name for a Job, such as `run-export-t3f1k2-9a1c`.
 *
 * @param prefix the command that creates the Job, such as `run`
 * @param text a text such as `export`. The letters and digits of the text become a part of the name
 */
export function nameOf(prefix: string, text: string, now = Date.now()): string {
  const word = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 30);
  const time = Math.floor(now / 1000).toString(36);
  const parts = [prefix, word.replaceAll(/^-+|-+$/g, ""), time, randomBytes(2).toString("hex")];
  return parts.filter((part) => part !== "").join("-");
}

/** Returns the arguments in one line, in the form in which a person types them in a shell. */
export const lineOf = (args: readonly string[]): string =>
  args.map((arg) => (/^[\w./:=@,+-]+$/.test(arg) ? arg : JSON.stringify(arg))).join(" ");

/**
 * Returns the Job of one command. The pod of the Job comes from the PodTemplate, and has the
 * arguments of the command. The annotations of the Job and the pod contain the person, the reason
 * and the command.
 */
export function jobOf(
  name: string,
  { metadata: { labels, name: templateName }, template }: PodTemplate,
  { args, deadlineSeconds, reason, who }: Request,
): object {
  const annotations = {
    [annotationsOf.command]: lineOf(args),
    ...(reason === undefined ? {} : { [annotationsOf.reason]: reason }),
    [annotationsOf.who]: who,
  };
  const containers = template.spec.containers.map((container) =>
    container.name === commandPod.command ? { ...container, args } : container,
  );
  const { annotations: ofPod, labels: podLabels } = template.metadata;
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { annotations, labels: { ...labels, [copyLabels.command]: templateName }, name },
    spec: {
      activeDeadlineSeconds: deadlineSeconds,
      // The command may have changed data, so only a person can decide whether to run it again.
      backoffLimit: 0,
      template: {
        metadata: { annotations: { ...ofPod, ...annotations }, labels: podLabels },
        spec: { ...template.spec, containers },
      },
      ttlSecondsAfterFinished: scheduledJob.ttlSecondsAfterFinished,
    },
  };
}
