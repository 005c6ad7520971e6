import { join } from "node:path";
import * as v from "valibot";
import { environments } from "../../../environments";
import { command, reasonOf } from "../../../lib/command";
import { parsedFile, parsedJson } from "../../../lib/json";
import { project } from "../../../lib/project";
import type { Settings } from "../../../settings";
import { ecrRegion } from "../../clients/registry-login";
import { type Workspace, variables } from "../../pulumi/run-pulumi";
import { type Finding, type Row, ok, wrong } from "../finding";
import type { StackCheck, StackPatient } from "./patient";

/** A program that the commands start. */
interface Tool {
  readonly args: readonly string[];
  /** What to do if the program is missing or has the wrong version. */
  readonly install: string;
  /** Returns what is wrong with the version. Undefined if the commands can use the version. */
  readonly issue?: (output: string) => string | undefined;
  readonly name: string;
  /** Matches the version in the output of the program. */
  readonly version: RegExp;
}

const packageFile = v.object({ dependencies: v.object({ "@pulumi/pulumi": v.string() }) });

/** Returns the version of the Pulumi engine that matches the npm packages of this repository. */
const engineVersion = (): string | undefined =>
  parsedFile(packageFile, join(project, "package.json"))?.dependencies["@pulumi/pulumi"];

/** Major and minor version, such as `[3, 8]`. */
const numbersOf = (version: string | undefined): readonly [number, number] => {
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  return [major, minor];
};

const atLeast = (version: string | undefined, major: number, minor: number): boolean => {
  const [a, b] = numbersOf(version);
  return a > major || (a === major && b >= minor);
};

const pulumiVersion = /(\d+\.\d+\.\d+)/;
const mavenVersion = /Apache Maven (\d+\.\d+\.\d+)/;
const javaVersion = /Java version: (\d+)/;

const pulumi: Tool = {
  args: ["version"],
  install: `Install Pulumi ${engineVersion() ?? ""}`.trimEnd(),
  issue: (output) => {
    const [wanted, found] = [engineVersion(), pulumiVersion.exec(output)?.[1]];
    return wanted === found || wanted === undefined
      ? undefined
      : `the npm packages of this repository need ${wanted}`;
  },
  name: "pulumi",
  version: pulumiVersion,
};

const git: Tool = {
  args: ["--version"],
  install: "Install Git",
  name: "git",
  version: /(\d+\.\d+\S*)/,
};

const aws: Tool = {
  args: ["--version"],
  install: "Install the AWS CLI",
  name: "aws",
  version: /aws-cli\/(\S+)/,
};

const maven: Tool = {
  args: ["--version"],
  install: "Install Maven 3.8 or newer with Java 17",
  issue: (output) => {
    if (!atLeast(mavenVersion.exec(output)?.[1], 3, 8)) return "the service needs Maven 3.8";
    return atLeast(javaVersion.exec(output)?.[1], 17, 0)
      ? undefined
      : `Maven uses Java ${javaVersion.exec(output)?.[1] ?? "of an unknown version"}, and the service needs Java 17`;
  },
  name: "mvn",
  version: mavenVersion,
};

const docker: Tool = {
  args: ["--version"],
  install: "Install Docker with buildx, which builds and pushes the image",
  name: "docker",
  version: /(\d+\.\d+\.\d+)/,
};

/** Whether a deploy of the stack builds the stack's image. */
export const buildsImage = ({ environment, imageRef }: Settings): boolean =>
  environments[environment].image === "built" && imageRef === undefined;

/** Returns the programs that the commands start for a stack, except kubectl. */
function toolsOf(settings: Settings, workspace: Workspace): readonly Tool[] {
  const [registry = ""] = (settings.imageRepository ?? "").split("/");
  const onEcr = ecrRegion(registry, workspace.env) !== undefined;
  const inS3 = variables(workspace)["PULUMI_BACKEND_URL"]?.startsWith("s3://") === true;
  const builds = buildsImage(settings);
  return [
    pulumi,
    git,
    ...(onEcr || inS3 || settings.eksCluster !== undefined ? [aws] : []),
    ...(builds ? [maven] : []),
    ...(builds && (onEcr || settings.builder === undefined) ? [docker] : []),
  ];
}

/** Whether each program is installed, in a version that works with this repository. */
export const tools: StackCheck = async ({ left, settings, workspace }) =>
  Promise.all(
    toolsOf(settings, workspace).map(async (tool) => ({
      check: tool.name,
      ...(await examined(tool, workspace, left())),
    })),
  );

async function examined(tool: Tool, { env }: Workspace, timeout: number): Promise<Finding> {
  const { args, install, issue, name, version } = tool;
  try {
    const output = await command(name, args, { env, killSignal: "SIGKILL", timeout });
    const shown = version.exec(output)?.[1] ?? "an unknown version";
    const why = issue?.(output);
    return why === undefined ? ok(shown) : wrong(`${shown}, but ${why}. ${install}`);
  } catch (error) {
    return wrong(`${reasonOf(error)}. ${install}`);
  }
}

const gitVersion = v.object({ gitVersion: v.string() });
const versions = v.object({ clientVersion: gitVersion, serverVersion: v.optional(gitVersion) });

/**
 * Returns whether kubectl supports the cluster. kubectl supports a cluster that is at most one
 * minor version older or newer than kubectl.
 *
 * @param output output of `kubectl version --output json`
 * @see https://kubernetes.io/releases/version-skew-policy/#kubectl
 */
export function kubectlIn(output: string): Finding {
  const found = parsedJson(versions, output);
  if (found === undefined) return wrong("it prints no version. Install kubectl again");
  const { clientVersion: client, serverVersion: server } = found;
  if (server === undefined) return ok(client.gitVersion);
  const [[major, minor], [wanted, newest]] = [client, server].map(({ gitVersion }) =>
    numbersOf(gitVersion.replace(/^v/, "")),
  ) as [readonly [number, number], readonly [number, number]];
  const shown = `${client.gitVersion}, the cluster has ${server.gitVersion}`;
  return major === wanted && Math.abs(minor - newest) <= 1
    ? ok(shown)
    : wrong(
        `${shown}. Install kubectl ${String(wanted)}.${String(newest)}: it supports clusters that are at most one minor version older or newer`,
      );
}

/** Whether kubectl is installed, in a version that supports the cluster. */
export const kubectl: StackCheck = async (patient) => [
  { check: "kubectl", ...(await kubectlOf(patient)) } satisfies Row,
];

async function kubectlOf({ cluster, left, workspace }: StackPatient): Promise<Finding> {
  try {
    const args = ["version", "--client", "--output", "json"];
    const { env } = workspace;
    const timeout = left();
    const alone = await command("kubectl", args, { env, killSignal: "SIGKILL", timeout });
    const both = cluster.then(async (one) => one.kubectl(["version", "--output", "json"], left()));
    return kubectlIn(await both.catch(() => alone));
  } catch (error) {
    return wrong(`${reasonOf(error)}. Install kubectl`);
  }
}
