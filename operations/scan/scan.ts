import { execa } from "execa";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { project } from "../../lib/project";
import { UserError } from "../../lib/errors";
import {
  acceptedFile,
  acceptedFindings,
  type Ended,
  imageScanners,
  lastLine,
  type Outcome,
  type Scanner,
  sourceScanners,
} from "./scanners";

/** Timeout of one scanner, in milliseconds. The first scan downloads databases of about 100 MB. */
const TIMEOUT_MS = 900_000;
const byDigest = /@sha256:[0-9a-f]{64}$/;

export interface ScanOptions {
  /** Directory to scan. Default: the project. */
  readonly root?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * Functions that download the programs of scanners. `scan` calls such a function only if the
   * program is not installed.
   */
  readonly fetch?: Fetchers;
}

/**
 * Functions that download the program of a scanner and return the path of the program. The key is
 * the program's name.
 */
type Fetchers = Readonly<Record<string, () => Promise<string>>>;

/**
 * `npm run scan`: scans dependencies and configuration, and looks for secrets in files. If a
 * scanner has findings, the command fails.
 */
export async function scanSource(options: ScanOptions = {}): Promise<void> {
  await scan(sourceScanners, options);
}

/**
 * `npm run scan -- image [REF]`: scans the image REF, by default the image that `npm run image`
 * pushed.
 */
export async function scanImage(given?: string, options: ScanOptions = {}): Promise<void> {
  await scan(imageScanners(given ?? pushedImage(options.root ?? project)), options);
}

/** Returns the image that `npm run image` has pushed, from the report of this command. */
function pushedImage(root: string): string {
  const report = join(root, "reports", "image.json");
  const imageRef = existsSync(report)
    ? (JSON.parse(readFileSync(report, "utf8")) as { readonly imageRef?: unknown }).imageRef
    : undefined;
  if (typeof imageRef !== "string" || !byDigest.test(imageRef)) {
    throw new UserError(
      "no image to scan: reports/image.json does not name an image by digest. Run `npm run image -- STACK` first, or pass an image: `npm run scan -- image REPOSITORY@sha256:...`",
    );
  }
  return imageRef;
}

/**
 * Runs every scanner, even if an earlier scanner has findings. If a scanner cannot run, its result
 * is unknown. On a developer's machine, the function then prints a message and continues. In CI
 * (`CI=true`), an unknown result is an error.
 *
 * @throws UserError if a scanner has findings or, in CI, if a scanner cannot run. The error lists
 * all these scanners.
 */
export async function scan(
  scanners: readonly Scanner[],
  { env = process.env, fetch = {}, root = project }: ScanOptions = {},
): Promise<void> {
  const accepted = acceptedFindings(root);
  const failed: string[] = [];
  for (const scanner of scanners) {
    const outcome = await runScanner(scanner, { env, fetch, root }, accepted);
    const { title } = scanner;
    if (outcome.state === "clean") {
      console.log(`${title}: clean`);
    } else if (outcome.state === "found") {
      console.log(`${title}: FOUND\n${outcome.what}`);
      failed.push(title);
    } else if (env["CI"] === "true") {
      console.log(`${title}: FAILED, because ${outcome.because}`);
      failed.push(`${title} could not run`);
    } else {
      console.log(`${title}: skipped, because ${outcome.because}`);
    }
  }
  if (failed.length > 0) {
    throw new UserError(
      `scan failed: ${failed.join(", ")}. Update what the findings name, or accept them with a reason in .trivyignore.yaml. A scanner that could not run needs its program and its database.`,
    );
  }
}

async function runScanner(
  scanner: Scanner,
  { env, fetch, root }: Required<ScanOptions>,
  accepted: ReadonlySet<string>,
): Promise<Outcome> {
  const [program, ...given] = scanner.command;
  const withAccepted = existsSync(join(root, acceptedFile)) ? (scanner.withAccepted ?? []) : [];
  const args = [...given, ...withAccepted];
  let ended = await run(program, args, root, env);
  const fetchProgram = fetch[program];
  if (ended === undefined && fetchProgram !== undefined) {
    try {
      ended = await run(await fetchProgram(), args, root, env);
    } catch (error) {
      return {
        because: error instanceof Error ? error.message : String(error),
        state: "unavailable",
      };
    }
  }
  if (ended === undefined) {
    return { because: `program "${program}" is not installed`, state: "unavailable" };
  }
  if (scanner.read !== undefined) return scanner.read(ended, accepted);
  if (ended.exitCode === 0) return { state: "clean" };
  return scanner.findings?.includes(ended.exitCode ?? -1) === true
    ? { state: "found", what: ended.output.trim() }
    : { because: lastLine(ended.output) || `"${program}" failed`, state: "unavailable" };
}

/** Runs a scanner's program. Undefined if the program is not installed. */
async function run(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Ended | undefined> {
  const result = await execa(program, args, {
    all: true,
    cwd,
    env,
    extendEnv: false,
    forceKillAfterDelay: 5_000,
    maxBuffer: 64 * 1024 * 1024,
    reject: false,
    stdin: "ignore",
    timeout: TIMEOUT_MS,
  });
  if (result.code === "ENOENT") return undefined;
  return { exitCode: result.exitCode, output: result.all, stdout: result.stdout };
}
