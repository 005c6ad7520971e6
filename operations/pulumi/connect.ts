import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { clusterLimits, startSeconds } from "../../components/conventions/ambient-kubeconfig";
import { eksUser } from "../../components/conventions/eks-user";
import { environments } from "../../environments";
import type { Settings } from "../../settings";
import { CommandError, command } from "../../lib/command";
import { UserError } from "../../lib/errors";
import { type Cluster, type StartingCluster, kubectlFor, startFor } from "../clients/kubectl";
import { type Workspace, ask, variables } from "./run-pulumi";
import type { Tags } from "./stacks";

/** Result of {@link connect}: the state backend and the cluster have answered. */
export interface Connected {
  readonly cluster: Cluster;
  /** Names of all stacks in the state backend. */
  readonly stacks: readonly string[];
}

/** The namespace `kube-system`. The UID of this namespace identifies the cluster. */
interface KubeSystem {
  readonly metadata: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly uid: string;
  };
}

type Where = Partial<Pick<Settings, "clusterUid">> &
  Pick<Settings, "context" | "eksCluster" | "environment">;

/**
 * Timeout of a Pulumi command that reads the state backend, in seconds. Pulumi needs less time to
 * list 200 stacks in S3.
 */
const stateSeconds = 20;
/**
 * Timeout of an AWS CLI command, in seconds. The AWS CLI itself takes a second or more to start.
 */
const awsSeconds = 20;

/**
 * Checks that the state backend and the cluster answer, before a command changes anything. Without
 * this check, if the cluster is unreachable, a preview could report success, and an update could
 * fail after its first changes.
 *
 * @throws UserError within 20 s, or within 50 s on EKS, if the state backend or the cluster does
 * not answer. The error identifies the state backend or the cluster.
 */
export async function connect(settings: Where, workspace: Workspace): Promise<Connected> {
  const asked = [connectToCluster(settings, workspace), stackNames(workspace)] as const;
  const [cluster, stacks] = await Promise.all(asked);
  return { cluster, stacks };
}

/**
 * Returns the names of all stacks in the state backend. Sends no request to the cluster.
 *
 * @throws UserError if the state backend does not answer. The error contains the address of the
 * state backend, if PULUMI_BACKEND_URL is set.
 */
export async function stackNames(workspace: Workspace): Promise<readonly string[]> {
  const answer = await readState(["stack", "ls"], workspace);
  return (JSON.parse(answer) as { name: string }[]).map(({ name }) => name);
}

/** Returns the error about a stack that does not exist in the state backend. */
export const noSuchStack = (stack: string): UserError =>
  new UserError(
    `Stack "${stack}" does not exist in this state backend. Check the name and PULUMI_BACKEND_URL, or deploy the stack first.`,
  );

/**
 * Returns the tags of a stack. Empty if the stack does not exist. Sends no request to the cluster.
 */
export async function tagsIfExists(stack: string, workspace: Workspace): Promise<Tags> {
  try {
    return JSON.parse(await readState(["stack", "tag", "ls", "--stack", stack], workspace)) as Tags;
  } catch (error) {
    if (error instanceof Error && error.message.includes("no stack named")) return {};
    throw error;
  }
}

async function readState(question: readonly string[], workspace: Workspace): Promise<string> {
  const address = variables(workspace)["PULUMI_BACKEND_URL"];
  const where =
    address === undefined
      ? 'of the login ("pulumi whoami --verbose" shows its address)'
      : `at ${address}`;
  const limit = { killSignal: "SIGKILL", timeout: stateSeconds * 1000 } as const;
  return ask([...question, "--json"], workspace, limit).catch((error: unknown) => {
    throw new UserError(
      `The state backend ${where} cannot be read: ${reasonOf(error)}. ` +
        "Check PULUMI_BACKEND_URL, and the permissions that the shell or the CI job has.",
    );
  });
}

/** Returns how many milliseconds a command may still take. */
type Left = () => number;
const unlimited: Left = () => Number.POSITIVE_INFINITY;

/**
 * Reads the UID of the cluster, and the annotations of its namespace `kube-system`.
 *
 * @param left returns the time that remains, in milliseconds. The function kills a program when
 * this time or the program's own timeout has passed.
 * @throws UserError if the cluster does not answer, or if the setting `clusterUid` contains a UID
 * other than the cluster's UID.
 */
