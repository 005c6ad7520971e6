import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import ts from "typescript";
import { project } from "../../lib/project";

/** A line of the source code. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/**
 * The program's source code and its types. The compiler treats all types from npm packages as
 * `any`.
 */
export interface Source {
  readonly checker: ts.TypeChecker;
  /** All files of the repository that the compiler has read. */
  readonly files: readonly ts.SourceFile[];
}

const rooms = ["components", "platform", "program", "settings"];
const single = ["environments.ts", "index.ts", "jobs.ts"];

function sourceFiles(): readonly string[] {
  const inRooms = rooms.flatMap((room) =>
    readdirSync(join(project, room), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(room, name)),
  );
  return [...single, ...inRooms].sort().map((name) => join(project, name));
}

/**
 * Reads the program's source code. To save time, the compiler does not read npm packages, so the
 * types of npm packages are `any`. The types in the program's own code are enough to find the args
 * of components.
 */
export function readSource(): Source {
  const options: ts.CompilerOptions = {
    exactOptionalPropertyTypes: true,
    lib: ["lib.es2023.d.ts"],
    module: ts.ModuleKind.CommonJS,
    strict: true,
    target: ts.ScriptTarget.ES2022,
    types: [],
  };
  const host = ts.createCompilerHost(options, true);
  host.resolveModuleNameLiterals = (literals, containing) =>
    literals.map(({ text }) => {
      const base = resolve(dirname(containing), text);
      const found = [".ts", "/index.ts"]
        .map((end) => `${base}${end}`)
        .find((path) => existsSync(path));
      return {
        resolvedModule:
          text.startsWith(".") && found !== undefined
            ? { extension: ts.Extension.Ts, resolvedFileName: found }
            : undefined,
      };
    });
  const program = ts.createProgram(sourceFiles(), options, host);
  const files = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(project));
  return {
    checker: program.getTypeChecker(),
    files: files.filter(({ fileName }) => !fileName.includes("node_modules")),
  };
}

/** Returns the path of a node's file, relative to the root of the repository. */
export function fileOf(node: ts.Node): string {
  return relative(project, node.getSourceFile().fileName);
}

export function placeOf(node: ts.Node): Place {
  const source = node.getSourceFile();
  const { line } = source.getLineAndCharacterOfPosition(node.getStart());
  return { file: fileOf(node), line: line + 1 };
}

/** Returns a node and all nodes in it. */
export function nodesIn(node: ts.Node): readonly ts.Node[] {
  const found: ts.Node[] = [];
  const add = (one: ts.Node): void => {
    found.push(one);
    ts.forEachChild(one, add);
  };
  add(node);
  return found;
}

/** Whether a node declares a member of an interface, or of an object. */
const isMember = (node: ts.Node): boolean =>
  ts.isPropertySignature(node) ||
  ts.isPropertyAssignment(node) ||
  ts.isShorthandPropertyAssignment(node);

/**
 * Returns the declarations of a property in the files of the repository. Also finds the original
 * declarations of properties in mapped types, such as `Pick`.
 */
export function membersOf(symbol: ts.Symbol | undefined): readonly ts.Declaration[] {
  return (symbol?.declarations ?? []).filter(
    (node) => isMember(node) && node.getSourceFile().fileName.startsWith(project),
  );
}

/** Returns the number of the first line in a text file that matches the pattern. */
export function lineIn(file: string, pattern: RegExp): number | undefined {
  const path = join(project, file);
  if (!existsSync(path)) return undefined;
  const found = readFileSync(path, "utf8")
    .split("\n")
    .findIndex((line) => pattern.test(line));
  return found === -1 ? undefined : found + 1;
}

/** Returns the text of a line. */
export function lineOf({ file, line }: Place): string {
  return readFileSync(join(project, file), "utf8").split("\n")[line - 1] ?? "";
}
