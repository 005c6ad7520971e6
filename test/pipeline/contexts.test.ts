import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { project } from "../../lib/project";
import { type ContextName, contexts, fullName, restrictionOf } from "../../pipeline/contexts";

/** The page from which an administrator copies the restrictions into CircleCI. */
const page = readFileSync(join(project, "docs", "pipeline.md"), "utf8");
const names = Object.keys(contexts) as ContextName[];

/** The expressions with the names A and B in docs/pipeline.md. B consists of a condition and A. */
const [, a = "", more = ""] =
  /Expression A is `(.*?)`\. Expression B is `(.*?)`, followed by expression A\./.exec(page) ?? [];
const named: Readonly<Record<string, string>> = { A: a, B: `${more} ${a}` };

describe("the restrictions of the contexts", () => {
  for (const name of names) {
    it(`are written on the page as the checks evaluate them: ${name}`, () => {
      const row = page.split("\n").find((line) => line.includes(`| \`${fullName(name)}\``)) ?? "";
      const [, cell = ""] = /\| ([AB](?:, a group)?) +\|$/.exec(row) ?? [];
      const { approversOnly, expression } = restrictionOf(name);
      assert.equal(named[cell.charAt(0)], expression);
      assert.equal(cell.endsWith(", a group"), approversOnly);
    });
  }
});
