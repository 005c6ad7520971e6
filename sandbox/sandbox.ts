import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "../lib/command";
import { type Report, type Steps } from "../lib/progress";
import { UserError } from "../lib/errors";
import { addons } from "./node/addons";
import { answers, podWarnings, until } from "./health-checks";
import { closeBox, openBox } from "./node/node";
import { ensureCertificates } from "./node/certificates";
import {
  buildctl,
  buildkitDaemon,
  containerdDaemon,
  etcdDaemon,
  ingressDaemon,
  kubectl,
  networkPolicyDaemon,
  networkPolicyRules,
  registryDaemons,
  storageDaemon,
} from "./node/daemons";
import { tool, toolsAreUnpacked, unpackTools } from "./install/debian";
import { prepareEngine } from "./environment";
import { type ImageName, imageTitle, makeImage, missingImages } from "./install/images";
import { apiServerDaemon, controlDaemons, nodeDaemons } from "./node/kubernetes";
import {
  checkRoot,
  kubectlEnvironment,
  options,
  type Options,
  paths,
  root,
  saveOptions,
} from "./layout";
import { checkBuildable, isObtained, obtain } from "./install/obtain";
import { type Part, parts } from "./install/parts";
import { exclusively, preflight } from "./preflight";
import { boxPid, inBox, orphans, signal } from "./node/processes";
import { startDaemon } from "./node/supervision";

/** Parts that are also needed with the user's own cluster. */
const ENGINE = new Set(["pulumi", "resource-kubernetes", "resource-docker-build", "buildkit"]);
/** kubectl is one of the Kubernetes part's files; users with their own cluster already have it. */
const wantedParts = (chosen: Options): Part[] =>
  parts.filter((part) => chosen.kubeconfig === undefined || ENGINE.has(part.name));
const wantedImages = (chosen: Options): ImageName[] =>
  chosen.kubeconfig === undefined
    ? ["pause", "coredns", "metrics-server", "postgres", "jre"]
    : ["postgres", "jre"];

const missingParts = (chosen: Options): Part[] =>
  wantedParts(chosen).filter((part) => !isObtained(part));

/** Number of steps that {@link up} will take. */
export function stepsOfUp(chosen: Options): number {
  const setUpSteps = missingParts(chosen).length + (toolsAreUnpacked() ? 0 : 1);
  return setUpSteps + (chosen.kubeconfig === undefined ? 5 : 2);
}

/**
 * Sets up what is missing, and starts what does not run. Idempotent.
 *
 * @returns the milliseconds of the start, without the set-up
 */
export async function up(chosen: Options, steps: Steps): Promise<number> {
  const missing = missingParts(chosen);
  await preflight(chosen, missing.length === 0 && toolsAreUnpacked());
  await checkBuildable(missing);
  const given = await checkGiven(chosen);
  return exclusively("sandbox up", async () => {
    refuseOtherOptions(chosen);
    saveOptions(chosen);
    // Only after the check above: what runs reads this file.
    if (given === undefined) rmSync(paths.givenKubeconfig, { force: true });
    else writeFileSync(paths.givenKubeconfig, given, { mode: 0o600 });
    await setUp(missing, steps);
    return start(chosen, steps);
  });
}

function refuseOtherOptions(chosen: Options): void {
  if (
    boxPid() !== undefined &&
    JSON.stringify(options()) !== JSON.stringify({ ...options(), ...chosen })
  ) {
    throw new UserError(
      "the sandbox runs with other options; stop it first: npm run sandbox -- down, then start it with these",
    );
  }
}

/**
 * The user's own cluster or registry must answer before anything is set up for it.
 *
 * @returns a kubeconfig with only the chosen context
 */
async function checkGiven(chosen: Options): Promise<string | undefined> {
  let only: string | undefined;
  if (chosen.kubeconfig !== undefined) {
    if (chosen.registry === undefined) {
      throw new UserError(
        "--kubeconfig needs --registry too: a cluster elsewhere cannot pull from a registry on this machine",
      );
    }
    const context = chosen.context === undefined ? [] : [`--context=${chosen.context}`];
    // Some kubectl installations consist of two programs, and both contact the cluster for every
    // command.
    const ask = async (seconds: number, ...args: string[]): Promise<string> =>
      command(
        "kubectl",
        [
          `--kubeconfig=${chosen.kubeconfig ?? ""}`,
          ...context,
          `--request-timeout=${String(seconds)}s`,
          ...args,
        ],
        { timeout: 10_000 },
      );
    await ask(4, "get", "--raw", "/readyz").catch(async (error: unknown) => {
      const address = "jsonpath={.clusters[0].cluster.server}";
      const server = await ask(1, "config", "view", "--minify", "-o", address).catch(() => "");
      const cause = error instanceof Error ? (error.message.split("\n").at(-1) ?? "") : "";
      const which = chosen.context === undefined ? "" : ` (context ${chosen.context})`;
      throw new UserError(
        `the cluster of ${chosen.kubeconfig ?? ""}${which}${server === "" ? "" : ` at ${server}`} does not answer: ${cause}; check its address and your access, and run the command again`,
      );
    });
    if (chosen.context !== undefined) {
      only = await ask(4, "config", "view", "--minify", "--flatten", "--raw");
    }
  }
  if (chosen.registry !== undefined) {
    await checkGivenRegistry(chosen.registry);
  }
  return only;
}

