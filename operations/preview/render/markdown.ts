import { plain } from "../../pulumi/events";
import type { Summary } from "../impact/summary";
import { cut } from "../changes/values";
import { changeOf, releaseLine, titleOf } from "./text";

/** Longest note or error. */
const lineLimit = 600;

/**
 * Text from outside as code: nothing in it is markup, mentions a person, or ends the table or the
 * comment. A line break becomes a space.
 */
export function code(text: string): string {
  const inside = text.replace(/\s+/g, " ").replaceAll("|", "\\|").replaceAll("<!--", "<! --");
  const ticks = "`".repeat(
    Math.max(0, ...(inside.match(/`+/g) ?? []).map((run) => run.length)) + 1,
  );
  const space = inside.startsWith("`") || inside.endsWith("`") ? " " : "";
  return `${ticks}${space}${inside}${space}${ticks}`;
}

/** A code block, collapsed under a title. */
function details(title: string, text: string): string {
  const inside = text.replaceAll("<!--", "<! --");
  const ticks = "`".repeat(
    Math.max(2, ...(inside.match(/`+/g) ?? []).map((run) => run.length)) + 1,
  );
  return `<details><summary>${title}</summary>\n\n${ticks}diff\n${inside}\n${ticks}\n\n</details>\n`;
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

/** The lines that fit, and the number of those that do not. */
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

/** Pulumi's diff, with its marks at the beginning of the line, as GitHub's highlighting needs. */
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
 * The summary for a pull request, with Pulumi's diff folded away below it. It is never longer than
 * `limit` characters: first the diff is cut, then the last rows of the table; the headline stays.
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
