import { existsSync } from "node:fs";
import { join } from "node:path";
import { command, CommandError } from "../../lib/command";
import { versions } from "../install/parts";
import { type System, installWith } from "./install-hints";

/** Timeout of each check, in milliseconds. On a busy machine, Maven takes seconds to start. */
const patienceMs = 60_000;

interface Ran {
  readonly output: string;
  /** Why the program failed. Undefined if the program succeeded. */
  readonly trouble?: string;
}

/** Runs a program that only prints something. Undefined if the program is not on the PATH. */
async function ran(file: string, ...args: readonly string[]): Promise<Ran | undefined> {
  try {
    const output = await command(file, args, {
      env: { PULUMI_SKIP_UPDATE_CHECK: "true" },
      killSignal: "SIGKILL",
      timeout: patienceMs,
    });
    return { output };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (error.reason === `${file}: not on the PATH`) return undefined;
    return { output: error.output, trouble: error.reason };
  }
}

type Check = (system: System | undefined) => Promise<readonly string[]>;

/** Checks Maven, and the JDK that Maven uses. */
const maven: Check = async (system) => {
  const found = await ran("mvn", "--batch-mode", "--version");
  if (found === undefined) {
    const java = await ran("javac", "-version");
    return [
      ...(java !== undefined && java.trouble === undefined
        ? []
        : [`JDK 17 or newer is missing: ${installWith("jdk", system)}`]),
      `Maven is missing: ${installWith("maven", system)}`,
    ];
  }
  const { output, trouble } = found;
  const [, major = "", home = ""] =
    /^Java version: (\d+)[^\n]*?(?:runtime: ([^\n]+))?$/m.exec(output) ?? [];
  if (trouble !== undefined || major === "") {
    return [
      `Maven finds no JDK (${trouble ?? "it prints no Java version"}): ${installWith("jdk", system)}, or set JAVA_HOME to a JDK 17 or newer`,
    ];
  }
  if (Number(major) < 17) {
    return [
      `Maven uses Java ${major}, but the service needs Java 17 or newer: ${installWith("jdk", system)}, and set JAVA_HOME to the new JDK`,
    ];
  }
  const isJdk = home === "" || existsSync(join(home, "bin", "javac"));
  return isJdk
    ? []
    : [`${home} is a Java runtime without a compiler: ${installWith("jdk", system)}`];
};

/** Checks that Docker and the plugin buildx are installed, and that the current builder answers. */
const docker: Check = async (system) => {
  const client = await ran("docker", "--version");
  if (client === undefined) return [`Docker is missing: ${installWith("docker", system)}`];
  const plugin = await ran("docker", "buildx", "version");
  if (plugin?.trouble !== undefined) {
    return [`Docker has no plugin buildx: ${installWith("buildx", system)}`];
  }
  const builder = await ran("docker", "buildx", "inspect");
  // If the daemon does not answer, buildx writes the reason to its output, but exits with 0.
  const trouble = builder?.trouble ?? /^Error:\s+(.+)$/m.exec(builder?.output ?? "")?.[1]?.trim();
  return trouble === undefined
    ? []
    : [
        `the builder of "docker buildx" does not answer (${trouble}): ${installWith("daemon", system)}`,
      ];
};

/**
 * Checks that the Pulumi CLI has the same major version as `versions.pulumi`, and the same or a
 * newer minor version.
 */
const pulumi: Check = async (system) => {
  const found = await ran("pulumi", "version");
  const install = installWith("pulumi", system);
  if (found === undefined) return [`pulumi is missing: ${install}`];
  if (found.trouble !== undefined) return [`pulumi does not work (${found.trouble}): ${install}`];
  const [, major, minor] = /^v?(\d+)\.(\d+)\./m.exec(found.output) ?? [];
  const [wantedMajor, wantedMinor] = versions.pulumi.split(".");
  return major === wantedMajor && Number(minor) >= Number(wantedMinor)
    ? []
    : [
        `pulumi is ${found.output.trim()}, but the program needs ${versions.pulumi} or a newer 3.x: ${install}`,
      ];
};

const kubectl: Check = async (system) =>
  (await ran("kubectl", "version", "--client")) === undefined
    ? [`kubectl is missing: ${installWith("kubectl", system)}`]
    : [];

/**
 * Checks in parallel that the machine has the programs that stack `local` needs in a cluster that
 * the developer already has. Changes nothing.
 *
 * @param system system of the machine. Undefined if the project has no install hints for the system
 * @returns one line for each issue, such as a missing program or a program that is too old. The
 * line contains the command to run, or the page to read.
 */
export async function missingPrograms(system: System | undefined): Promise<readonly string[]> {
  const checks = [maven, docker, pulumi, kubectl];
  return (await Promise.all(checks.map(async (check) => check(system)))).flat();
}
