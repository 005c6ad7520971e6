import { stripVTControlCharacters } from "node:util";

/** The result of a command. {@link junitOf} formats the result as a test result for CircleCI. */
export interface CommandResult {
  /** Command line of the command, such as `npm run deploy -- staging`. */
  readonly command: string;
  /**
   * Why the command failed, in the order in which the command found the causes. Empty after a
   * success.
   */
  readonly causes: readonly string[];
  /** Texts that explain the causes, such as the last lines of a log. */
  readonly details: readonly string[];
  readonly seconds: number;
}

/** Returns a JUnit report in XML with the command as the only test. */
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

/** Escapes a text for XML, and removes the control characters that XML does not allow. */
function escaped(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
