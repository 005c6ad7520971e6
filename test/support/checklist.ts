import { cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const root = join(__dirname, "..", "..");
const leftOut = new Set([".git", "node_modules", "reports", "target"]);

/** A copy of the project that a test may change. */
export function copyOfProject(): string {
  const copy = mkdtempSync(join(tmpdir(), "services-orders-checklist-"));
  cpSync(root, copy, {
    filter: (path) => !leftOut.has(path.slice(path.lastIndexOf("/") + 1)),
    recursive: true,
  });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  return copy;
}

/** One piece of code of a checklist. Its first line, a comment, says where it belongs. */
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
 * Does what a step says: writes a new file, or adds the code to a file.
 *
 * @param places for each `where` that is not just a path: what the code is written in front of
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
