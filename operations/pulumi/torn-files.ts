import { existsSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Returns the directory of a state backend in local files. This directory contains the folder
 * `.pulumi`. Undefined for a state backend that is not in local files.
 */
export function stateDirectory(backendUrl: string | undefined): string | undefined {
  if (backendUrl?.startsWith("file:///") !== true) return undefined;
  return fileURLToPath(backendUrl.replace(/\?.*$/, ""));
}

/**
 * If a temporary file is older than this number of milliseconds, this module removes the file.
 * Pulumi needs less than a second to write a temporary file, so an older file belongs to a killed
 * process.
 */
const writingMs = 5_000;

/**
 * Removes incomplete files that a killed Pulumi process has left. If these files exist, Pulumi
 * cannot read any stack in this state backend. The error is "EOF" or "unexpected end of JSON
 * input". Pulumi writes a file in three steps: it writes a temporary file (`.tmp`), writes the
 * file's attributes (`.attrs`), and renames the temporary file. So the state file itself is always
 * complete. If the attributes are missing, Pulumi uses defaults.
 *
 * @param backendUrl - `PULUMI_BACKEND_URL`. Only a state backend in local files can have incomplete
 * files.
 */
export function removeTornFiles(backendUrl: string | undefined): void {
  const state = stateDirectory(backendUrl);
  if (state === undefined) return;
  const root = join(state, ".pulumi");
  const inside = ["stacks", "locks"].flatMap((name) => {
    const directory = join(root, name);
    if (!existsSync(directory)) return [];
    const files = readdirSync(directory, { recursive: true }) as string[];
    return files.map((file) => join(directory, file));
  });
  for (const file of [join(root, "meta.yaml.attrs"), ...inside]) {
    if (isTorn(file)) rmSync(file, { force: true });
  }
}

function isTorn(file: string): boolean {
  const isTemporary = file.endsWith(".tmp");
  if (!isTemporary && !file.endsWith(".attrs")) return false;
  try {
    if (isTemporary) return Date.now() - statSync(file).mtimeMs > writingMs;
    JSON.parse(readFileSync(file, "utf8"));
    return false;
  } catch (error) {
    // ENOENT means that another process removed or renamed the file after this module had listed
    // it.
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}
