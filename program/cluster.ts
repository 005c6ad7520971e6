import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import {
  type Access,
  type ClusterLimits,
  clusterLimits,
} from "../components/conventions/ambient-kubeconfig";

/** Facts about a cluster. The program reads these facts before it changes the cluster. */
export interface ClusterFacts {
  /**
   * UID of the namespace `kube-system`. The program uses this UID as the identifier of the cluster,
   * because Kubernetes has no identifier for a cluster.
   */
  readonly clusterUid: string;
  /** The stack's namespace. Undefined if the namespace does not exist. */
  readonly namespace:
    | { readonly labels: Readonly<Record<string, string>>; readonly terminating: boolean }
    | undefined;
}

/** Reads {@link ClusterFacts}. Tests pass their own function. */
export type ReadCluster = (where: Access & { readonly namespace: string }) => Promise<ClusterFacts>;

const run = promisify(execFile);

interface NamespaceObject {
  readonly metadata: {
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly uid: string;
  };
}

interface Failure {
  readonly code?: number | string;
  readonly killed?: boolean;
  readonly stderr?: string;
  readonly stdout?: string;
}

/**
 * Runs kubectl and returns its output. If `access` contains a kubeconfig, this function stores the
 * kubeconfig in a temporary file while kubectl runs.
 */
async function kubectl(access: Access, args: readonly string[]): Promise<string> {
  const { context, kubeconfig } = access;
  const directory =
    kubeconfig === undefined ? undefined : mkdtempSync(join(tmpdir(), "kubeconfig-"));
  const file = directory === undefined ? undefined : join(directory, "kubeconfig");
  try {
    if (file !== undefined) writeFileSync(file, kubeconfig ?? "", { mode: 0o600 });
    const which = [
      ...(context === undefined ? [] : [`--context=${context}`]),
      ...(file === undefined ? [] : [`--kubeconfig=${file}`]),
    ];
    const running = run("kubectl", [...which, ...args], {
      timeout: limitsOf(access).processSeconds * 1000,
    });
    // If the kubeconfig contains no credentials, kubectl reads a user name from its standard input.
    // This code closes the standard input, so that kubectl fails and does not wait.
    running.child.stdin?.end();
    return (await running).stdout;
  } finally {
    if (directory !== undefined) rmSync(directory, { force: true, recursive: true });
  }
}

/**
 * Reads one path of the Kubernetes API with `kubectl get --raw`. A normal `kubectl get` is slower,
 * because kubectl first reads the list of all API resources.
 */
export async function get(access: Access, path: string): Promise<unknown> {
  return JSON.parse(await getText(access, path));
}

/**
 * Reads one path of the Kubernetes API, and returns the text of the response. Use this function for
 * responses that are not JSON, such as logs.
 */
export async function getText(access: Access, path: string): Promise<string> {
  const limit = `--request-timeout=${String(limitsOf(access).requestSeconds)}s`;
  return kubectl(access, ["get", "--raw", path, limit]);
}

/** Returns the object at a path of the API. Undefined if the object does not exist. */
export async function find<Found>(access: Access, path: string): Promise<Found | undefined> {
  try {
    return (await get(access, path)) as Found;
  } catch (error) {
    if (/\(NotFound\)/.test((error as Failure).stderr ?? "")) return undefined;
    throw error;
  }
}

const readNamespace = async (access: Access, name: string): Promise<NamespaceObject | undefined> =>
  find(access, `/api/v1/namespaces/${name}`);

/** Returns the address of the kubeconfig's cluster, for an error message. */
async function address(access: Access): Promise<string> {
  const path = "jsonpath={.clusters[0].cluster.server}";
  const server = await kubectl(access, ["config", "view", "--minify", "-o", path]).catch(() => "");
  return server === "" ? "of the kubeconfig (it names no address)" : `at ${server}`;
}

/**
 * Returns the timeouts of kubectl. The timeouts are longer for a cluster on EKS. `access` contains
 * a kubeconfig only for a cluster on EKS.
 */
function limitsOf({ kubeconfig }: Access): ClusterLimits {
  return clusterLimits(kubeconfig !== undefined);
}

function reason(failure: Failure, access: Access): string {
  if (failure.killed === true) {
    return `no answer within ${String(limitsOf(access).processSeconds)} s`;
  }
  if (failure.stdout?.startsWith("Please enter Username") === true) {
    return "kubectl asks for a user name, because the kubeconfig's user has no credentials";
  }
  const lines = (failure.stderr ?? "").split("\n").filter((line) => line.trim() !== "");
  // This function removes the full stop, because the error message adds a full stop.
  return (
    lines
      .at(-1)
      ?.trim()
      .replace(/[.?!]+$/, "") ?? "kubectl failed without an error message"
  );
}

/**
 * Reads the facts about the cluster with `kubectl`. kubectl supports every kind of kubeconfig, and
 * starts faster than Node.js loads a client library.
 *
 * @throws pulumi.RunError with one line if kubectl is missing, if kubectl does not end within 20 s
 * (30 s on EKS), or if kubectl cannot read the cluster.
 */
export const readCluster: ReadCluster = async ({ context, kubeconfig, namespace }) => {
  const access = { context, kubeconfig };
  try {
    const [system, found] = await Promise.all([
      readNamespace(access, "kube-system"),
      readNamespace(access, namespace),
    ]);
    if (system === undefined)
      throw new pulumi.RunError(
        `The cluster ${await address(access)} has no namespace kube-system, so something other than ` +
          "Kubernetes answers there. Check the kubeconfig and its context.",
      );
    return {
      clusterUid: system.metadata.uid,
      namespace: found && {
        labels: found.metadata.labels ?? {},
        terminating: found.metadata.deletionTimestamp !== undefined,
      },
    };
  } catch (error) {
    if (error instanceof pulumi.RunError) throw error;
    const failure = error as Failure;
    if (failure.code === "ENOENT") {
      throw new pulumi.RunError(
        "kubectl is not on the PATH: install kubectl, because the program reads the cluster with it.",
      );
    }
    throw new pulumi.RunError(
      `The cluster ${await address(access)} cannot be read: ${reason(failure, access)}. ` +
        "Check the kubeconfig and its context, and that the cluster runs.",
    );
  }
};
