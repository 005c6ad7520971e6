import { cut } from "../preview/changes/values";
import type { News } from "./drift-news";
import { type Block, type Message, escaped, linksTo, quoted, section } from "./slack-message";

/** Largest number of lines in the message for one list of differences. */
const mostLines = 10;
/** Longest line of a list, in characters. */
const longestLine = 200;
/** Longest text of a block of the message, in characters. Slack's limit is 3,000. */
const blockLimit = 2_800;

/** URLs of the CI workflow and the CI job. */
export interface Where {
  readonly job?: string | undefined;
  readonly workflow?: string | undefined;
}

/**
 * Creates the message about new differences in the cluster, and about differences that no longer
 * exist. This function is pure. The caller must mask secrets before the call.
 */
export function driftMessage(
  stack: string,
  { appeared, gone }: Pick<News, "appeared" | "gone">,
  { job, workflow }: Where,
): Message {
  const [icon, title] =
    appeared.length > 0
      ? [":mag:", `${stack} was changed in the cluster`]
      : [":white_check_mark:", `${stack}: changes in the cluster are gone`];
  return {
    blocks: [
      section(`${icon} *${escaped(title)}*`),
      ...listed("Since its last update", appeared),
      ...listed("No longer different from the last update", gone),
      section(`All differences, and how to take them back: \`npm run drift -- ${escaped(stack)}\``),
      ...linksTo([
        [workflow, "Workflow"],
        [job, "Job"],
      ]),
    ],
    text: escaped(title),
  };
}

/**
 * Returns a block with the first lines of a list: as many lines as fit into one block, but at most
 * {@link mostLines} lines. The function measures the escaped text, which may be longer than the
 * lines.
 */
function listed(title: string, lines: readonly string[]): readonly Block[] {
  if (lines.length === 0) return [];
  const first = (count: number): string => {
    const shown = lines.slice(0, count).map((line) => cut(line, longestLine));
    const more = lines.length - shown.length;
    return `*${title}*\n${quoted(shown.join("\n"))}${more > 0 ? `\nand ${String(more)} more` : ""}`;
  };
  let count = Math.min(mostLines, lines.length);
  while (first(count).length > blockLimit && count > 1) count -= 1;
  return [section(first(count))];
}
