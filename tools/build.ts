import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { builtFrom, contentHash, contextDirectory } from "../components/conventions/content-hash";
import { command, CommandError } from "../lib/command";
import { project } from "../lib/project";
import { type Report } from "../lib/progress";
import { messageOf, UserError } from "../lib/errors";

/**
 * Builds the service's jars with Maven. Does nothing if Maven has already built the jars from the
 * current code. Does not compile the tests. For a canary, the directory contains the code of a
 * branch but the tests of main, so the compilation of the tests could fail.
 *
 * @param root directory of the repository. Default: the project
 */
export async function buildService(
  report: Report,
  root = project,
): Promise<"built" | "up to date"> {
  const hash = contentHash(root);
  if (builtFrom(join(root, contextDirectory)) === hash) return "up to date";
  const goals = ["package", "-Dmaven.test.skip=true", `-Dcontent.hash=${hash}`];
  await maven(goals, report, { root });
  return "built";
}

/**
 * Checks that Maven is installed. Call this function before a long set-up that needs Maven only at
 * its end.
 */
export async function checkMaven(): Promise<void> {
  await command("mvn", ["--version"], { timeout: 60_000 }).catch((error: unknown) => {
    throw noMaven(messageOf(error).split("\n")[0] ?? "");
  });
}

function noMaven(cause: string): UserError {
  return new UserError(
    `Maven could not be run (${cause}); install Maven 3.8 or newer with Java 17`,
  );
}

/**
 * Makes Maven refuse a file that has no checksum in service/.mvn/checksums.sha256. Without this
 * option, Maven compares only the files that have a checksum. Maven 3.8 ignores this option and the
 * checksums.
 */
const onlyKnownFiles =
  "-Daether.artifactResolver.postProcessor.trustedChecksums.failIfMissing=true";
const isCi = process.env["CI"] === "true";

/**
 * Runs Maven for the service.
 *
 * @throws UserError with Maven's own errors if Maven fails.
 */
export async function maven(
  goals: readonly string[],
  report: Report,
  {
    problem = "Maven failed to build the service; nothing was deployed",
    root = project,
    timeout = 900_000,
  }: { readonly problem?: string; readonly root?: string; readonly timeout?: number } = {},
): Promise<void> {
  try {
    const options = ["--batch-mode", "--no-transfer-progress", ...(isCi ? [onlyKnownFiles] : [])];
    const pom = join(root, "service", "pom.xml");
    const onLine = (line: string): void => {
      const text = stripVTControlCharacters(line).replace(/^\[INFO\] *(?:-{3,} *)?/, "");
      if (text !== "") report(text);
    };
    await command("mvn", [...options, "-f", pom, ...goals], { onLine, timeout });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (error.exitCode === undefined) throw noMaven(error.message);
    const errors = error.output.split("\n").filter((line) => line.startsWith("[ERROR]"));
    throw new UserError(`${problem}. Its errors:\n${errors.slice(0, 30).join("\n")}`);
  }
}
