import { stripVTControlCharacters } from "node:util";

/** How a command ended, as a test that a CI service shows. */
export interface CommandResult {
  /** As a person types it. */
  readonly command: string;
  /** Why it failed, in the order found. Empty if it did not fail. */
  readonly causes: readonly string[];
  /** What explains the causes, such as the last lines of a log. */
  readonly details: readonly string[];
  readonly seconds: number;
}

/** A JUnit report with one test: the command. */
export function junitOf({ causes, command, details, seconds }: CommandResult): string {
  const [first = ""] = causes;
  const message = attribute(first.split("\n")[0] ?? "");
  const failure =
    causes.length === 0
      ? []
      : [
          `      <failure message="${message}">${escaped([...causes, ...details].join("\n\n"))}</failure>`,
        ];
  const totals = `tests="1" failures="${String(failure.length)}" time="${seconds.toFixed(1)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${totals}>`,
    `  <testsuite name="commands" ${totals}>`,
    `    <testcase classname="commands" name="${attribute(command)}" time="${seconds.toFixed(1)}">`,
    ...failure,
    "    </testcase>",
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function attribute(text: string): string {
  return escaped(text).replaceAll('"', "&quot;");
}

/** Text of an XML document, which cannot contain a terminal's control characters at all. */
function escaped(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
