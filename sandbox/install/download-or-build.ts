import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { command } from "../../lib/command";
import { type Report } from "../../lib/progress";
import { messageOf, UserError } from "../../lib/errors";
import { compileAhead, goBuild, modules } from "./go-build";
import { createEmpty, paths } from "../layout";
import { type Download, type Part, parts } from "./parts";

/**
 * Oldest Go version that may build the parts. An older version would first download a newer Go
 * toolchain.
 */
const GO_NEEDED = [1, 26] as const;
/**
 * Timeout for the download of an official file, in milliseconds. The size of the largest file is
 * about 120 MB. After the timeout, the sandbox builds the part instead.
 */
const DOWNLOAD_TIMEOUT_MS = 600_000;
/**
 * Milliseconds in which the host of a download must begin to answer. If the host has not begun to
 * answer after this time, the sandbox builds the part instead.
 */
const CONNECT_TIMEOUT_MS = 10_000;

const NO_BINARY = "the publisher offers no binary with a checksum";

/**
 * Error about a downloaded file with a wrong checksum. After this error, the sandbox does not build
 * the part instead, because an attacker may have replaced the file.
 */
class ChecksumError extends UserError {}

const directory = (part: Part): string => join(paths.parts, `${part.name}-${part.version}`);

/**
 * Returns the path of an executable of a part. The default of `name` is the first file in `files`.
 */
export function executable(part: Part, name: string = part.files[0] ?? part.name): string {
  return join(directory(part), name);
}

/**
 * Returns the path of an executable of the part that has the name `part`. The default of `name` is
 * the first file in `files`.
 */
export function program(part: string, name?: string): string {
  const found = parts.find((candidate) => candidate.name === part);
  if (found === undefined) {
    throw new Error(`no part is called ${part}`);
  }
  return executable(found, name);
}

/**
 * Returns a hash of the part's description, and of the names and the content of all files in the
 * modules that the part's builds use. If the hash changes, the sandbox installs the part again.
 */
function fingerprint(part: Part): string {
  const hash = createHash("sha256").update(JSON.stringify(part));
  for (const module of new Set(part.builds.map((build) => build.module))) {
    const files = readdirSync(join(modules, module), { encoding: "utf8", recursive: true });
    for (const file of files.sort()) {
      const path = join(modules, module, file);
      hash.update(file).update(statSync(path).isFile() ? readFileSync(path) : "");
    }
  }
  return hash.digest("hex");
}

export function isInstalled(part: Part): boolean {
  const mark = join(directory(part), ".complete");
  return existsSync(mark) && readFileSync(mark, "utf8") === fingerprint(part);
}

/**
 * Installs a part: the function downloads the official files of the part. If there are no official
 * files, or if the download fails, the function builds the part from published Go modules. If the
 * download fails and the part has no Go modules, the function throws an error. If a checksum is
 * wrong, the function throws an error and builds nothing. During a build, Go also compiles packages
 * of the part `next`, in the background.
 *
 * @returns a line that says whether the sandbox has downloaded or built the part, and why.
 */
export async function downloadOrBuild(part: Part, report: Report, next?: Part): Promise<string> {
  const staging = join(paths.work, `${part.name}.new`);
  createEmpty(staging);
  const how = await fill(part, staging, report, next);
  for (const file of part.files) {
    chmodSync(join(staging, file), 0o755);
  }
  writeFileSync(join(staging, ".complete"), fingerprint(part));
  // The directory gets its final name only when the directory is complete. So if someone kills this
  // process, there is never an incomplete part with this name.
  rmSync(directory(part), { recursive: true, force: true });
  mkdirSync(paths.parts, { recursive: true });
  renameSync(staging, directory(part));
  return how;
}

async function fill(part: Part, staging: string, report: Report, next?: Part): Promise<string> {
  let reason = NO_BINARY;
  if (part.downloads !== undefined) {
    try {
      for (const download of part.downloads) {
        await fetchOfficial(download, staging, report);
      }
      return "official download, checksum verified";
    } catch (error) {
      if (error instanceof ChecksumError) throw error;
      reason = messageOf(error);
      // The build creates all files of the part, so this call removes the files that the sandbox
      // has already downloaded.
      createEmpty(staging);
    }
  }
  if (part.builds.length === 0) {
    throw new UserError(
      `could not download ${part.title} ${part.version}: ${reason}; make the official download reachable, and run the command again`,
    );
  }
  await checkGo(part, reason);
  const stop = new AbortController();
  const ahead = next === undefined ? undefined : compileAhead(next, stop.signal);
  try {
    for (const build of part.builds) await goBuild(build, part, staging, report);
  } finally {
    stop.abort();
    await ahead;
  }
  return `built from Go modules (${reason})`;
}

