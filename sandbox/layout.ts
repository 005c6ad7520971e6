import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { UserError } from "../lib/errors";

/** Where everything that the sandbox makes lies: one directory, which can be deleted while the sandbox is down. */
export const root = resolve(
  process.env["SANDBOX_DIR"] ?? join(homedir(), ".services-orders-sandbox"),
);

/** Paths below {@link root}. What is started knows no other place. */
export const paths = {
  /** Engine, providers, Kubernetes: built or downloaded once. */
  parts: join(root, "parts"),
  /** Where a part is built, or unpacked, before it is moved to its place. */
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
  /** Process ids, sockets, generated configuration: made anew at every start. */
  run: join(root, "run"),
  logs: join(root, "logs"),
  pulumiHome: join(root, "pulumi"),
  pulumiState: join(root, "state"),
  kubeconfig: join(root, "cluster", "admin.kubeconfig"),
  /** The chosen context of a cluster of the person's own, by itself: nothing can lead to another cluster then. */
  givenKubeconfig: join(root, "given.kubeconfig"),
  options: join(root, "options.json"),
} as const;

/**
 * Addresses come from 198.18.0.0/15, which is set aside for tests (RFC 2544) and so collides with no network of yours.
 */
export const net = {
  /** Name of the network interface on the machine's side, and of its other end inside the sandbox. */
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
 * Variables for kubectl on the sandbox's cluster: its cache lies in the sandbox's directory, and no
 * proxy of the machine is asked for the sandbox's addresses.
 */
export function kubectlEnvironment(
  shell: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const given = shell["NO_PROXY"] ?? shell["no_proxy"] ?? "";
  const direct = [...given.split(","), net.everything, "127.0.0.1", "localhost"];
  const noProxy = [...new Set(direct.filter((entry) => entry !== ""))].join(",");
  return { KUBECACHEDIR: join(paths.cluster, "kubectl"), NO_PROXY: noProxy, no_proxy: noProxy };
}

/** What a person may choose when the sandbox starts; kept until it is chosen again or reset. */
export interface Options {
  /** Port of the ingress controller on 127.0.0.1. */
  readonly ingressPort: number;
  /** Port of the registry on 127.0.0.1. */
  readonly registryPort: number;
  /** A cluster of the person's own: path of its kubeconfig. Then the sandbox starts none. */
  readonly kubeconfig?: string;
  /** Context in {@link kubeconfig}; its current one where unset. */
  readonly context?: string;
  /** A registry of the person's own, as `registry.example.com/team`. Then the sandbox starts none. */
  readonly registry?: string;
}

const DEFAULT_OPTIONS: Options = { ingressPort: 8080, registryPort: 5000 };

/** The options that the sandbox was last started with. */
export function options(): Options {
  if (!existsSync(paths.options)) {
    return DEFAULT_OPTIONS;
  }
  return {
    ...DEFAULT_OPTIONS,
    ...(JSON.parse(readFileSync(paths.options, "utf8")) as Partial<Options>),
  };
}

export function saveOptions(chosen: Options): void {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  writeFileSync(paths.options, `${JSON.stringify(chosen, undefined, 2)}\n`);
}

/** The registry as image references name it. */
export function registryName(chosen: Options = options()): string {
  return chosen.registry ?? `localhost:${String(chosen.registryPort)}`;
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
        `SANDBOX_DIR must not be below ${hidden}, got "${root}": the sandbox mounts its own there; choose another directory`,
      );
    }
  }
}
