import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { TextlintKernel, type TextlintRuleModule } from "@textlint/kernel";
import markdown from "@textlint/textlint-plugin-markdown";
import { UserError } from "../../lib/errors";
import { project } from "../../lib/project";
import { blank, findings } from "./words.mjs";

// If an ES module imports this CommonJS package, the exports are in the property `default`.
const plugin = (markdown as { default?: typeof markdown }).default ?? markdown;

/**
 * Matches generated Markdown. The text of these files comes from comments and strings in the code.
 * ESLint checks these comments and strings.
 */
const generated = /^docs\/reference\//;

interface Node {
  readonly type: string;
  readonly range: readonly [number, number];
  readonly children?: readonly Node[];
  readonly value?: string;
}

/**
 * textlint rule that checks the words in paragraphs, headings and table cells. The rule ignores
 * code, link addresses and pictures.
 */
const words: TextlintRuleModule = ({ Syntax, RuleError, report, getSource }) => {
  const prose = (node: Node): string => {
    const source = getSource(node as Parameters<typeof getSource>[0]);
    if (node.type === "Str") return source;
    if (node.type === "Code") return `\`${blank(source.slice(1, -1), "_")}\``;
    let text = blank(source);
    for (const child of node.children ?? []) {
      const start = child.range[0] - node.range[0];
      const inner = prose(child);
      text = text.slice(0, start) + inner + text.slice(start + inner.length);
    }
    return text;
  };
  const check = (node: unknown) => {
    for (const { index, message } of findings(prose(node as Node))) {
      report(node as Parameters<typeof report>[0], new RuleError(message, { index }));
    }
  };
  return { [Syntax.Paragraph]: check, [Syntax.Header]: check, [Syntax.TableCell]: check };
};

/** Longest table cell, in characters. A longer cell makes its table too wide for an editor. */
const longestCell = 60;

/** The visible text of a table cell, without the addresses of links. */
const shown = ({ children, value = "" }: Node): string => children?.map(shown).join("") ?? value;

const cells: TextlintRuleModule = ({ Syntax, RuleError, report }) => ({
  [Syntax.TableCell]: (node: unknown) => {
    const { length } = shown(node as Node);
    if (length <= longestCell) return;
    const message = `table cell of ${String(length)} characters: write at most ${String(longestCell)} characters, or use a list`;
    report(node as Parameters<typeof report>[0], new RuleError(message));
  },
});

/**
 * Checks a Markdown text. Returns a line for each finding: file, line, column, and what to write
 * instead.
 */
export async function checkText(text: string, file: string): Promise<string[]> {
  const { messages } = await new TextlintKernel().lintText(text, {
    filePath: join(project, file),
    ext: extname(file),
    plugins: [{ pluginId: "markdown", plugin }],
    rules: [
      { ruleId: "words", rule: words },
      { ruleId: "cells", rule: cells },
    ],
  });
  return messages.map(
    ({ loc, message }) =>
      `${file}:${String(loc.start.line)}:${String(loc.start.column)} ${message}`,
  );
}

/**
 * Checks all Markdown files that git tracks, except generated files.
 *
 * @throws UserError with all findings
 */
export async function checkMarkdown(): Promise<void> {
  const files = execFileSync("git", ["ls-files", "--cached", "*.md"], { cwd: project })
    .toString()
    .split("\n")
    .filter((file) => file !== "" && !generated.test(file));
  const found = await Promise.all(
    files.map((file) => checkText(readFileSync(join(project, file), "utf8"), file)),
  );
  const lines = found.flat();
  if (lines.length > 0) throw new UserError(lines.join("\n"));
}
