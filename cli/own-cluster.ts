import { homedir } from "node:os";
import { http } from "../operations/probe/from-here";
import { releasePath } from "../operations/release/smoke";
import { stackNames } from "../operations/pulumi/connect";
import type { Workspace } from "../operations/pulumi/run-pulumi";
import { type Outputs, stateOf } from "../operations/pulumi/stacks";
import { confirm } from "../lib/confirm";
import { reasonOf } from "../lib/command";
import { UserError, WrongUse } from "../lib/errors";
import { project } from "../lib/project";
import { quoted } from "../lib/shell";
import {
  absoluteKubeconfig,
  forgetOwnCluster,
  isKnown,
  type OwnCluster,
  ownCluster,
  ownClusterDirectory,
  saveOwnCluster,
} from "../sandbox/own-cluster/choice";
import { type ClusterFacts, readOwnCluster } from "../sandbox/own-cluster/cluster";
import { ownEnvironment } from "../sandbox/own-cluster/environment";
import { thisSystem } from "../sandbox/own-cluster/install-hints";
import { missingPrograms } from "../sandbox/own-cluster/programs";
import { registryIssue } from "../sandbox/own-cluster/registry";
import { paths } from "../sandbox/layout";
import { isRunning } from "../sandbox/sandbox";

/** Options of `npm run up` that choose where stack `local` runs. */
export interface Where {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly registry?: string;
  /** Whether to use the sandbox again. */
  readonly sandbox?: boolean;
  /** Whether to use a cluster for the first time without a confirmation. */
  readonly yes?: boolean;
}

/** What the developer chooses: the cluster's context and the registry. */
export type Asked = Pick<OwnCluster, "context" | "kubeconfig" | "registry">;

const registryForm = /^[a-z0-9][a-z0-9.-]*(?::[0-9]+)?(?:\/[a-z0-9._-]+)*$/;

/**
 * Returns the cluster that the developer has chosen. The options override the remembered choice.
 *
 * @param before the remembered choice
 * @returns undefined for the sandbox
 * @throws WrongUse if the context or the registry is missing, if the registry has a wrong form, or
 * if `--sandbox` is set together with `--context`, `--kubeconfig` or `--registry`.
 */
export function askedFor(
  { context, kubeconfig, registry, sandbox = false }: Where,
  before: OwnCluster | undefined,
  shell: Readonly<Record<string, string | undefined>> = process.env,
): Asked | undefined {
  const given = [context, kubeconfig, registry].some((option) => option !== undefined);
  if (sandbox) {
    if (!given) return undefined;
    throw new WrongUse("use --sandbox without --context, --kubeconfig and --registry");
  }
  if (!given) return before;
  const isSame = kubeconfig === undefined && (context ?? before?.context) === before?.context;
  const remembered = isSame ? before : undefined;
  const wanted = {
    context: context ?? remembered?.context,
    registry: registry ?? remembered?.registry,
  };
  if (wanted.context === undefined) {
    throw new WrongUse(
      'name the context of your cluster, too: npm run up -- --context NAME --registry ADDRESS; "kubectl config get-contexts" lists the contexts',
    );
  }
  if (wanted.registry === undefined) {
    throw new WrongUse(
      "name a registry, too: npm run up -- --context NAME --registry ADDRESS; you must be able to push to the registry, and the cluster must be able to pull from the registry",
    );
  }
  if (!registryForm.test(wanted.registry)) {
    throw new WrongUse(
      `--registry must be an address such as localhost:5001 or registry.example.com/team, without https://, got "${wanted.registry}"`,
    );
  }
  return {
    context: wanted.context,
    kubeconfig:
      remembered?.kubeconfig ??
      absoluteKubeconfig(kubeconfig ?? shell["KUBECONFIG"] ?? "", homedir()),
    registry: wanted.registry,
  };
}

/** Throws an error if stack `local` still has resources in the cluster of the earlier choice. */
async function assertNothingIn(own: OwnCluster, directory: string): Promise<void> {
  if (!isKnown(own, directory)) return;
  const { context, server, uid } = own;
  const workspace: Workspace = { cwd: project, env: ownEnvironment(own, directory) };
  if (!(await stackNames(workspace)).includes("local")) return;
  if ((await stateOf("local", workspace)).resources.length === 0) return;
  throw new UserError(
    `stack local still runs in the cluster of context "${context}" at ${server}. Remove it first: npm run down. ` +
      `If that cluster no longer exists, delete ${directory}/${uid}`,
  );
}

/** Throws an error if the shell has the variables of the sandbox, or if the sandbox runs. */
function assertNoSandbox(): void {
  if (process.env["PULUMI_HOME"] === paths.pulumiHome) {
    throw new UserError(
      'this shell has the variables of the sandbox, from "npm run sandbox -- env"; open another shell, and run the command again',
    );
  }
  // The sandbox exists only on Linux.
  if (process.platform === "linux" && isRunning()) {
    throw new UserError(
      "the sandbox runs, and stack local is in the sandbox; stop the sandbox first: npm run sandbox -- down",
    );
  }
}

