import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { command } from "../lib/command";
import { type Steps } from "../lib/progress";
import { messageOf, UserError } from "../lib/errors";
import { eventually } from "../lib/time";
import { replaceFile } from "../lib/replace";
import { addons } from "./node/addons";
import { isHealthy, podWarnings, waitUntilHealthy } from "./health-checks";
import { createNamespaces, removeNamespaces } from "./node/namespaces";
import { ensureCertificates } from "./node/certificates";
import { ensureTestAuthority } from "./node/test-authority";
import {
  buildkitDaemon,
  containerdDaemon,
  etcdDaemon,
  ingressDaemon,
  networkPolicyDaemon,
  networkPolicyRules,
  registryDaemons,
  storageDaemon,
} from "./node/daemons";
import { tool, toolsAreUnpacked, unpackTools } from "./install/debian";
import { prepareEngine } from "./environment";
import { type ImageName, makeMissingImages } from "./install/images";
import { apiServerDaemon, controlDaemons, kubectl, nodeDaemons } from "./node/kubernetes";
import { checkRoot, options, type Options, paths, root, saveOptions } from "./layout";
import { checkBuildable, downloadOrBuild, isInstalled } from "./install/download-or-build";
import { type Part, parts } from "./install/parts";
import { registryIssue } from "./own-cluster/registry";
import { exclusively, preflight } from "./preflight";
import { newPods, prepareNewPods } from "./node/new-pods";
import { initPid, orphans, runInNamespaces, sandboxProcesses, signal } from "./node/processes";
import { daemonPid, startDaemons } from "./node/supervision";

/** Names of the parts that the sandbox needs if it uses the user's own cluster. */
const ENGINE = new Set(["pulumi", "resource-kubernetes", "resource-docker-build", "buildkit"]);
/**
 * Returns the parts that the sandbox needs. If the sandbox uses the user's own cluster, it needs
 * only the parts in {@link ENGINE}. For example, it does not need the part `kubernetes`: the user's
 * cluster already runs Kubernetes, and the user already has kubectl.
 */
const wantedParts = (chosen: Options): Part[] =>
  parts.filter((part) => chosen.kubeconfig === undefined || ENGINE.has(part.name));
const wantedImages = (chosen: Options): ImageName[] =>
  chosen.kubeconfig === undefined
    ? ["pause", "coredns", "metrics-server", "postgres", "jre"]
    : ["postgres", "jre"];

const missingParts = (chosen: Options): Part[] =>
  wantedParts(chosen).filter((part) => !isInstalled(part));

/** Returns the number of progress steps of {@link up}. */
export function stepsOfUp(chosen: Options): number {
  const setUpSteps = missingParts(chosen).length + (toolsAreUnpacked() ? 0 : 1);
  return setUpSteps + (chosen.kubeconfig === undefined ? 5 : 2);
}

/**
 * Installs missing parts, and starts the daemons that do not run. This function is idempotent.
 *
 * @param annotations annotations of the namespace kube-system, if the sandbox has its own cluster
 * @returns the duration of the start in milliseconds, without the set-up and without the base
 * images
 */
export async function up(
  chosen: Options,
  steps: Steps,
  annotations: Readonly<Record<string, string>>,
): Promise<number> {
  const missing = missingParts(chosen);
  await preflight(chosen, missing.length === 0 && toolsAreUnpacked());
  await checkBuildable(missing);
  const given = await checkOwnCluster(chosen);
  const issue = chosen.registry === undefined ? undefined : await registryIssue(chosen.registry);
  if (issue !== undefined) throw new UserError(issue);
  return exclusively("sandbox up", async () => {
    checkSameOptions(chosen);
    saveOptions(chosen);
    // The code changes the file `givenKubeconfig` only after checkSameOptions, because a running
    // sandbox may use this file.
    if (given === undefined) rmSync(paths.givenKubeconfig, { force: true });
    else replaceFile(paths.givenKubeconfig, given, 0o600);
    await setUp(missing, steps);
    return start(chosen, steps, annotations);
  });
}

function checkSameOptions(chosen: Options): void {
  if (
    initPid() !== undefined &&
    JSON.stringify(options()) !== JSON.stringify({ ...options(), ...chosen })
  ) {
    throw new UserError(
      "the sandbox already runs with other options; stop it with npm run sandbox -- down, then run this command again",
    );
  }
}

/**
 * Checks that the user's own cluster answers. Call this function before the set-up changes
 * anything.
 *
 * @returns the content of a kubeconfig with only the chosen context. Undefined if the sandbox has
 * its own cluster, or if the user has chosen no context.
 * @throws UserError if the user's own cluster does not answer, or if the user has set the option
 * `kubeconfig` without the option `registry`.
 */
async function checkOwnCluster(chosen: Options): Promise<string | undefined> {
  const { context, kubeconfig } = chosen;
  if (kubeconfig === undefined) return undefined;
  if (chosen.registry === undefined) {
    throw new UserError(
      "--kubeconfig needs --registry <name>: your cluster cannot pull images from the sandbox's registry",
    );
  }
  const where = [
    `--kubeconfig=${kubeconfig}`,
    ...(context === undefined ? [] : [`--context=${context}`]),
  ];
  // The timeout of the kubectl process is longer than the timeout of a request, because some
  // kubectl installations contact the cluster twice for each command.
  const ask = async (seconds: number, ...args: string[]): Promise<string> =>
    command("kubectl", [...where, `--request-timeout=${String(seconds)}s`, ...args], {
      timeout: 30_000,
    });
  await ask(10, "get", "--raw", "/readyz").catch(async (error: unknown) => {
    const address = "jsonpath={.clusters[0].cluster.server}";
    const server = await ask(10, "config", "view", "--minify", "-o", address).catch(() => "");
    const cause = messageOf(error).split("\n").at(-1) ?? "";
    const which = context === undefined ? "" : ` (context ${context})`;
    throw new UserError(
      `the cluster of ${kubeconfig}${which}${server === "" ? "" : ` at ${server}`} does not answer: ${cause}; check its address and your access, and run the command again`,
    );
  });
  return context === undefined
    ? undefined
    : ask(10, "config", "view", "--minify", "--flatten", "--raw");
}

