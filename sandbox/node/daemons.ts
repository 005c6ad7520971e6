import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { CGROUP } from "./cgroups";
import { kubeconfig, NODE } from "./certificates";
import { cniPlugins, tool } from "../install/debian";
import { imageRef } from "../install/images";
import { net, type Options, paths, registryName, registryUrl } from "../layout";
import { newPodRules, newPods, podNetworkPlugin } from "./new-pods";
import { program } from "../install/download-or-build";
import { type Daemon } from "./supervision";
import { trustsTestAuthority } from "./test-authority";

export const containerdSocket = join(paths.run, "containerd.sock");

/** Returns the description of a daemon that runs in the node's network. */
export function onNode(name: string, ...argv: readonly string[]): Daemon {
  return { name, network: "node", argv };
}

/** Writes a daemon's configuration file and returns the file's path. */
export function config(name: string, content: string): string {
  const path = join(paths.run, name);
  mkdirSync(dirname(path), { recursive: true });
  // Writes the file only if its content changes, because kube-proxy exits after each write to its
  // configuration file.
  if (!existsSync(path) || readFileSync(path, "utf8") !== content) {
    writeFileSync(path, content);
  }
  return path;
}

/**
 * Returns the registry's two daemons. One daemon runs in the machine's network, and the other
 * daemon runs in the node's network. Both daemons use the same directory, so `localhost:<port>` is
 * the same registry for you, for BuildKit and for the node. Empty if the user has another registry.
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

/**
 * Returns the daemon of BuildKit. This daemon runs in the machine's network, so that BuildKit can
 * pull public images.
 */
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
  return {
    name: "buildkitd",
    argv: [program("buildkit"), "--config", path],
    network: "edge",
    env: trustsTestAuthority(),
  };
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
    // Without fsync, writes are faster. If someone kills etcd, no data is lost, because the data is
    // already in the machine's page cache. The last writes are lost only if the whole machine
    // crashes.
    "--unsafe-no-fsync",
    "--log-level=warn",
  );
}

export function containerdDaemon(): Daemon {
  // The pod network uses routes and not a bridge, so the iptables rules apply to every packet
  // between pods.
  const network = config(
    "cni/10-pods.conflist",
    JSON.stringify({
      cniVersion: "0.4.0",
      name: "pods",
      plugins: [
        {
          type: podNetworkPlugin,
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
  return {
    ...onNode("containerd", tool("containerd"), "--config", path),
    env: trustsTestAuthority(),
  };
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

/**
 * Returns the daemon of the NetworkPolicy agent. This agent accepts or rejects each new connection
 * of a pod, according to the NetworkPolicies.
 */
export function networkPolicyDaemon(): Daemon {
  return onNode(
    "kube-network-policies",
    program("kube-network-policies"),
    `--kubeconfig=${kubeconfig("network-policies")}`,
    `--node=${NODE}`,
    `--queue=${QUEUE}`,
    `--ipset=${tool("ipset")}`,
    `--new-pods=${newPods}`,
  );
}

/**
 * iptables rules that send new connections of pods to the NetworkPolicy agent. Before the agent
 * checks a connection, the kernel has replaced a Service's address with a pod's address, but has
 * not replaced the sender's address.
 *
 * The agent does not check connections from the node itself, such as probes and requests from the
 * API server. Kubernetes requires that these connections are always allowed. The agent also checks
 * connections from pods to the node. Kubernetes does not require this check. But a program that
 * works with this check also works in a cluster without this check. The rules in
 * {@link newPodRules} drop packets from and to new pods. If the agent does not run, the kernel
 * drops every new connection that `networkPolicyRules` send to the agent. So people notice that the
 * agent is missing.
 */
export const networkPolicyRules = `*mangle
:SANDBOX-POLICIES - [0:0]
-A SANDBOX-POLICIES -m addrtype --src-type LOCAL -j RETURN
-A SANDBOX-POLICIES -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
${newPodRules.join("\n")}
-A SANDBOX-POLICIES -s ${net.pods} -j NFQUEUE --queue-num ${QUEUE}
-A SANDBOX-POLICIES -d ${net.pods} -j NFQUEUE --queue-num ${QUEUE}
-A POSTROUTING -j SANDBOX-POLICIES
-A INPUT -j SANDBOX-POLICIES
COMMIT
`;

/**
 * Returns the daemon of the ingress controller Traefik. Traefik runs in the machine's network,
 * listens on 127.0.0.1, and reaches pods through the route to the sandbox. Traefik reads the
 * addresses of pods from EndpointSlices and sends requests directly to pods. When a pod begins to
 * terminate, the pod still receives requests until Traefik has applied the change (see
 * `providersthrottleduration` below). Afterwards, a terminating pod that still answers requests
 * receives only the requests of sticky sessions. Traefik does not retry requests, because its
 * configuration has no retry middleware.
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
      // With the default of 2 s, Traefik could still answer requests for a new host with status 404
      // after the Ingress has an address and the Pulumi update has ended.
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
