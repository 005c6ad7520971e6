import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { Resolver } from "node:dns/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { command } from "../command";
import { duration, type Report, type Steps, UserError } from "../progress";
import { addons } from "./addons";
import { boxPid, closeBox, type Daemon, daemonPid, inBox, lastWords, logFile, openBox, startDaemon } from "./box";
import { ensureCertificates, NODE } from "./certificates";
import {
  apiServerDaemon,
  buildctl,
  buildkitDaemon,
  containerdDaemon,
  controlDaemons,
  etcdDaemon,
  ingressDaemon,
  kubectl,
  networkPolicyDaemon,
  networkPolicyRules,
  nodeDaemons,
  plugin,
  pulumiDirectory,
  registryDaemons,
  storageDaemon,
} from "./daemons";
import { tool, toolsAreUnpacked, unpackTools } from "./debian";
import { type ImageName, imageRef, imageTitle, makeImage, missingImages } from "./images";
import { net, options, type Options, paths, registryName, root, saveOptions } from "./layout";
import { isObtained, obtain } from "./obtain";
import { type Part, parts, versions } from "./parts";
import { exclusively, preflight } from "./preflight";

/** Parts that a person with a cluster of their own needs too. */
const ENGINE = new Set(["pulumi", "resource-kubernetes", "resource-docker-build", "buildkit"]);
/** kubectl is one of the Kubernetes part's files: with a cluster of one's own, the person has it. */
const wantedParts = (chosen: Options): Part[] =>
  parts.filter((part) => chosen.kubeconfig === undefined || ENGINE.has(part.name));
const wantedImages = (chosen: Options): ImageName[] =>
  chosen.kubeconfig === undefined ? ["pause", "coredns", "metrics-server", "postgres", "jre"] : ["postgres", "jre"];

/** How long something may take to answer after its start. Measured starts take a tenth of it. */
const ANSWER_MS = 120_000;

async function until(what: string, daemon: Daemon | undefined, answers: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + ANSWER_MS;
  let reason = "";
  for (;;) {
    const answered = await answers().catch((error: unknown) => {
      reason = `: ${error instanceof Error ? (error.message.split("\n").at(-1) ?? "") : String(error)}`;
      return false;
    });
    if (answered) {
      return;
    }
    if (daemon !== undefined && daemonPid(daemon.name) === undefined) {
      throw new UserError(`${what} ended right after its start; the end of ${logFile(daemon.name)}:\n${lastWords(daemon)}`);
    }
    if (Date.now() > deadline) {
      const words = daemon === undefined ? "" : `; the end of ${logFile(daemon.name)}:\n${lastWords(daemon)}`;
      throw new UserError(`${what} did not answer within ${duration(ANSWER_MS)}${reason}${words}`);
    }
    await sleep(100);
  }
}

async function http(url: string): Promise<boolean> {
  return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;
}

async function kube(...args: string[]): Promise<string> {
  return command(kubectl(), [`--kubeconfig=${paths.kubeconfig}`, "--request-timeout=5s", ...args], { timeout: 30_000 });
}