export async function connectToCluster(
  settings: Where,
  workspace: Workspace,
  left: Left = unlimited,
): Promise<StartingCluster> {
  const { clusterUid, context, eksCluster, environment } = settings;
  const access: string[] = context === undefined ? [] : [`--context=${context}`];
  if (eksCluster !== undefined)
    access.push(`--kubeconfig=${await eksFile(eksCluster, environment, workspace, left)}`);
  const { processSeconds, requestSeconds } = clusterLimits(eksCluster !== undefined);
  const limit = `--request-timeout=${String(requestSeconds)}s`;
  const kubeSystem = ["get", "--raw", "/api/v1/namespaces/kube-system", limit];
  const answer = await quickly(
    "kubectl",
    [...access, ...kubeSystem],
    workspace,
    Math.min(processSeconds, left() / 1000),
  ).catch(async (error: unknown) => {
    const address = await addressOf(access, workspace, left);
    throw new UserError(
      `The cluster ${address} cannot be read: ${reasonOf(error)}. ` +
        "Check the kubeconfig and its context, and that the cluster runs.",
    );
  });
  const { annotations = {}, uid } = (JSON.parse(answer) as KubeSystem).metadata;
  if (clusterUid !== undefined && clusterUid !== uid) {
    throw new UserError(
      `This stack belongs to the cluster ${clusterUid}, but the cluster ${await addressOf(access, workspace, left)} is ${uid}. ` +
        'Choose the right context, or fix the setting "clusterUid". Nothing was changed.',
    );
  }
  const { env } = workspace;
  return { annotations, kubectl: kubectlFor(access, env), start: startFor(access, env), uid };
}

/**
 * Writes a kubeconfig for EKS with the AWS CLI, and returns the path of the file. The file contains
 * no token. This process deletes the file when the process exits.
 */
async function eksFile(
  { name, region }: NonNullable<Settings["eksCluster"]>,
  environment: Settings["environment"],
  workspace: Workspace,
  left: Left,
): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "kubeconfig-"));
  process.once("exit", () => {
    rmSync(directory, { force: true, recursive: true });
  });
  const file = join(directory, "kubeconfig");
  const which = ["--name", name, "--region", region, "--kubeconfig", file];
  const seconds = Math.min(awsSeconds, left() / 1000);
  await quickly("aws", ["eks", "update-kubeconfig", ...which], workspace, seconds).catch(
    (error: unknown) => {
      throw new UserError(
        `The EKS cluster "${name}" in ${region} cannot be found: ${reasonOf(error)}. ` +
          "Check the setting eksCluster, and the AWS role that the shell or the CI job has.",
      );
    },
  );
  // In the file that the AWS CLI writes, the user is the AWS role of this shell or CI job. The
  // Pulumi program may use a different identity. So this code replaces this user with the user that
  // the Pulumi program uses.
  const config = parse(readFileSync(file, "utf8")) as { users: { user: object }[] };
  const user = eksUser({ name, region }, environments[environment].clusterIdentity);
  const users = config.users.map((entry) => ({ ...entry, user }));
  writeFileSync(file, stringify({ ...config, users }), { mode: 0o600 });
  return file;
}

/** Runs a command that only reads. Kills the command if it takes longer than `seconds`. */
async function quickly(
  file: string,
  args: readonly string[],
  { cwd, env }: Workspace,
  seconds: number,
): Promise<string> {
  return command(file, args, {
    cwd,
    env,
    killSignal: "SIGKILL",
    timeout: Math.ceil(seconds * 1000),
  });
}

async function addressOf(
  access: readonly string[],
  workspace: Workspace,
  left: Left,
): Promise<string> {
  const path = "jsonpath={.clusters[0].cluster.server}";
  const args = [...access, "config", "view", "--minify", "-o", path];
  const seconds = Math.min(startSeconds, left() / 1000);
  const server = await quickly("kubectl", args, workspace, seconds).catch(() => "");
  return server === "" ? "of the kubeconfig (it names no address)" : `at ${server}`;
}

/** The reason why a command failed, as one line without a period at the end. */
function reasonOf(error: unknown): string {
  return error instanceof CommandError ? error.reason : String(error);
}