/** A registry answers 200, or 401 if it asks for a login, which BuildKit and the cluster have. */
async function checkGivenRegistry(registry: string): Promise<void> {
  const host = registry.split("/")[0] ?? "";
  const url = `${host.startsWith("localhost:") ? "http" : "https"}://${host}/v2/`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(8_000) }).catch(
    (error: unknown) => error,
  );
  if (!(answer instanceof Response) || (!answer.ok && answer.status !== 401)) {
    const said =
      answer instanceof Response ? `answers ${String(answer.status)}` : "does not answer";
    throw new UserError(
      `the registry ${registry} ${said} at ${url}; check its name, and run the command again`,
    );
  }
}

async function setUp(missing: readonly Part[], steps: Steps): Promise<void> {
  if (!toolsAreUnpacked()) {
    await steps.step("Debian packages: etcd, containerd, registry and their tools", unpackTools);
  }
  for (const [i, part] of missing.entries()) {
    await steps.step(`${part.title} ${part.version}`, async (report) => {
      console.log(`      ${await obtain(part, report, missing[i + 1])}`);
    });
  }
  for (const directory of ["ahead", "build"]) {
    rmSync(join(paths.work, directory), { recursive: true, force: true });
  }
}

async function start(chosen: Options, steps: Steps): Promise<number> {
  const started = Date.now();
  await steps.step("Registry and image builder", async () => {
    await openBox(chosen.kubeconfig === undefined);
    prepareEngine();
    for (const daemon of [
      ...(chosen.registry === undefined ? registryDaemons(chosen) : []),
      buildkitDaemon(),
    ]) {
      await startDaemon(daemon);
    }
    if (chosen.registry === undefined) {
      await until("the registry", registryDaemons(chosen)[0], answers.registry);
    }
    await until("BuildKit", buildkitDaemon(), answers.builder);
  });
  const imagesTook = await steps.step("Base images", async (report) =>
    makeMissingImages(chosen, report),
  );
  if (chosen.kubeconfig === undefined) {
    await steps.step("Kubernetes control plane", startControlPlane);
    await steps.step("Node", startNode);
    await steps.step("Cluster DNS and ingress controller", async () => {
      await startDaemon(ingressDaemon(chosen));
      await until("the ingress controller", ingressDaemon(chosen), answers.ingress);
      await until("cluster DNS", undefined, answers.dns, podWarnings);
    });
  }
  return Date.now() - started - imagesTook;
}

async function makeMissingImages(chosen: Options, report: Report): Promise<number> {
  const started = Date.now();
  const missing = await missingImages(wantedImages(chosen));
  for (const name of missing) {
    const how = await makeImage(name, buildctl(), (detail) => {
      report(`${imageTitle(name)}: ${detail}`);
    });
    console.log(`      ${imageTitle(name)}: ${how}`);
  }
  return missing.length === 0 ? 0 : Date.now() - started;
}

async function startControlPlane(): Promise<void> {
  await ensureCertificates();
  // Only the kubelet depends on the container runtime, so it can finish its start in the
  // background.
  await startDaemon(containerdDaemon());
  await startDaemon(etcdDaemon());
  await startDaemon(apiServerDaemon());
  await until("kube-apiserver", apiServerDaemon(), answers.apiServer);
  for (const daemon of controlDaemons()) {
    await startDaemon(daemon);
  }
  await command(
    kubectl(),
    [`--kubeconfig=${paths.kubeconfig}`, "apply", "--server-side", "--force-conflicts", "-f", "-"],
    {
      env: kubectlEnvironment(),
      input: addons(),
      timeout: 60_000,
    },
  );
}

async function startNode(): Promise<void> {
  for (const daemon of [...nodeDaemons(), storageDaemon()]) {
    await startDaemon(daemon);
  }
  await startDaemon(networkPolicyDaemon());
  const known = await inBox([tool("iptables-save"), "-t", "mangle"]);
  if (!known.includes("-A POSTROUTING -j SANDBOX-POLICIES")) {
    await inBox([tool("iptables-restore"), "--noflush"], "node", networkPolicyRules);
  }
  await until("the node", nodeDaemons()[0], answers.node);
}

export function isRunning(): boolean {
  return boxPid() !== undefined;
}

/** Stops exactly what was started. State, images and volumes remain for the next start. */
export async function down(): Promise<void> {
  checkRoot();
  if (!existsSync(root)) {
    return;
  }
  await exclusively("sandbox down", async () => {
    if (toolsAreUnpacked()) {
      await closeBox(options().kubeconfig === undefined);
      for (const pid of orphans()) {
        signal(pid, "SIGKILL");
      }
    }
  });
}

/**
 * Stops the sandbox and removes what belongs to its cluster: objects, volumes, images, Pulumi
 * state. Parts remain.
 */
export async function reset(everything: boolean): Promise<void> {
  await down();
  const kept = everything ? [] : [paths.parts, paths.debian];
  const removed = everything
    ? [root]
    : [
        ...[
          paths.cluster,
          paths.registry,
          paths.buildkit,
          paths.images,
          paths.pulumiHome,
          paths.pulumiState,
        ],
        ...[paths.var, paths.volumes, paths.logs, paths.work, paths.options, paths.buildx],
        paths.givenKubeconfig,
      ];
  for (const path of removed.filter((candidate) => !kept.includes(candidate))) {
    rmSync(path, { recursive: true, force: true });
  }
}