const answers = {
  registry: async (): Promise<boolean> => http(`http://127.0.0.1:${String(options().registryPort)}/v2/`),
  builder: async (): Promise<boolean> =>
    (await command(buildctl(), [`--addr=unix://${paths.buildkitSocket}`, "debug", "workers"], { timeout: 5_000 })) !== "",
  apiServer: async (): Promise<boolean> => (await kube("get", "--raw", "/readyz")) === "ok",
  node: async (): Promise<boolean> =>
    (await kube("get", "node", NODE, "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')) === "True",
  dns: async (): Promise<boolean> => {
    const resolver = new Resolver({ timeout: 1_000, tries: 1 });
    resolver.setServers([net.dnsService]);
    return (await resolver.resolve4("kubernetes.default.svc.cluster.local")).includes(net.apiService);
  },
  ingress: async (): Promise<boolean> => http(`http://127.0.0.1:${String(options().ingressPort)}/ping`),
  metrics: async (): Promise<boolean> => (await kube("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes")).includes(NODE),
};

/** Every daemon, last started first. */
function daemons(chosen: Options): Daemon[] {
  const edge = [...(chosen.registry === undefined ? registryDaemons(chosen) : []), buildkitDaemon()];
  if (chosen.kubeconfig !== undefined) {
    return edge;
  }
  const [kubelet, proxy] = nodeDaemons() as [Daemon, Daemon];
  return [
    ...[ingressDaemon(chosen), kubelet, proxy, networkPolicyDaemon(), storageDaemon(), ...controlDaemons()],
    ...[apiServerDaemon(), etcdDaemon(), containerdDaemon(), ...edge],
  ];
}

const missingParts = (chosen: Options): Part[] => wantedParts(chosen).filter((part) => !isObtained(part));

/** Number of steps that {@link up} will take. */
export function stepsOfUp(chosen: Options): number {
  const setUpSteps = missingParts(chosen).length + (toolsAreUnpacked() ? 0 : 1);
  return setUpSteps + (chosen.kubeconfig === undefined ? 5 : 2);
}

/**
 * Sets up whatever is missing, and starts whatever does not run. Doing it twice is harmless.
 *
 * @returns milliseconds that the start took, without the set-up.
 */
export async function up(chosen: Options, steps: Steps): Promise<number> {
  const missing = missingParts(chosen);
  await preflight(chosen, missing.length === 0 && toolsAreUnpacked());
  await checkGiven(chosen);
  return exclusively("sandbox up", async () => {
    refuseOtherOptions(chosen);
    saveOptions(chosen);
    await setUp(missing, steps);
    return start(chosen, steps);
  });
}

function refuseOtherOptions(chosen: Options): void {
  if (boxPid() !== undefined && JSON.stringify(options()) !== JSON.stringify({ ...options(), ...chosen })) {
    throw new UserError(
      "the sandbox runs with other options; stop it first: npm run sandbox -- down, then start it with these",
    );
  }
}

/** A cluster or registry of the person's own must answer before anything is set up for it. */
async function checkGiven(chosen: Options): Promise<void> {
  if (chosen.kubeconfig !== undefined) {
    if (chosen.registry === undefined) {
      throw new UserError(
        "--kubeconfig needs --registry too: a cluster elsewhere cannot pull from a registry on this machine",
      );
    }
    const context = chosen.context === undefined ? [] : [`--context=${chosen.context}`];
    const where = `the cluster of ${chosen.kubeconfig}${chosen.context === undefined ? "" : ` (context ${chosen.context})`}`;
    await command("kubectl", [`--kubeconfig=${chosen.kubeconfig}`, ...context, "--request-timeout=8s", "get", "--raw", "/readyz"], {
      timeout: 10_000,
    }).catch((error: unknown) => {
      const cause = error instanceof Error ? (error.message.split("\n").at(-1) ?? "") : "";
      throw new UserError(`${where} does not answer: ${cause}; check its address and your access, and run the command again`);
    });
  }
}

async function setUp(missing: readonly Part[], steps: Steps): Promise<void> {
  if (!toolsAreUnpacked()) {
    await steps.step("Debian packages: etcd, containerd, registry and their tools", unpackTools);
  }
  for (const part of missing) {
    await steps.step(`${part.title} ${part.version}`, async (report) => {
      console.log(`      ${await obtain(part, report)}`);
    });
  }
  rmSync(join(paths.work, "build"), { recursive: true, force: true });
}

async function start(chosen: Options, steps: Steps): Promise<number> {
  const started = Date.now();
  await steps.step("Registry and image builder", async () => {
    await openBox();
    prepareEngine();
    for (const daemon of [...(chosen.registry === undefined ? registryDaemons(chosen) : []), buildkitDaemon()]) {
      await startDaemon(daemon);
    }
    if (chosen.registry === undefined) {
      await until("the registry", registryDaemons(chosen)[0], answers.registry);
    }
    await until("BuildKit", buildkitDaemon(), answers.builder);
  });
  const imagesTook = await steps.step("Base images", async (report) => makeMissingImages(chosen, report));
  if (chosen.kubeconfig === undefined) {
    await steps.step("Kubernetes control plane", startControlPlane);
    await steps.step("Node", startNode);
    await steps.step("Cluster DNS and ingress controller", async () => {
      await startDaemon(ingressDaemon(chosen));
      await until("the ingress controller", ingressDaemon(chosen), answers.ingress);
      await until("cluster DNS", undefined, answers.dns);
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
  // Nothing depends on the container runtime until the kubelet starts, so it may take its time meanwhile.
  await startDaemon(containerdDaemon());
  await startDaemon(etcdDaemon());
  await startDaemon(apiServerDaemon());
  await until("kube-apiserver", apiServerDaemon(), answers.apiServer);
  for (const daemon of controlDaemons()) {
    await startDaemon(daemon);
  }
  await command(kubectl(), [`--kubeconfig=${paths.kubeconfig}`, "apply", "--server-side", "--force-conflicts", "-f", "-"], {
    input: addons(),
    timeout: 60_000,
  });
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

/** Pulumi's home, state and passphrase, and the builder by which its Docker Build provider finds BuildKit. */
function prepareEngine(): void {
  for (const name of ["kubernetes", "docker-build"] as const) {
    const version = name === "kubernetes" ? versions.kubernetesProvider : versions.dockerBuildProvider;
    const directory = join(paths.pulumiHome, "plugins", `resource-${name}-v${version}`);
    mkdirSync(directory, { recursive: true });
    const link = join(directory, `pulumi-resource-${name}`);
    rmSync(link, { force: true });
    symlinkSync(plugin(name), link);
  }
  mkdirSync(paths.pulumiState, { recursive: true });
  if (!existsSync(paths.passphrase)) {
    writeFileSync(paths.passphrase, randomBytes(24).toString("base64"), { mode: 0o600 });
  }
  const instances = join(paths.buildx, "instances");
  mkdirSync(instances, { recursive: true });
  writeFileSync(
    join(instances, "sandbox"),
    JSON.stringify({
      Name: "sandbox",
      Driver: "remote",
      Nodes: [
        {
          Name: "sandbox0",
          Endpoint: `unix://${paths.buildkitSocket}`,
          Platforms: null,
          DriverOpts: null,
          Flags: null,
          Files: null,
        },
      ],
      Dynamic: false,
    }),
  );
}

/** What a shell needs so that plain `pulumi` and `kubectl` work on the sandbox. */
export function environment(): Record<string, string> {
  const chosen = options();
  const bin = [pulumiDirectory(), ...(chosen.kubeconfig === undefined ? [join(kubectl(), "..")] : [])];
  return {
    PATH: [...bin, process.env["PATH"] ?? ""].join(":"),
    KUBECONFIG: chosen.kubeconfig ?? paths.kubeconfig,
    PULUMI_HOME: paths.pulumiHome,
    PULUMI_BACKEND_URL: `file://${paths.pulumiState}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: paths.passphrase,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    BUILDX_CONFIG: paths.buildx,
    BUILDX_BUILDER: "sandbox",
    SANDBOX_REGISTRY: registryName(chosen),
    SANDBOX_BASE_IMAGE: imageRef("jre"),
    SANDBOX_POSTGRES_IMAGE: imageRef("postgres"),
    ...(chosen.kubeconfig === undefined ? { SANDBOX_INGRESS_PORT: String(chosen.ingressPort) } : {}),
  };
}

export function isRunning(): boolean {
  return boxPid() !== undefined;
}

/** Stops exactly what was started. State, images and volumes stay for the next start. */
export async function down(): Promise<void> {
  if (!existsSync(root)) {
    return;
  }
  await exclusively("sandbox down", async () => {
    if (toolsAreUnpacked()) {
      await closeBox();
    }
  });
}

/** Stops the sandbox and removes what belongs to its cluster: objects, volumes, images, Pulumi state. Parts stay. */
export async function reset(everything: boolean): Promise<void> {
  await down();
  const kept = everything ? [] : [paths.parts, paths.debian];
  const removed = everything
    ? [root]
    : [
        ...[paths.cluster, paths.registry, paths.buildkit, paths.images, paths.pulumiHome, paths.pulumiState, paths.passphrase],
        ...[paths.var, paths.volumes, paths.logs, paths.work, paths.options, paths.buildx],
      ];
  for (const path of removed.filter((candidate) => !kept.includes(candidate))) {
    rmSync(path, { recursive: true, force: true });
  }
}

export interface Status {
  readonly what: string;
  readonly state: string;
  readonly good: boolean;
}

/** What runs and answers, and what the sandbox cannot do. */
export async function status(): Promise<Status[]> {
  const chosen = options();
  const rows: Status[] = [];
  if (!isRunning()) {
    return [{ what: "sandbox", state: "not running; start it with: npm run sandbox -- up", good: false }];
  }
  for (const daemon of daemons(chosen).reverse()) {
    const pid = daemonPid(daemon.name);
    rows.push({
      what: daemon.name,
      state: pid === undefined ? `not running; its log: ${logFile(daemon.name)}` : `runs, process ${String(pid)}`,
      good: pid !== undefined,
    });
  }
  const checks: [string, () => Promise<boolean>][] = [["builder answers", answers.builder]];
  if (chosen.registry === undefined) {
    checks.push(["registry answers", answers.registry]);
  }
  if (chosen.kubeconfig === undefined) {
    checks.push(
      ["API server answers", answers.apiServer],
      ["node is Ready", answers.node],
      ["cluster DNS answers", answers.dns],
      ["ingress controller answers", answers.ingress],
      ["metrics are there", answers.metrics],
    );
  }
  for (const [what, check] of checks) {
    const good = await check().catch(() => false);
    rows.push({ what, state: good ? "yes" : "no", good });
  }
  return rows;
}
