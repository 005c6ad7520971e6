import type { Json } from "../../operations/pulumi/events";
import { cut } from "../../operations/preview/changes/values";
import { columns } from "../../lib/table";
import type { Answer, Value } from "./answer";
import { written } from "./arg-answers";
import type { Consequence } from "./impacts";

/**
 * If a part of an answer is long, the command prints this number of lines, and then the line
 * `and N more`. The output of `--json` contains everything.
 */
const most = 8;
/** Maximum length of a value in a line, in characters. */
const longest = 60;
/** Width of the text of a description, in characters. */
const width = 96;

/** Breaks a text into lines. A word that is longer than a line gets a separate line. */
function wrapped(text: string): readonly string[] {
  return text.split("\n").flatMap((paragraph) => {
    const lines: string[] = [];
    for (const word of paragraph.split(" ")) {
      const last = lines.at(-1);
      if (last !== undefined && `${last} ${word}`.length <= width)
        lines.push(`${lines.pop() ?? ""} ${word}`);
      else lines.push(word);
    }
    return lines;
  });
}

const shown = (value: Json): string =>
  cut(typeof value === "string" ? value : JSON.stringify(value), longest);

/**
 * Returns the lines. If there are too many lines, returns only the first lines, and a line with the
 * number of the other lines.
 */
function first(lines: readonly string[]): readonly string[] {
  if (lines.length <= most + 1) return lines;
  return [...lines.slice(0, most), `and ${String(lines.length - most)} more (--json shows all)`];
}

function valueLines(values: readonly Value[]): readonly string[] {
  return columns(
    values.map(({ of, path = "", set = "", stacks, value }) => [
      stacks.join(", "),
      ...(values.some((one) => one.of !== undefined) ? [of ?? ""] : []),
      ...(values.some((one) => one.path !== undefined) ? [path] : []),
      shown(value),
      set,
    ]),
    longest,
  );
}

/** Returns one line for each combination of a kind of object and an impact. */
function consequenceLines(all: readonly Consequence[]): readonly string[] {
  const rows = new Map<string, { readonly kind: string; readonly paths: string[]; says: string }>();
  for (const { dangerous, kind, path, says } of all) {
    const key = `${kind} ${says}`;
    const row = rows.get(key) ?? {
      kind,
      paths: [],
      says: `${says}${dangerous ? " (dangerous)" : ""}`,
    };
    row.paths.push(path);
    rows.set(key, row);
  }
  return columns(
    [...rows.values()].map(({ kind, paths, says }) => {
      const [path = "", ...others] = paths;
      const more = others.length === 0 ? "" : `, and ${String(others.length)} more`;
      return [path === "" ? `${kind}${more}` : `${kind} ${path}${more}`, says];
    }),
    80,
  );
}

/** Returns the lines of one part of an answer. The first line begins with the name of the part. */
function part(name: string, lines: readonly string[]): readonly string[] {
  const margin = 11;
  return first(lines).map((line, at) => `  ${(at === 0 ? name : "").padEnd(margin)}${line}`);
}

const one = (text: string | undefined): readonly string[] => (text === undefined ? [] : [text]);

/** Joins components that have an arg with the same name: `replicas of Canary, WebService`. */
function argLines(args: readonly string[]): readonly string[] {
  const components = new Map<string, string[]>();
  for (const arg of args) {
    const [component = "", ...name] = arg.split(".");
    const key = name.join(".");
    components.set(key, [...(components.get(key) ?? []), component]);
  }
  return [...components].map(([arg, of]) => `${arg} of ${of.join(", ")}`);
}

function becomesLines({ becomes, what }: Answer): readonly string[] {
  if (what === "setting") return argLines(becomes);
  if (what === "component" || what === "kind of object") {
    return wrapped(becomes.map((name) => name.replace(/^\w+[. ]/, "")).join(", "));
  }
  return becomes;
}

/** Returns the lines that the command prints about one answer. */
export function linesOf(answer: Answer): readonly string[] {
  const { consequences, place, setBy, text, values, what, word, written: places } = answer;
  const isArg = /arg of/.test(what);
  const asDefault = answer.default?.replace(/^- /, "");
  return [
    `${word}: ${what}${place === undefined ? "" : ` (${written(place)})`}`,
    ...wrapped(text).map((line) => `  ${line}`),
    ...part("type", one(answer.type)),
    ...part("allowed", one(answer.allowed)),
    ...part("default", one(asDefault)),
    ...part("example", one(answer.example)),
    ...part("see", one(answer.see)),
    ...part("set by", argLines(setBy)),
    ...part(
      isArg ? "set in" : "written in",
      columns(places.map((at) => [written(at), shown(at.text)])),
    ),
    ...(isArg && places.length === 0 && values.length === 0
      ? part("set in", ["no place in the program, so the default applies"])
      : []),
    ...part("in stacks", valueLines(values)),
    ...part(
      what === "component" ? "args" : isArg || what === "setting" ? "becomes" : "fields",
      becomesLines(answer),
    ),
    ...part("a change", consequenceLines(consequences)),
    ...(isArg && answer.becomes.length === 0
      ? part("a change", ["changes no field of an object"])
      : []),
  ];
}
