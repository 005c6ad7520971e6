import { timeIn } from "../../jobs/due-times";
import type { JobStatus, Run } from "../../jobs/runs";
import { cut } from "../../preview/changes/values";
import { type Block, type Message, escaped, linksTo, quoted, section } from "../slack-message";
import type { JobNews } from "./news";
import type { Strayed } from "./recipient";

/** Largest number of failed runs that the message shows. The same limit applies to missed runs. */
export const mostRuns = 3;
/**
 * Longest text about one failed run, in characters. Slack's limit for a block is 3,000 characters.
 */
const longestReason = 600;

/** The content of a message about one job. The caller has masked the secrets. */
export interface JobNotice extends Pick<JobNews, "missed"> {
  /** Failed runs, each with the reason why it failed. */
  readonly failed: readonly (Pick<Run, "due" | "name" | "started"> & { readonly why: string })[];
  readonly job: Pick<JobStatus, "name" | "onFailure" | "schedule">;
  readonly stack: string;
  /** Undefined if the message goes to the recipient in the job's arg `onFailure`. */
  readonly strayed?: Strayed | undefined;
}

/** Creates the message about the failed and the missed runs of one job. This function is pure. */
export function jobMessage({ failed, job, missed, stack, strayed }: JobNotice): Message {
  const title = `${stack}: ${titleOf(job.name, failed.length, missed.length)}`;
  const { timeZone } = job.schedule;
  return {
    blocks: [
      section(`:x: *${escaped(title)}*`),
      ...failed
        .slice(0, mostRuns)
        .flatMap(({ due, name, started, why }) => [
          section(
            `Run ${escaped(name)} of ${timeIn(due ?? started, timeZone)}\n${quoted(cut(why, longestReason))}`,
          ),
          section(`Its log: \`npm run jobs -- ${stack} logs ${job.name} --run ${name}\``),
        ]),
      ...more(failed.length),
      ...missed.slice(0, mostRuns).map(({ busy, due }) => {
        const why = busy === undefined ? "" : `, because run ${busy} had not ended`;
        return section(escaped(`No run at ${timeIn(due, timeZone)}${why}`));
      }),
      ...more(missed.length),
      section(`All runs: \`npm run jobs -- ${stack}\``),
      ...(strayed === undefined ? [] : [section(strayedText(strayed))]),
      ...linksTo([[job.onFailure?.runbook, "What to do"]]),
    ],
    text: escaped(title),
  };
}

/**
 * Returns a text in Slack's markup: the recipient of the message, and how to send the next message
 * to this recipient.
 */
function strayedText({ recipient, variable }: Strayed): string {
  const says = `This message is for ${escaped(recipient)}`;
  return variable === undefined
    ? `${says}. The notifier can write only to Slack.`
    : `${says}. To send the next message there, an administrator must add the webhook of this channel to CircleCI as \`${variable}\` (docs/guide/jobs.md).`;
}

function titleOf(name: string, failed: number, missed: number): string {
  const parts = [
    ...(failed === 0 ? [] : [`${String(failed)} failed ${failed === 1 ? "run" : "runs"}`]),
    ...(missed === 0 ? [] : [`${String(missed)} missed ${missed === 1 ? "run" : "runs"}`]),
  ];
  return `job ${name} has ${parts.join(" and ")}`;
}

const more = (count: number): readonly Block[] =>
  count > mostRuns ? [section(`and ${String(count - mostRuns)} more`)] : [];
