import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { CGROUP } from "./cgroups";
import { kubeconfig, NODE } from "./certificates";
import { cniPlugins, tool } from "../install/debian";
import { imageRef } from "../install/images";
import { net, type Options, paths, registryName } from "../layout";
import { executable } from "../install/obtain";
import { parts } from "../install/parts";
import { type Daemon } from "./supervision";

/** Path of a program of a part. */
export function program(part: string, name?: string): string {
  const found = parts.find((candidate) => candidate.name === part);
  if (found === undefined) {
    throw new Error(`no part is called ${part}`);
  }
  return executable(found, name);
}

export const kubectl = (): string => program("kubernetes", "kubectl");
export const buildctl = (): string => program("buildkit", "buildctl");
export const pulumiDirectory = (): string => join(program("pulumi"), "..");
export const plugin = (name: string): string => program(`resource-${name}`);

export const containerdSocket = join(paths.run, "containerd.sock");

/** Writes a daemon's configuration; gives its path. */
export function config(name: string, content: string): string {
  const path = join(paths.run, name);
  mkdirSync(paths.run, { recursive: true });
  // kube-proxy ends when its file is written, also with the same content.
  if (!existsSync(path) || readFileSync(path, "utf8") !== content) {
    writeFileSync(path, content);
  }
  return path;
}

/**
 * The registry, in the machine's network and once more in the node's, over one directory: `localhost:<port>` is the same
 * registry for you, for BuildKit and for the node that pulls from it.
 */
export function registryDaemons(options: Options): Daemon[] {
  const path = config(
    "registry.yml",
    stringify({
      version: "0.1",
      log: { level: "warn" },
      storage: { filesystem: { rootdirectory: paths.registry }, delete: { enabled: true } },
      http: { addr: `127.0.0.1:${String(options.registryPort)}` },
    }),
  );
  const argv = [tool("docker-registry"), "serve", path];
  return [
    { name: "registry", argv, network: "edge" },
    { name: "registry-node", argv, network: "node" },
  ];
}

/** In the machine's network, to reach public images where there is a way to them. */
export function buildkitDaemon(): Daemon {
  const path = config(
    "buildkitd.toml",
    `root = "${paths.buildkit}"
[grpc]
  address = ["unix://${paths.buildkitSocket}"]
[worker.oci]
  enabled = true
  gc = true
  maxUsedSpace = "10GB"
  defaultCgroupParent = "${CGROUP}"
[worker.containerd]
  enabled = false
[registry."${registryName()}"]
  http = ${String(registryName().startsWith("localhost:"))}
`,
  );
  return { name: "buildkitd", argv: [program("buildkit"), "--config", path], network: "edge" };
}