/**
 * Returns the URL from which to download a file: the official URL or, if SANDBOX_DOWNLOAD_MIRROR is
 * set, `<mirror>/<host>/<path>`.
 */
function location(url: string): string {
  const mirror = process.env["SANDBOX_DOWNLOAD_MIRROR"];
  return mirror === undefined ? url : url.replace(/^https:\/\//, `${mirror.replace(/\/$/, "")}/`);
}

async function get(url: string): Promise<Buffer> {
  const host = new URL(url).host;
  const connecting = new AbortController();
  const timer = setTimeout(() => {
    connecting.abort(new Error(`no answer within ${String(CONNECT_TIMEOUT_MS / 1000)} s`));
  }, CONNECT_TIMEOUT_MS);
  try {
    const signal = AbortSignal.any([connecting.signal, AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS)]);
    const answer = await fetch(location(url), { signal });
    clearTimeout(timer);
    if (!answer.ok) {
      throw new Error(`answered ${String(answer.status)}`);
    }
    return Buffer.from(await answer.arrayBuffer());
  } catch (error) {
    const cause = (error as Error).cause ?? error;
    throw new Error(`${host}: ${messageOf(cause)}`);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Finds the SHA-256 of a file in the text of a checksum file. The text has one line for each file,
 * or contains only the checksum of this file.
 */
function publishedChecksum(text: string, file: string): string | undefined {
  const lines = text.split("\n").map((line) => line.trim().split(/\s+\*?/));
  return lines.find(
    ([checksum = "", name = file]) => /^[0-9a-f]{64}$/.test(checksum) && basename(name) === file,
  )?.[0];
}

async function fetchOfficial(download: Download, staging: string, report: Report): Promise<void> {
  const file = basename(new URL(download.url).pathname);
  report(`downloading ${file}`);
  const expected = publishedChecksum((await get(download.checksums)).toString("utf8"), file);
  if (expected === undefined) {
    throw new Error(`${basename(download.checksums)} has no SHA-256 for ${file}`);
  }
  const content = await get(download.url);
  const actual = createHash("sha256").update(content).digest("hex");
  if (actual !== expected) {
    throw new ChecksumError(
      `${download.url} has the SHA-256 ${actual}, but its publisher gives ${expected}: the file was damaged or replaced during the download; ` +
        "run the command again. If it fails again, ask your network administrator",
    );
  }
  if (typeof download.take === "string") {
    writeFileSync(join(staging, download.take), content);
    return;
  }
  const unpacked = join(paths.work, `${file}.unpacked`);
  createEmpty(unpacked);
  writeFileSync(join(unpacked, file), content);
  await command("tar", ["-xzf", join(unpacked, file), "-C", unpacked, "--no-same-owner"]);
  for (const [member, name] of Object.entries(download.take)) {
    copyFileSync(join(unpacked, member), join(staging, name));
  }
  rmSync(unpacked, { recursive: true, force: true });
}

/**
 * If one of the missing parts has no official files, checks that Go is installed, in version
 * {@link GO_NEEDED} or newer. Call this function before the set-up changes anything.
 *
 * @throws UserError if Go is missing or too old.
 */
export async function checkBuildable(missing: readonly Part[]): Promise<void> {
  const part = missing.find(({ downloads }) => downloads === undefined);
  if (part !== undefined) await checkGo(part, NO_BINARY);
}

async function checkGo(part: Part, reason: string): Promise<void> {
  const needed = GO_NEEDED.join(".");
  const reachable = part.downloads === undefined ? "" : ", or make the official download reachable";
  const remedy = `install Go ${needed} or newer${reachable}, and run the command again`;
  let found: string;
  try {
    found = await command("go", ["env", "GOVERSION"]);
  } catch {
    throw new UserError(
      `the sandbox cannot download ${part.title} ${part.version} (${reason}), and cannot build it without Go; ${remedy}`,
    );
  }
  const [major = 0, minor = 0] = found.replace(/^go/, "").split(".").map(Number);
  if (major < GO_NEEDED[0] || (major === GO_NEEDED[0] && minor < GO_NEEDED[1])) {
    throw new UserError(
      `the sandbox cannot download ${part.title} ${part.version} (${reason}), and cannot build it with ${found}; ${remedy}`,
    );
  }
}
