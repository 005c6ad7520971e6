import { existsSync, readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { compileFunction } from "node:vm";
import ts from "typescript";
import { root } from "./compiler";

/** A block of code in a page of the documentation. */
export interface Block {
  readonly heading: string;
  readonly language: string;
  readonly page: string;
  readonly text: string;
}

/**
 * Returns the code blocks of a page, each with its heading. Removes the indentation of blocks in a
 * list.
 */
export function blocksOf(page: string): readonly Block[] {
  let heading = "";
  const found: Block[] = [];
  const markdown = readFileSync(join(root, "docs", page), "utf8");
  for (const match of markdown.matchAll(/^## (.*)$|^( *)```(\w+)\n([^]*?)\n *```$/gm)) {
    const [, title, indent = "", language = "", text = ""] = match;
    const lines = text.split("\n").map((line) => line.slice(indent.length));
    if (title === undefined) found.push({ heading, language, page, text: lines.join("\n") });
    else heading = title;
  }
  return found;
}

/** Paths of the guide and its pages, below docs/. */
export const guide: readonly string[] = [
  "guide.md",
  ...readdirSync(join(root, "docs", "guide"))
    .sort()
    .map((name) => join("guide", name)),
];

/**
 * A pattern for the file's text, for each place that a recipe names. `pasted` inserts the recipe
 * after the pattern's first group, in place of the second group.
 */
const places: Readonly<Record<string, RegExp>> = {
  "below `...job`": /(\n {6}\.\.\.job,)()/,
  "below `new WebService`; the import to the top": /(new WebService\(.*\);\n)()/,
  "in the args of `new ReviewNamespace`":
    /(new ReviewNamespace\("namespace", \{ \.\.\.common, \.\.\.guardrails, \.\.\.owner,?)()/,
  "in `waiting`": /(const waiting: WebServiceOptions = \{\s+\.\.\.inNamespace,)()/,
  "in `web`": /(const web: ArgsFromSettings = \{[^]*?)()\n {2}\};/,
  "in what `webServiceArgs` returns": /(function webServiceArgs[^]*?\n {2}return \{)()/,
  "instead of `requests` in what `webServiceArgs` returns":
    /(function webServiceArgs[^]*?)( {4}requests: settings\.requests,)/,
  "instead of the entry `expire-unpaid`":
    /(jobs: readonly Job\[\] = \[[^]*?)( {2}\{\n {4}name: "expire-unpaid",[^]*?\n {2}\},)/,
  "instead of the entry `export`":
    /(jobs: readonly Job\[\] = \[[^]*?)( {2}\{\n {4}name: "export",[^]*?\n {2}\},)/,
  "one more entry of `jobs`": /(jobs: readonly Job\[\] = \[)()/,
};

/** A file of the program, with the recipe inserted. */
export interface Pasted {
  readonly file: string;
  readonly text: string;
}

/** Inserts a recipe at the place that its first line names. */
export function pasted(recipe: string): Pasted {
  const [first = ""] = recipe.split("\n");
  const [, file = "", where = ""] = /^\/\/ (\S+), (.*)$/.exec(first) ?? [];
  const place = places[where];
  if (place === undefined) throw new Error(`no test knows the place of "${first}"`);
  const source = readFileSync(join(root, file), "utf8");
  const found = place.exec(source);
  if (found === null) throw new Error(`${file} has no place "${where}" any more`);
  const [, head = "", gone = ""] = found;
  const end = found.index + head.length;
  const lines = recipe.split("\n");
  const imports = lines.filter((line) => line.startsWith("import "));
  const rest = lines.filter((line) => !imports.includes(line));
  // If a list is on one line, Prettier writes no comma after the last element. So this function
  // adds the comma.
  const comma = /\.\.\.\w+$/.test(head) ? "," : "";
  const text = [
    ...imports,
    `${source.slice(0, end)}${comma}`,
    ...rest,
    source.slice(end + gone.length),
  ];
  return { file, text: text.join("\n") };
}

const chapter = /^(?:index\.ts|jobs\.ts|program\/.*\.ts)$/;
const compilerOptions = {
  esModuleInterop: true,
  module: ts.ModuleKind.CommonJS,
  target: ts.ScriptTarget.ES2022,
};

/**
 * Loads `index.ts`, `jobs.ts` and `program/` again, with `changed` in place of one of these files.
 * Node.js loads all other modules only once, for all tests.
 */
export function load(changed?: Pasted): unknown {
  const loaded = new Map<string, { exports: unknown }>();
  const loadFile = (path: string): unknown => {
    const known = loaded.get(path);
    if (known !== undefined) return known.exports;
    const module = { exports: {} as unknown };
    loaded.set(path, module);
    const file = relative(root, path);
    const text = file === changed?.file ? changed.text : readFileSync(path, "utf8");
    const realRequire = createRequire(path);
    const require = (id: string): unknown => {
      const wanted = [".ts", "/index.ts"]
        .map((end) => `${resolve(dirname(path), id)}${end}`)
        .find((candidate) => chapter.test(relative(root, candidate)) && existsSync(candidate));
      return id.startsWith(".") && wanted !== undefined ? loadFile(wanted) : realRequire(id);
    };
    const { outputText } = ts.transpileModule(text, { compilerOptions });
    const run = compileFunction(outputText, ["module", "exports", "require", "__dirname"]);
    run(module, module.exports, require, dirname(path));
    return module.exports;
  };
  return loadFile(join(root, "index.ts"));
}
