import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { service } from "../../config/service";

/** Files that define how to build the image, relative to the repository. */
export const buildFiles: readonly string[] = ["service/Dockerfile", "service/pom.xml"];

/** Directory with the code and the resources of the service, relative to the repository. */
export const codeDirectory = "service/src/main";

/**
 * Paths of the files and directories that determine the content of the image. The paths are
 * relative to the root of the repository. The build, the image's tag and the pods' commit all use
 * this list.
 */
export const imageInputs: readonly string[] = [...buildFiles, codeDirectory];

/**
 * Directory of the files that Maven builds and that the Dockerfile copies, relative to the
 * repository.
 */
export const contextDirectory = "service/target/image";

const jarName = new RegExp(`^${service}-(.+)\\.jar$`);

/**
 * Returns the content hash of the code from which Maven built the service's jar. The jar's name
 * contains this hash, because BuildKit treats a file with the same name, size and time as
 * unchanged.
 *
 * @param directory build context of the image, which Maven fills
 * @returns undefined if there is no jar.
 */
export function builtFrom(directory: string): string | undefined {
  const names = existsSync(directory) ? readdirSync(directory) : [];
  return names.map((name) => jarName.exec(name)?.[1]).find((hash) => hash !== undefined);
}

function filesUnder(root: string, path: string): readonly string[] {
  const absolute = join(root, path);
  if (!existsSync(absolute)) return [];
  if (statSync(absolute).isFile()) return [path];
  // The separator is "/" on every operating system, because the hash must not depend on the
  // machine.
  return readdirSync(absolute).flatMap((entry) => filesUnder(root, `${path}/${entry}`));
}

/**
 * Returns the SHA-256 (64 hex characters) of the paths and contents of the image's inputs, sorted
 * by path. The hash ignores file times and modes, so that a fresh checkout has the same hash.
 *
 * @param root directory of the repository
 */
export function contentHash(root: string): string {
  const hash = createHash("sha256");
  const files = imageInputs.flatMap((input) => filesUnder(root, input)).sort();
  for (const file of files) {
    const content = readFileSync(join(root, file));
    // The hash includes the length of each path and content. So the hash also changes if a byte
    // moves from the end of one file to the start of the next file.
    hash.update(`${String(Buffer.byteLength(file))}:${file}${String(content.length)}:`);
    hash.update(content);
  }
  return hash.digest("hex");
}