async function setUp(missing: readonly Part[], steps: Steps): Promise<void> {
  if (!toolsAreUnpacked()) {
    await steps.step("Debian packages: etcd, containerd, registry and their tools", unpackTools);
  }
  for (const [i, part] of missing.entries()) {
    await steps.step(`${part.title} ${part.version}`, async (report) => {
      console.log(`      ${await downloadOrBuild(part, report, missing[i + 1])}`);
    });
  }
  for (const directory of ["ahead", "build"]) {
    rmSync(join(paths.work, directory), { recursive: true, force: true });
  }
}

async function start(
  chosen: Options,
  steps: Steps,
  annotations: Readonly<Record<string, string>>,
): Promise<number> {
  const started = Date.now();
  await steps.step("Registry and image builder", async () => {
    await createNamespaces(chosen.kubeconfig === undefined);
    prepareEngine();
    await ensureTestAuthority();
    const registry = registryDaemons(chosen);
    await startDaemons(...registry, buildkitDaemon());
    if (registry[0] !== undefined) {
      await waitUntilHealthy("the registry", registry[0], isHealthy.registry);
    }
    await waitUntilHealthy("BuildKit", buildkitDaemon(), isHealthy.builder);
  });
  const imagesTook = await steps.step("Base images", async (report) =>
    makeMissingImages(wantedImages(chosen), report),
  );
  if (chosen.kubeconfig === undefined) {
    await steps.step("Kubernetes control plane", async () => startControlPlane(annotations));
    await steps.step("Node", startNode);
    await steps.step("Cluster DNS and ingress controller", async () => {
      await startDaemons(ingressDaemon(chosen));
      await waitUntilHealthy("the ingress controller", ingressDaemon(chosen), isHealthy.ingress);
      await waitUntilHealthy("cluster DNS", undefined, isHealthy.dns, podWarnings);
    });
  }
  return Date.now() - started - imagesTook;
}

async function startControlPlane(annotations: Readonly<Record<string, string>>): Promise<void> {
  await ensureCertificates();
  await prepareNewPods();
  // This function does not wait for containerd, because only the kubelet needs containerd, and the
  // kubelet starts later.
  await startDaemons(containerdDaemon(), etcdDaemon(), apiServerDaemon());
  await waitUntilHealthy("kube-apiserver", apiServerDaemon(), isHealthy.apiServer);
  await startDaemons(...controlDaemons());
  await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], addons(annotations));
}

async function startNode(): Promise<void> {
  await endOutdatedAgent();
  await startDaemons(networkPolicyDaemon(), ...nodeDaemons(), storageDaemon());
  await ensurePolicyRules();
  await waitUntilHealthy("the node", nodeDaemons()[0], isHealthy.node);
}

/**
 * Ends a NetworkPolicy agent that an older version of the sandbox has started, because such an
 * agent would never open the firewall for a new pod.
 */
async function endOutdatedAgent(): Promise<void> {
  const { name } = networkPolicyDaemon();
  const pid = daemonPid(name);
  const running = sandboxProcesses().find((process) => process.pid === pid);
  if (pid === undefined || running?.commandLine.includes(newPods) === true) return;
  signal(pid, "SIGTERM");
  await eventually(() => daemonPid(name) === undefined, 5_000);
}

/**
 * Writes the firewall rules that send connections to the NetworkPolicy agent. If an older version
 * of the sandbox has written other rules, the function replaces the older rules in one step, so
 * that there is no moment without rules.
 */
async function ensurePolicyRules(): Promise<void> {
  const known = await runInNamespaces([tool("iptables-save"), "-t", "mangle"]);
  const jump = "-A POSTROUTING -j SANDBOX-POLICIES";
  if (known.includes(jump) && known.includes(newPods)) return;
  // iptables-restore replaces the rules of the SANDBOX-POLICIES chain, but keeps the existing rules
  // of POSTROUTING and INPUT that jump to this chain. So the code leaves out the lines that would
  // add these jumps a second time.
  const rules = known.includes(jump)
    ? networkPolicyRules.replace(/^-A (?:POSTROUTING|INPUT) .*\n/gm, "")
    : networkPolicyRules;
  await runInNamespaces([tool("iptables-restore"), "--noflush"], rules);
}

export function isRunning(): boolean {
  return initPid() !== undefined;
}

/** Stops the sandbox's processes. Keeps the state, images and volumes for the next start. */
export async function down(): Promise<void> {
  checkRoot();
  if (!existsSync(root)) {
    return;
  }
  await exclusively("sandbox down", async () => {
    if (!toolsAreUnpacked()) return;
    await removeNamespaces(options().kubeconfig === undefined);
    for (const pid of orphans()) signal(pid, "SIGKILL");
  });
}

/**
 * Stops the sandbox, and removes its cluster, volumes, images and Pulumi state.
 *
 * @param everything whether to remove the installed parts and Debian packages, too
 */
export async function reset(everything: boolean): Promise<void> {
  await down();
  const kept: readonly string[] = [paths.parts, paths.debian];
  const data = Object.values(paths).filter((path) => !kept.includes(path));
  for (const path of everything ? [root] : data) rmSync(path, { recursive: true, force: true });
}