export function etcdDaemon(): Daemon {
  const client = "http://127.0.0.1:2379";
  return {
    name: "etcd",
    network: "node",
    argv: [
      tool("etcd"),
      `--data-dir=${join(paths.cluster, "etcd")}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      "--listen-peer-urls=http://127.0.0.1:2380",
      // The machine's page cache outlives the process; only a crash of the whole machine could lose the last writes.
      "--unsafe-no-fsync",
      "--log-level=warn",
    ],
  };
}

export function containerdDaemon(): Daemon {
  const cni = join(paths.run, "cni");
  mkdirSync(cni, { recursive: true });
  // Routed, not bridged: every packet between pods passes the node's filter.
  writeFileSync(
    join(cni, "10-pods.conflist"),
    JSON.stringify({
      cniVersion: "0.4.0",
      name: "pods",
      plugins: [
        {
          type: "ptp",
          ipMasq: false,
          ipam: {
            type: "host-local",
            dataDir: join(paths.run, "addresses"),
            ranges: [[{ subnet: net.pods }]],
            routes: [{ dst: "0.0.0.0/0" }],
          },
        },
      ],
    }),
  );
  const path = config(
    "containerd.toml",
    `version = 2
root = "${join(paths.cluster, "containerd")}"
state = "${join(paths.run, "containerd")}"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
[grpc]
  address = "${containerdSocket}"
[plugins."io.containerd.internal.v1.opt"]
  # The default is /opt/containerd, outside the sandbox's directory.
  path = "${join(paths.run, "opt")}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${imageRef("pause")}"
  restrict_oom_score_adj = true
  # containerd would load its profile into the machine's kernel, for every program, and leave it there.
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${cniPlugins}"
    conf_dir = "${cni}"
  [plugins."io.containerd.grpc.v1.cri".registry.mirrors."${registryName()}"]
    endpoint = ["${registryName().startsWith("localhost:") ? "http" : "https"}://${registryName().split("/")[0] ?? ""}"]
`,
  );
  return { name: "containerd", network: "node", argv: [tool("containerd"), "--config", path] };
}

export function storageDaemon(): Daemon {
  const path = config(
    "local-path.json",
    JSON.stringify({
      nodePathMap: [{ node: "DEFAULT_PATH_FOR_NON_LISTED_NODES", paths: [paths.volumes] }],
    }),
  );
  return {
    name: "local-path-provisioner",
    network: "node",
    argv: [
      program("local-path-provisioner"),
      "start",
      `--config=${path}`,
      `--kubeconfig=${kubeconfig("local-path-provisioner")}`,
      "--provisioner-name=sandbox/local-path",
      "--namespace=kube-system",
      "--service-account-name=local-path-helper",
      `--helper-image=${imageRef("postgres")}`,
      "--configmap-name=local-path-config",
    ],
  };
}

/** Number of the netfilter queue between {@link networkPolicyRules} and the agent. */
const QUEUE = "100";

/** Decides about each new connection from or to a pod, as the NetworkPolicies say. */
export function networkPolicyDaemon(): Daemon {
  return {
    name: "kube-network-policies",
    network: "node",
    argv: [
      program("kube-network-policies"),
      `--kubeconfig=${kubeconfig("network-policies")}`,
      `--node=${NODE}`,
      `--queue=${QUEUE}`,
    ],
  };
}

/**
 * Sends new connections of pods to the agent, after a Service's address has become a pod's and before any address of the
 * sender is hidden. The node's own (probes of the kubelet, calls of the API server) pass, as Kubernetes wants. Those to the node
 * are asked about too: Kubernetes lets a cluster choose, and what works under the stricter rule works under the other. Without
 * the agent nothing new passes: a policy is enforced or seen to be broken.
 */
export const networkPolicyRules = `*mangle
:SANDBOX-POLICIES - [0:0]
-A SANDBOX-POLICIES -m addrtype --src-type LOCAL -j RETURN
-A SANDBOX-POLICIES -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
-A SANDBOX-POLICIES -s ${net.pods} -j NFQUEUE --queue-num ${QUEUE}
-A SANDBOX-POLICIES -d ${net.pods} -j NFQUEUE --queue-num ${QUEUE}
-A POSTROUTING -j SANDBOX-POLICIES
-A INPUT -j SANDBOX-POLICIES
COMMIT
`;

/**
 * Serves Ingresses on 127.0.0.1, in the machine's network; it reaches pods through the sandbox's one route.
 *
 * It sends to pods directly. It learns which by watching EndpointSlices, and takes in what has changed at most every 2 s
 * (its providersThrottleDuration): for so long a pod on its way out still gets requests. A terminating one that serves on
 * stays in the list, for sessions that stick to it, but gets no new request. No request is tried twice: that would take a
 * retry middleware, and there is none.
 */
export function ingressDaemon(options: Options): Daemon {
  return {
    name: "traefik",
    network: "edge",
    argv: [
      program("traefik"),
      `--entrypoints.web.address=127.0.0.1:${String(options.ingressPort)}`,
      "--providers.kubernetesingress=true",
      "--providers.kubernetesingress.ingressendpoint.ip=127.0.0.1",
      // Else 2 s, in which a host whose Ingress already has its address, and whose update has ended, answers 404.
      "--providers.providersthrottleduration=100ms",
      "--ping=true",
      "--ping.entrypoint=web",
      "--log.level=WARN",
      "--global.checknewversion=false",
      "--global.sendanonymoususage=false",
    ],
    env: { KUBECONFIG: kubeconfig("traefik") },
  };
}
