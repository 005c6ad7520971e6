import { blank, findings, withoutCode } from "./words.mjs";

/** Groups comments, because line comments in consecutive lines are one text. */
function blocks(comments) {
  const found = [];
  for (const comment of comments) {
    const last = found.at(-1)?.at(-1);
    const continues =
      last?.type === "Line" &&
      comment.type === "Line" &&
      comment.loc.start.line === last.loc.end.line + 1 &&
      comment.loc.start.column === last.loc.start.column;
    if (continues) found.at(-1).push(comment);
    else if (comment.type !== "Shebang") found.push([comment]);
  }
  return found;
}

/** @type {import("eslint").Rule.RuleModule} */
const words = {
  meta: {
    type: "suggestion",
    schema: [],
    docs: { description: "plain English in comments and messages" },
  },
  create(context) {
    const { sourceCode } = context;
    const check = (start, text) => {
      for (const { index, message } of findings(withoutCode(text))) {
        const from = sourceCode.getLocFromIndex(start + index);
        context.report({ loc: { start: from, end: from }, message });
      }
    };
    const source = (node) => sourceCode.text.slice(...node.range);
    return {
      Program() {
        for (const block of blocks(sourceCode.getAllComments())) {
          const [start, end] = [block[0].range[0], block.at(-1).range[1]];
          const text = sourceCode.text.slice(start, end);
          if (/^(\/\/|\/\*) eslint-/.test(text)) continue;
          // Replaces the comment's markers (`//`, `/**`, and `*` at the start of a line) with
          // spaces.
          check(
            start,
            text.replaceAll(/^\s*(\/\/|\/\*+|\*\/|\*)|\*\/$/gm, (mark) => blank(mark)),
          );
        }
      },
      Literal(node) {
        // Checks only strings that contain a space, because other strings are names or values.
        if (typeof node.value === "string" && node.value.includes(" ")) {
          check(node.range[0] + 1, source(node).slice(1, -1).replaceAll("\\", " "));
        }
      },
      TemplateLiteral(node) {
        let text = source(node);
        for (const { range } of node.expressions) {
          const [from, to] = range.map((index) => index - node.range[0]);
          text = text.slice(0, from) + blank(text.slice(from, to), "_") + text.slice(to);
        }
        check(node.range[0] + 1, text.slice(1, -1).replaceAll("\\", " "));
      },
    };
  },
};

export default { meta: { name: "prose" }, rules: { words } };
