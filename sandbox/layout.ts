import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { UserError } from "../lib/errors";
import { replaceFile } from "../lib/replace";

/**
 * Directory that contains all files of the sandbox: SANDBOX_DIR, or ~/.services-orders-sandbox. You
 * can delete this directory after `npm run sandbox -- down`.
 */
export const root = resolve(
  process.env["SANDBOX_DIR"] ?? join(homedir(), ".services-orders-sandbox"),
);

/** Paths below {@link root}. The daemons of the sandbox write to the disk only below `root`. */
export const paths = {
  /** The installed parts, such as Pulumi's engine, Pulumi's providers and Kubernetes. */
  parts: join(root, "parts"),
  /**
   * Temporary files. The sandbox builds or unpacks each part in this directory, and then moves the
   * part to `parts`.
   */
  work: join(root, "work"),
  /** The unpacked Debian packages: daemons, tools and their libraries. */
  debian: join(root, "debian"),
  /** Names and digests of the images that the sandbox has pushed to its registry. */
  images: join(root, "images.json"),
  registry: join(root, "registry"),
  buildkit: join(root, "buildkit"),
  buildkitSocket: join(root, "run", "buildkitd.sock"),
  buildx: join(root, "buildx"),
  /** The cluster's certificates, kubeconfigs, etcd data and kubelet data. */
  cluster: join(root, "cluster"),
  /**
   * Directory that is mounted at /var for the sandbox's programs, instead of the machine's /var.
   */
  var: join(root, "var"),
  volumes: join(root, "volumes"),
  /**
   * Process ids, sockets and configuration files of the daemons. Each start of the sandbox creates
   * these files again.
   */
  run: join(root, "run"),
  logs: join(root, "logs"),
  pulumiHome: join(root, "pulumi"),
  pulumiState: join(root, "state"),
  kubeconfig: join(root, "cluster", "admin.kubeconfig"),
  /**
   * A kubeconfig with only the chosen context of the user's own cluster, so that no command reaches
   * another cluster by mistake.
   */
  givenKubeconfig: join(root, "given.kubeconfig"),
  options: join(root, "options.json"),
} as const;

/**
 * Names and addresses in the sandbox's network. The addresses are from the range 198.18.0.0/15. RFC
 * 2544 reserves this range for tests, so we expect that no real network uses these addresses.
 */
export const net = {
  /**
   * Name of the network interface on the machine. This interface is one end of a veth pair. The
   * other end is in the sandbox, and its name is the value of `inside`.
   */
  outside: "orders-sandbox",
  inside: "uplink",
  outsideAddress: "198.19.255.1",
  /** IP address of the node. The API server and the kubelet listen on this address. */
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
 * Environment variables for kubectl commands that use the sandbox's cluster. With these variables,
 * kubectl writes its cache into the sandbox's directory, and kubectl's requests to the sandbox's
 * addresses do not go through the machine's proxy.
 */
export function kubectlEnvironment(
  shell: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const given = shell["NO_PROXY"] ?? shell["no_proxy"] ?? "";
  const direct = [...given.split(","), net.everything, "127.0.0.1", "localhost"];
  const noProxy = [...new Set(direct.filter((entry) => entry !== ""))].join(",");
  return { KUBECACHEDIR: join(paths.cluster, "kubectl"), NO_PROXY: noProxy, no_proxy: noProxy };
}

/** Options of `npm run sandbox -- up`. The sandbox saves these options for later commands. */
export interface Options {
  /** Port of the ingress controller on 127.0.0.1. */
  readonly ingressPort: number;
  /** Port of the registry on 127.0.0.1. */
  readonly registryPort: number;
  /** Path of the kubeconfig of the user's own cluster. If set, the sandbox starts no cluster. */
  readonly kubeconfig?: string;
  /** Context in `kubeconfig`. If undefined, the sandbox uses the kubeconfig's current context. */
  readonly context?: string;
  /**
   * The user's own registry, such as `registry.example.com/team`. If set, the sandbox starts no
   * registry.
   */
  readonly registry?: string;
}

const DEFAULT_OPTIONS: Options = { ingressPort: 8080, registryPort: 5000 };

/** Returns the options of the sandbox's last start. */
export function options(): Options {
  const saved = existsSync(paths.options) ? readFileSync(paths.options, "utf8") : "{}";
  return { ...DEFAULT_OPTIONS, ...(JSON.parse(saved) as Partial<Options>) };
}

export function saveOptions(chosen: Options): void {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  replaceFile(paths.options, `${JSON.stringify(chosen, undefined, 2)}\n`);
}

/**
 * Returns the address with which references of images in the registry begin, such as
 * `localhost:5000`.
 */
export function registryName(chosen: Options = options()): string {
  return chosen.registry ?? `localhost:${String(chosen.registryPort)}`;
}

/**
 * Returns the URL of a registry. The URL begins with `https`, except for a registry on this
 * machine.
 */
export function registryUrl(registry: string = registryName()): string {
  const host = registry.split("/")[0] ?? "";
  // The references of Docker Hub's images contain docker.io, but another host serves the images.
  if (host === "docker.io") return "https://registry-1.docker.io";
  const here = /^(?:localhost|127\.0\.0\.1)(?::\d+)?$/.test(host);
  return `${here ? "http" : "https"}://${host}`;
}

/** Creates an empty directory. If the directory exists, this function removes its content. */
export function createEmpty(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
}

export function checkRoot(): void {
  if (existsSync(root) && !statSync(root).isDirectory()) {
    throw new UserError(
      `SANDBOX_DIR must be a directory, but "${root}" is a file; choose another path, or remove the file`,
    );
  }
  for (const hidden of ["/var", "/run", "/proc", "/sys"]) {
    if (root === hidden || root.startsWith(`${hidden}/`)) {
      throw new UserError(
        `SANDBOX_DIR must not be in ${hidden}, got "${root}"; choose a directory outside /var, /run, /proc and /sys`,
      );
    }
  }
}
