import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { UserError } from "../lib/errors";
import { replaceFile } from "../lib/replace";

/**
 * The one directory for everything that the sandbox makes. It can be deleted while the sandbox is
 * down.
 */
export const root = resolve(
  process.env["SANDBOX_DIR"] ?? join(homedir(), ".services-orders-sandbox"),
);

/** Paths below {@link root}. Started programs write to no other place. */
export const paths = {
  /** Engine, providers, Kubernetes: built or downloaded once. */
  parts: join(root, "parts"),
  /** Where a part is built or unpacked before it moves to its final place. */
  work: join(root, "work"),
  /** Debian packages, unpacked: daemons and their libraries. */
  debian: join(root, "debian"),
  /** Names and digests of the images that the sandbox has made. */
  images: join(root, "images.json"),
  registry: join(root, "registry"),
  buildkit: join(root, "buildkit"),
  buildkitSocket: join(root, "run", "buildkitd.sock"),
  buildx: join(root, "buildx"),
  /** Certificates, kubeconfigs, etcd, kubelet: the cluster. */
  cluster: join(root, "cluster"),
  /** Mounted over /var inside the sandbox. */
  var: join(root, "var"),
  volumes: join(root, "volumes"),
  /** Process ids, sockets and generated configuration, recreated at every start. */
  run: join(root, "run"),
  logs: join(root, "logs"),
  pulumiHome: join(root, "pulumi"),
  pulumiState: join(root, "state"),
  kubeconfig: join(root, "cluster", "admin.kubeconfig"),
  /**
   * A kubeconfig with only the chosen context of the user's own cluster, so nothing can reach
   * another cluster.
   */
  givenKubeconfig: join(root, "given.kubeconfig"),
  options: join(root, "options.json"),
} as const;

/**
 * Addresses come from 198.18.0.0/15, which is reserved for tests (RFC 2544), so they collide with
 * no real network.
 */
export const net = {
  /**
   * Name of the network interface on the machine's side, and of its other end inside the sandbox.
   */
  outside: "orders-sandbox",
  inside: "uplink",
  outsideAddress: "198.19.255.1",
  /** The node: API server, kubelet. */
  nodeAddress: "198.19.255.2",
  linkPrefix: 30,
  everything: "198.18.0.0/15",
  pods: "198.18.0.0/16",
  services: "198.19.0.0/17",
  dnsService: "198.19.0.10",
  apiService: "198.19.0.1",
  apiPort: 6443,
} as const;

/**
 * Variables for kubectl on the sandbox's cluster. Its cache is in the sandbox's directory, and
 * requests to the sandbox's addresses bypass the machine's proxy.
 */
export function kubectlEnvironment(
  shell: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const given = shell["NO_PROXY"] ?? shell["no_proxy"] ?? "";
  const direct = [...given.split(","), net.everything, "127.0.0.1", "localhost"];
  const noProxy = [...new Set(direct.filter((entry) => entry !== ""))].join(",");
  return { KUBECACHEDIR: join(paths.cluster, "kubectl"), NO_PROXY: noProxy, no_proxy: noProxy };
}

/** The options of the sandbox's start; kept until they are set again or reset. */
export interface Options {
  /** Port of the ingress controller on 127.0.0.1. */
  readonly ingressPort: number;
  /** Port of the registry on 127.0.0.1. */
  readonly registryPort: number;
  /** The user's own cluster: path of its kubeconfig. With it, the sandbox starts no cluster. */
  readonly kubeconfig?: string;
  /** Context in {@link kubeconfig}; its current context if unset. */
  readonly context?: string;
  /**
   * The user's own registry, such as `registry.example.com/team`. With it, the sandbox starts none.
   */
  readonly registry?: string;
}

const DEFAULT_OPTIONS: Options = { ingressPort: 8080, registryPort: 5000 };

/** The options that the sandbox was last started with. */
export function options(): Options {
  const saved = existsSync(paths.options) ? readFileSync(paths.options, "utf8") : "{}";
  return { ...DEFAULT_OPTIONS, ...(JSON.parse(saved) as Partial<Options>) };
}

export function saveOptions(chosen: Options): void {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  replaceFile(paths.options, `${JSON.stringify(chosen, undefined, 2)}\n`);
}

/** The registry's name in image references. */
export function registryName(chosen: Options = options()): string {
  return chosen.registry ?? `localhost:${String(chosen.registryPort)}`;
}

/** The address of a registry. Only the sandbox's own, on this machine, has no TLS. */
export function registryUrl(registry: string = registryName()): string {
  const host = registry.split("/")[0] ?? "";
  return `${host.startsWith("localhost:") ? "http" : "https"}://${host}`;
}

/** Creates a directory, or removes what it contains. */
export function createEmpty(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
}

export function checkRoot(): void {
  if (existsSync(root) && !statSync(root).isDirectory()) {
    throw new UserError(
      `SANDBOX_DIR must be a directory, "${root}" is a file; choose another path, or remove it`,
    );
  }
  for (const hidden of ["/var", "/run", "/proc", "/sys"]) {
    if (root === hidden || root.startsWith(`${hidden}/`)) {
      throw new UserError(
        `SANDBOX_DIR must not be below ${hidden}, got "${root}": the sandbox mounts its own directory there; choose another one`,
      );
    }
  }
}
