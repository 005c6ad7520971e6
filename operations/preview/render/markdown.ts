import { plain } from "../../pulumi/events";
import type { Summary } from "../impact/summary";
import { cut } from "../changes/values";
import { changeOf, releaseLine, titleOf } from "./text";

/** Longest note or error in a comment, in characters. */
const lineLimit = 600;

/**
 * Formats untrusted text as Markdown code. Inside code, markup has no effect, and the text cannot
 * mention a person or end the table or the comment. A line break becomes a space.
 */
export function code(text: string): string {
  const inside = text.replace(/\s+/g, " ").replaceAll("|", "\\|").replaceAll("<!--", "<! --");
  const ticks = "`".repeat(
    Math.max(0, ...(inside.match(/`+/g) ?? []).map((run) => run.length)) + 1,
  );
  const space = inside.startsWith("`") || inside.endsWith("`") ? " " : "";
  return `${ticks}${space}${inside}${space}${ticks}`;
}

/** Returns a code block with untrusted text. The text cannot end the block or the comment. */
export function fenced(text: string, language = "text"): string {
  const inside = text.replaceAll("<!--", "<! --");
  const ticks = "`".repeat(
    Math.max(2, ...(inside.match(/`+/g) ?? []).map((run) => run.length)) + 1,
  );
  return `${ticks}${language}\n${inside}\n${ticks}`;
}

/** Returns a code block that the reader can expand with a click on the block's title. */
function details(title: string, text: string): string {
  return `<details><summary>${title}</summary>\n\n${fenced(text, "diff")}\n\n</details>\n`;
}

function rows(summary: Summary): readonly string[] {
  return summary.groups.flatMap((group) =>
    group.rows.map((row, index) => {
      const says = row.dangerous ? `**:warning: ${row.says}**` : row.says;
      const arg = row.arg === undefined ? "" : code(row.arg);
      const title = index === 0 ? code(titleOf(group)) : "";
      return `| ${title} | ${says} | ${arg} | ${code(changeOf(row))} |`;
    }),
  );
}

/**
 * Returns the lines that fit into `room` characters. If some lines do not fit, adds a line with the
 * number of these lines.
 */
function fitting(lines: readonly string[], room: number): readonly string[] {
  const fit: string[] = [];
  let used = 0;
  for (const line of lines) {
    used += line.length + 1;
    if (used > room) {
      const left = lines.length - fit.length;
      return [...fit, `| | … and ${String(left)} more, in the job's output | | |`];
    }
    fit.push(line);
  }
  return fit;
}

/**
 * Copies each mark `+` or `-` of Pulumi's diff to the start of the mark's line. For the mark `~`,
 * the function writes `!` at the start of the line. GitHub then highlights these lines.
 */
function diffText(printed: string): string {
  return plain(printed)
    .replace(
      /^(\s+)([+~-])(\S*)/gm,
      (_, space: string, mark: string, rest: string) =>
        `${mark === "~" ? "!" : mark}${space}${mark}${rest}`,
    )
    .trim();
}

/**
 * Returns the summary for a pull request, with Pulumi's diff in a collapsed section below the
 * summary. The result has at most `limit` characters. If the text is too long, the function first
 * shortens the diff, and then removes the last rows of the table. The function never shortens the
 * headline.
 */
export function markdownOf(
  summary: Summary,
  {
    limit,
    printed,
    where,
  }: { readonly limit: number; readonly printed: string; readonly where?: string },
): string {
  const { errors, headline, notes, stack } = summary;
  const release = releaseLine(summary);
  const mark = { changes: "", danger: ":warning: ", error: ":x: ", nothing: "" }[summary.verdict];
  const title = `### ${mark}Preview of ${code(stack)}${where === undefined ? "" : ` at ${code(where)}`}`;
  const before = [title, "", `**${headline.replaceAll("<", "&lt;")}**`, ""];
  const after = [
    ...(release === undefined ? [] : [code(release), ""]),
    ...notes.map((note) => `- ${code(cut(note, lineLimit))}`),
    ...errors.slice(0, 10).map((error) => `- :x: ${code(cut(error, lineLimit))}`),
    "",
  ];
  const head = ["| component | what happens | arg | change |", "| --- | --- | --- | --- |"];
  const fixed = [...before, ...head, ...after].join("\n").length + 200;
  const all = rows(summary);
  const table = all.length === 0 ? [] : [...head, ...fitting(all, limit - fixed), ""];
  const text = [...before, ...table, ...after].join("\n");
  const room = limit - text.length - 300;
  const diff = diffText(printed);
  if (diff === "" || room < 500) return text.slice(0, limit);
  const short =
    diff.length <= room
      ? diff
      : `${diff.slice(0, room)}\n… cut here: the job's output has the rest`;
  return `${text}\n${details("Pulumi's diff", short)}`;
}
