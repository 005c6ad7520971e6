import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

/** The repository. Files given to the compiler lie in it, without being written. */
export const root = join(__dirname, "..", "..");

const files = new Map<string, string>();
let service: ts.LanguageService | undefined;

/** Compiler options of the program, as the editor has them. */
function options(): ts.CompilerOptions {
  const file = join(root, "tsconfig.json");
  const { config } = ts.readConfigFile(file, (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  return { ...ts.parseJsonConfigFileContent(config, ts.sys, root).options, types: ["node"] };
}

/**
 * What an editor asks. One for all tests: the types of Kubernetes take seconds to read. Files are
 * therefore added while tests are described, and the first test that asks has all of them read.
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

/** Adds a file to the repository's root, for the compiler only. Returns its path. */
export function compiled(name: string, text: string): string {
  const file = join(root, name);
  // A service that has started does not see new files, and another test file may have started it.
  service = undefined;
  if (ts.sys.fileExists(file)) throw new Error(`${name} is there already`);
  files.set(file, text);
  return file;
}

/** The compiler's errors in a file, one line each. Empty if the file compiles. */
export function complaints(file: string): readonly string[] {
  const all = [
    ...languageService().getSyntacticDiagnostics(file),
    ...languageService().getSemanticDiagnostics(file),
  ];
  return all.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

/** What an editor shows at the first place of a text. */
export function hover(file: string, text: string): ts.QuickInfo {
  const position = files.get(file)?.indexOf(text) ?? -1;
  const info = languageService().getQuickInfoAtPosition(file, position);
  if (info === undefined) throw new Error(`nothing is shown at ${text}`);
  return info;
}
