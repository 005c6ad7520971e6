import { existsSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Returns the directory of a state backend in local files, which contains `.pulumi`. Undefined for
 * another backend.
 */
export function stateDirectory(backendUrl: string | undefined): string | undefined {
  if (backendUrl?.startsWith("file:///") !== true) return undefined;
  return fileURLToPath(backendUrl.replace(/\?.*$/, ""));
}

/**
 * Age in milliseconds from which on this module removes a temporary file. Pulumi needs less than a
 * second to write such a file.
 */
const writingMs = 5_000;

/**
 * Removes incomplete files that a killed Pulumi has left. Otherwise Pulumi cannot read any stack in
 * this backend ("EOF", "unexpected end of JSON input"). Pulumi writes a file in three steps: it
 * writes a temporary file (`.tmp`), writes the file's attributes (`.attrs`), and renames the
 * temporary file. So the state file itself is always complete. Pulumi does not need the attributes,
 * because it has defaults for them.
 *
 * @param backendUrl - `PULUMI_BACKEND_URL`. Only a backend in local files can have such files.
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
    // With ENOENT, another process has just removed or renamed the file.
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}