/**
 * Chooses where stack `local` runs. For the developer's own cluster, this function checks the
 * programs, the cluster and the registry in parallel. Before the first use of a cluster, this
 * function asks for a confirmation.
 *
 * @returns the cluster. Undefined for the sandbox
 * @throws UserError if the sandbox runs, if stack `local` still has resources in another cluster,
 * if a check fails, or if the user does not confirm. If checks fail, the message has one line for
 * each issue that the checks found. If the function throws an error, the function has changed
 * nothing.
 */
export async function chooseCluster(
  given: Where,
  directory = ownClusterDirectory,
): Promise<OwnCluster | undefined> {
  const before = ownCluster(directory);
  const asked = askedFor(given, before);
  if (asked === undefined) {
    if (before !== undefined) {
      await assertNothingIn(before, directory);
      forgetOwnCluster(directory);
    }
    return undefined;
  }
  assertNoSandbox();
  const own = { ...asked, ...(await checked(asked)) };
  if (before !== undefined && before.uid !== own.uid && !isCreatedAgain(before, own)) {
    await assertNothingIn(before, directory);
  }
  console.log(`Cluster: context "${own.context}" at ${own.server}. Registry: ${own.registry}`);
  if (!isKnown(own, directory)) {
    console.log(
      "This clone uses this cluster for the first time. Stack local gets its own namespace there, and changes nothing else.",
    );
    await confirm(own.context, given.yes ?? false, "change the cluster of context");
  }
  saveOwnCluster(own, directory);
  return own;
}

/**
 * Whether the developer has deleted a cluster, such as a local cluster, and created it again. The
 * new cluster has the same context, but a different UID.
 */
const isCreatedAgain = (before: OwnCluster, { context, kubeconfig }: Asked): boolean =>
  before.context === context && before.kubeconfig === kubeconfig;

/** Checks the programs, the registry and the cluster in parallel. Changes nothing. */
async function checked(asked: Asked): Promise<ClusterFacts> {
  const issues: string[] = [];
  const noting = (error: unknown): undefined => {
    if (!(error instanceof UserError)) throw error;
    issues.push(reasonOf(error));
  };
  const [programs, registry, facts] = await Promise.all([
    missingPrograms(thisSystem()),
    registryIssue(asked.registry),
    readOwnCluster(asked).catch(noting),
  ]);
  const isMissing = programs.some((line) => line.startsWith("kubectl "));
  const all = [
    ...programs,
    ...(registry === undefined ? [] : [registry]),
    // If kubectl is missing, the check of the cluster reports only this issue, a second time.
    ...(isMissing ? [] : issues),
  ];
  if (all.length > 0 || facts === undefined) {
    throw new UserError(`${all.join("\n")}\nNothing was changed.`);
  }
  return facts;
}

/**
 * Checks that the chosen cluster answers, and that the context still points to this cluster.
 *
 * @throws UserError if the cluster does not answer, or if the context now points to another
 * cluster.
 */
export async function assertSameCluster(own: OwnCluster): Promise<void> {
  const { server, uid } = await readOwnCluster(own);
  if (uid === own.uid) return;
  throw new UserError(
    `context "${own.context}" now points to another cluster, at ${server}. Nothing was changed. ` +
      `If the cluster of stack local no longer exists, delete ${ownClusterDirectory}/${own.uid}`,
  );
}

/**
 * Returns how to reach the service. If the URL of the service answers on this machine, the function
 * returns this URL and no lines. Otherwise, the function returns lines with a command that forwards
 * a port, and the URL of the forwarded port. This command needs no ingress controller.
 */
export async function howToReach(
  own: OwnCluster,
  { namespace = "", url = "" }: Outputs,
  shell: Readonly<Record<string, string | undefined>> = process.env,
): Promise<{ readonly lines: readonly string[]; readonly url: string }> {
  if ((await http(`${url}${releasePath}`, 3)) === "open") return { lines: [], url };
  const isAmbient = absoluteKubeconfig(shell["KUBECONFIG"] ?? "", homedir()) === own.kubeconfig;
  const prefix = isAmbient ? "" : `KUBECONFIG=${quoted(own.kubeconfig)} `;
  const which = `--context ${quoted(own.context)} --namespace ${namespace}`;
  return {
    lines: [
      `The service does not answer at ${url}, for example because the cluster has no ingress controller.`,
      "Run this command in a second terminal, and leave it running:",
      `  ${prefix}kubectl ${which} port-forward service/services-orders 8080:80`,
    ],
    url: "http://localhost:8080/",
  };
}
