import { cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const root = join(__dirname, "..", "..");
const leftOut = new Set([".git", "node_modules", "reports", "target"]);

/**
 * Copies the project without .git, npm packages, reports and builds, and returns the directory of
 * the copy. A test may change the copy, except node_modules: node_modules is a link to the project.
 */
export function copyOfProject(): string {
  const copy = mkdtempSync(join(tmpdir(), "services-orders-checklist-"));
  cpSync(root, copy, {
    filter: (path) => !leftOut.has(path.slice(path.lastIndexOf("/") + 1)),
    recursive: true,
  });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  return copy;
}

/**
 * One block of code in a checklist. The first line of the block is a comment that names the place
 * for the code.
 */
export interface Step {
  readonly code: string;
  readonly where: string;
}

export function stepsOf(name: string): readonly Step[] {
  const markdown = readFileSync(join(root, "docs", "checklists", `${name}.md`), "utf8");
  return [...markdown.matchAll(/^```\w+\n(?:\/\/|#) (.+)\n([^]*?)^```$/gm)].map(
    ([, where = "", code = ""]) => ({ code, where }),
  );
}

/**
 * Follows a step of a checklist in a copy of the project: creates a new file, or inserts the code
 * into a file.
 *
 * @param places for each `where` that contains more than a path: a pattern. This function inserts
 *   the code before the text that matches the pattern.
 */
export function perform(
  { code, where }: Step,
  copy: string,
  places: Readonly<Record<string, RegExp>>,
): void {
  const [path = ""] = where.split(", ");
  const file = join(copy, path);
  if (path === where) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code, { flag: "wx" });
    return;
  }
  const place = places[where];
  if (place === undefined) throw new Error(`no test knows "${where}"`);
  const text = readFileSync(file, "utf8");
  const index = text.search(place);
  if (index < 0) throw new Error(`${path} has no place "${where}" any more`);
  writeFileSync(file, `${text.slice(0, index)}${code}${text.slice(index)}`);
}
