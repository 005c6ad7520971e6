import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { CGROUP } from "./cgroups";
import { kubeconfig, NODE } from "./certificates";
import { cniPlugins, tool } from "../install/debian";
import { imageRef } from "../install/images";
import { net, type Options, paths, registryName, registryUrl } from "../layout";
import { program } from "../install/download-or-build";
import { type Daemon } from "./supervision";

export const containerdSocket = join(paths.run, "containerd.sock");

/** A daemon in the node's network. */
export function onNode(name: string, ...argv: readonly string[]): Daemon {
  return { name, network: "node", argv };
}

/** Writes a daemon's configuration and returns its path. */
export function config(name: string, content: string): string {
  const path = join(paths.run, name);
  mkdirSync(dirname(path), { recursive: true });
  // kube-proxy exits when its file is written, even with the same content.
  if (!existsSync(path) || readFileSync(path, "utf8") !== content) {
    writeFileSync(path, content);
  }
  return path;
}

/**
 * The registry runs twice over one directory: in the network of the machine and in that of the
 * node. So `localhost:<port>` is the same registry for you, for BuildKit and for the node that
 * pulls from it. Neither of them runs if the user has another registry.
 */
export function registryDaemons(options: Options): Daemon[] {
  if (options.registry !== undefined) return [];
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

/** In the machine's network, to reach public images if the machine can. */
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
  http = ${String(registryUrl().startsWith("http:"))}
`,
  );
  return { name: "buildkitd", argv: [program("buildkit"), "--config", path], network: "edge" };
}

export function etcdDaemon(): Daemon {
  const client = "http://127.0.0.1:2379";
  return onNode(
    "etcd",
    tool("etcd"),
    `--data-dir=${join(paths.cluster, "etcd")}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    "--listen-peer-urls=http://127.0.0.1:2380",
    // The machine's page cache outlives the process: only a crash of the whole machine could lose
    // the last writes.
    "--unsafe-no-fsync",
    "--log-level=warn",
  );
}

export function containerdDaemon(): Daemon {
  // Routed, not bridged, so every packet between pods passes the node's filter.
  const network = config(
    "cni/10-pods.conflist",
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
    conf_dir = "${dirname(network)}"
  [plugins."io.containerd.grpc.v1.cri".registry.mirrors."${registryName()}"]
    endpoint = ["${registryUrl()}"]
`,
  );
  return onNode("containerd", tool("containerd"), "--config", path);
}

export function storageDaemon(): Daemon {
  const path = config(
    "local-path.json",
    JSON.stringify({
      nodePathMap: [{ node: "DEFAULT_PATH_FOR_NON_LISTED_NODES", paths: [paths.volumes] }],
    }),
  );
  return onNode(
    "local-path-provisioner",
    program("local-path-provisioner"),
    "start",
    `--config=${path}`,
    `--kubeconfig=${kubeconfig("local-path-provisioner")}`,
    "--provisioner-name=sandbox/local-path",
    "--namespace=kube-system",
    "--service-account-name=local-path-helper",
    `--helper-image=${imageRef("postgres")}`,
    "--configmap-name=local-path-config",
  );
}

/** Number of the netfilter queue between {@link networkPolicyRules} and the agent. */
const QUEUE = "100";

/** Accepts or rejects each new connection from or to a pod, according to the NetworkPolicies. */
export function networkPolicyDaemon(): Daemon {
  return onNode(
    "kube-network-policies",
    program("kube-network-policies"),
    `--kubeconfig=${kubeconfig("network-policies")}`,
    `--node=${NODE}`,
    `--queue=${QUEUE}`,
  );
}

/**
 * Sends new connections of pods to the agent: after a Service's address was translated to the
 * address of a pod, and before the sender's address is translated. Connections from the node itself
 * (probes, requests from the API server) skip it, as Kubernetes requires. Connections to the
 * node are checked too: Kubernetes leaves this to the cluster, and what works under the stricter
 * rule also works under the other. Without the agent no new connection passes: a policy is either
 * enforced or visibly broken.
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
 * Serves Ingresses on 127.0.0.1, in the machine's network. It reaches pods through the sandbox's
 * one route. It sends requests directly to pods, which it learns from EndpointSlices. It applies
 * changes at most every 2 s (its providersThrottleDuration): until then a terminating pod still
 * receives requests. A terminating pod that still serves stays in the list for sticky sessions, but
 * receives no new request. No request is retried: there is no retry middleware.
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
      // The default is 2 s. During them a host answers 404, although its Ingress has its address
      // and the update has ended.
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
