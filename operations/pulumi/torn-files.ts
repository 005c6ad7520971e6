import { existsSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The directory in which Pulumi keeps its state, if it is in files. It contains `.pulumi`. */
export function stateDirectory(backendUrl: string | undefined): string | undefined {
  if (backendUrl?.startsWith("file:///") !== true) return undefined;
  return fileURLToPath(backendUrl.replace(/\?.*$/, ""));
}

/** Pulumi writes a file of the state in less than a second. */
const writingMs = 5_000;

/**
 * Removes what a killed Pulumi wrote only in part. Otherwise Pulumi cannot read any stack of this
 * state ("EOF", "unexpected end of JSON input"). It writes a file in three steps: a temporary file
 * (`.tmp`), the file's attributes (`.attrs`), and the rename of the temporary file.
 * The state itself is always whole. Attributes are not needed: Pulumi has defaults for them.
 *
 * @param backendUrl - `PULUMI_BACKEND_URL`. Only state in files can be torn.
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
    // Another process has removed or renamed it.
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}
