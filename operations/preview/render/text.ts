import { columns } from "../../../lib/table";
import { words } from "../impact/impact";
import type { Group, Row } from "../impact/rows";
import type { Summary } from "../impact/summary";

/** Describes a row in one line: the field or the object, the old value and the new value. */
export function changeOf({ after, before, fields, what }: Row): string {
  const more =
    fields.length > 1 && !what.includes(", ") ? ` (${String(fields.length)} fields)` : "";
  if (before === undefined && after === undefined) return what;
  if (before === undefined) return `${what}: ${String(after)}${more}`;
  return `${what}: ${before} → ${after ?? "(removed)"}${more}`;
}

/**
 * Returns the title of a group, such as `ScheduledJob export, expire-unpaid`. If there are more
 * than four names, the title has the first three names and the number of the other names.
 */
export function titleOf({ names, type }: Group): string {
  const some =
    names.length > 4 ? [...names.slice(0, 3), `${String(names.length - 3)} more`] : names;
  return [type, some.join(", ")].filter((part) => part !== "").join(" ");
}

/** Returns the line about the release's values. Undefined if the release does not change. */
export function releaseLine({ release }: Summary): string | undefined {
  if (release === undefined) return undefined;
  const effects = release.effects
    .filter(({ says }) => says !== words.nothing)
    .map(({ names, says }) => `${says} (${titleOf({ names, rows: [], type: "" })})`);
  const does = effects.length === 0 ? words.nothing : effects.join("; ");
  return `release: ${release.values.join(", ")}: ${does}`;
}

const isQuiet = ({ rows }: Group): boolean => rows.every(({ effect }) => effect === "nothing");

/** Formats the summary for a terminal, with at most one line for each change. */
export function textOf(summary: Summary): string {
  const { errors, groups, headline, notes, stack } = summary;
  const lines = [`Preview of ${stack}: ${headline}`];
  const release = releaseLine(summary);
  // If the changes have no effect on the running service, and there is no release, note or error to
  // show, the summary has only one line.
  if (groups.every(isQuiet) && release === undefined && errors.length + notes.length === 0) {
    const objects = groups.flatMap((group) => group.rows).length;
    return `${lines[0] ?? ""}${objects === 0 ? "" : ` (changes without effect: ${String(objects)})`}\n`;
  }
  const cells = groups.map((group) =>
    group.rows.map((row) => [
      `  ${row.dangerous ? "! " : ""}${row.says}`,
      row.arg ?? "-",
      changeOf(row),
    ]),
  );
  const aligned = columns(cells.flat(), 44);
  let next = 0;
  for (const group of groups) {
    lines.push(titleOf(group), ...aligned.slice(next, next + group.rows.length));
    next += group.rows.length;
  }
  if (release !== undefined) lines.push(release);
  lines.push(...notes.map((note) => `note: ${note}`), ...errors.map((error) => `error: ${error}`));
  return `${lines.join("\n")}\n`;
}
