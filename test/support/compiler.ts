import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

/**
 * Directory of the repository. For the compiler, this directory also contains the files that
 * `compiled` adds in memory.
 */
export const root = join(__dirname, "..", "..");

const files = new Map<string, string>();
let service: ts.LanguageService | undefined;

/** Returns the compiler options that an editor uses for the program. */
function options(): ts.CompilerOptions {
  const file = join(root, "tsconfig.json");
  const { config } = ts.readConfigFile(file, (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  return { ...ts.parseJsonConfigFileContent(config, ts.sys, root).options, types: ["node"] };
}

/**
 * Returns TypeScript's language service, which an editor also uses to find errors and types. All
 * tests share this service, because the service needs seconds to read the types of Kubernetes. So
 * add all files with `compiled` before the first test runs, outside of `it`.
 */
function languageService(): ts.LanguageService {
  return (service ??= ts.createLanguageService({
    directoryExists: (path) => ts.sys.directoryExists(path),
    fileExists: (path) => files.has(path) || ts.sys.fileExists(path),
    getCompilationSettings: options,
    getCurrentDirectory: () => root,
    getDefaultLibFileName: (given) => ts.getDefaultLibFilePath(given),
    getScriptFileNames: () => [...files.keys()],
    getScriptSnapshot: (path) => {
      const text = files.get(path) ?? (existsSync(path) ? readFileSync(path, "utf8") : undefined);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getScriptVersion: () => "1",
    readDirectory: (path, ...how) => ts.sys.readDirectory(path, ...how),
    readFile: (path) => files.get(path) ?? ts.sys.readFile(path),
  }));
}

/**
 * Adds a file to the repository's root directory, in memory and only for the compiler. Returns the
 * file's path.
 */
export function compiled(name: string, text: string): string {
  const file = join(root, name);
  // Discards the language service, because a running service does not find a new file. Another test
  // file may have started the service.
  service = undefined;
  if (ts.sys.fileExists(file)) throw new Error(`${name} is there already`);
  files.set(file, text);
  return file;
}

/** Returns the compiler's errors in a file, one text for each error. Empty if the file compiles. */
export function complaints(file: string): readonly string[] {
  const all = [
    ...languageService().getSyntacticDiagnostics(file),
    ...languageService().getSemanticDiagnostics(file),
  ];
  return all.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

/** Returns what an editor shows at the first occurrence of a text in a file. */
export function hover(file: string, text: string): ts.QuickInfo {
  const position = files.get(file)?.indexOf(text) ?? -1;
  const info = languageService().getQuickInfoAtPosition(file, position);
  if (info === undefined) throw new Error(`nothing is shown at ${text}`);
  return info;
}
