import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { UserError } from "../../lib/errors";
import { project } from "../../lib/project";
import { replaceFile } from "../../lib/replace";

/**
 * The cluster that a developer has chosen for stack `local` instead of the sandbox, and the facts
 * about the cluster that this clone stores.
 */
export interface OwnCluster {
  /** Context in `kubeconfig`. */
  readonly context: string;
  /**
   * IngressClass of the Ingress. Undefined if the cluster has a default class, no class or several
   * classes, or if the user has no permission to list the classes.
   */
  readonly ingressClass?: string;
  /**
   * Absolute path of the kubeconfig, or several paths in the same form as in the variable
   * KUBECONFIG.
   */
  readonly kubeconfig: string;
  /**
   * Platforms of the cluster's nodes for which the program can build the image. Empty if there is
   * no such platform, or if the user has no permission to list the nodes.
   */
  readonly platforms: readonly string[];
  /** Registry of the image, such as `registry.example.com/team`. */
  readonly registry: string;
  /** Address of the API server. */
  readonly server: string;
  /** UID of the namespace `kube-system`. This UID identifies the cluster. */
  readonly uid: string;
}

/**
 * Directory with the choice and with the Pulumi state of stack `local`. The directory is in the
 * clone, and git ignores the directory.
 */
export const ownClusterDirectory = join(project, ".own-cluster");

/** Paths below {@link ownClusterDirectory}, or below another directory in a test. */
function pathsIn(directory: string) {
  return {
    choice: join(directory, "choice.json"),
    /**
     * A kubeconfig that contains only the name of the current context. KUBECONFIG lists this file
     * first, so kubectl and Pulumi use the chosen context. The clone contains no copy of a key.
     */
    kubeconfig: join(directory, "kubeconfig"),
    /** Directory of one cluster. A cluster with another UID never gets this cluster's state. */
    of: (uid: string) => join(directory, uid),
  };
}

/** Returns the chosen cluster. Undefined if stack `local` is in the sandbox. */
export function ownCluster(directory = ownClusterDirectory): OwnCluster | undefined {
  const { choice } = pathsIn(directory);
  return existsSync(choice) ? (JSON.parse(readFileSync(choice, "utf8")) as OwnCluster) : undefined;
}

/** Saves the chosen cluster for later commands, such as `npm run down`. */
export function saveOwnCluster(own: OwnCluster, directory = ownClusterDirectory): void {
  const { choice, kubeconfig } = pathsIn(directory);
  mkdirSync(stateOf(own, directory), { recursive: true, mode: 0o700 });
  const current = { apiVersion: "v1", kind: "Config", "current-context": own.context };
  replaceFile(kubeconfig, `${JSON.stringify(current)}\n`, 0o600);
  // This function writes the choice last, so that a command that finds the choice also finds the
  // other files.
  replaceFile(choice, `${JSON.stringify(own, undefined, 2)}\n`, 0o600);
}

/** Makes stack `local` use the sandbox again. Keeps the states of all clusters. */
export function forgetOwnCluster(directory = ownClusterDirectory): void {
  rmSync(pathsIn(directory).choice, { force: true });
}

/**
 * Checks that stack `local` is in the sandbox. Commands that start or need the sandbox call this
 * function. If the developer has chosen another cluster, later commands such as
 * `npm run jobs -- local` would read the chosen cluster and not the sandbox.
 *
 * @throws UserError that says how to use the sandbox again.
 */
export function assertNotOwn(directory = ownClusterDirectory): void {
  const own = ownCluster(directory);
  if (own === undefined) return;
  throw new UserError(
    `stack local is in the cluster of context "${own.context}" at ${own.server}, and not in the sandbox; to use the sandbox again: npm run up -- --sandbox`,
  );
}

/** Whether a developer has already confirmed the use of this cluster in this clone. */
export function isKnown(
  { uid }: Pick<OwnCluster, "uid">,
  directory = ownClusterDirectory,
): boolean {
  return existsSync(pathsIn(directory).of(uid));
}

/** Returns the directory with the Pulumi state of stack `local` in a cluster. */
export function stateOf({ uid }: Pick<OwnCluster, "uid">, directory = ownClusterDirectory): string {
  return join(pathsIn(directory).of(uid), "state");
}

/** Returns the value of KUBECONFIG with which kubectl and Pulumi use the chosen context. */
export function kubeconfigOf(own: OwnCluster, directory = ownClusterDirectory): string {
  return [pathsIn(directory).kubeconfig, own.kubeconfig].join(delimiter);
}

/**
 * Returns absolute paths of a shell's kubeconfig, without the file that {@link kubeconfigOf} adds.
 *
 * @param given one path, or several paths in the same form as in the variable KUBECONFIG. Empty:
 * the default of kubectl
 */
export function absoluteKubeconfig(
  given: string,
  home: string,
  directory = ownClusterDirectory,
): string {
  const ours = pathsIn(directory).kubeconfig;
  const files = given.split(delimiter).filter((file) => file !== "");
  const absolute = files.map((file) => resolve(file)).filter((file) => file !== ours);
  return absolute.length === 0 ? join(home, ".kube", "config") : absolute.join(delimiter);
}
