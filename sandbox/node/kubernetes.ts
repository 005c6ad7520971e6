import { join } from "node:path";
import { stringify } from "yaml";
import { command } from "../../lib/command";
import { CGROUP } from "./cgroups";
import { certificate, key, kubeconfig, NODE, serviceAccountsPublicKey } from "./certificates";
import { config, containerdSocket, onNode } from "./daemons";
import { imageCredentials } from "./image-credentials";
import { program } from "../install/download-or-build";
import { kubectlEnvironment, net, paths } from "../layout";
import { type Daemon } from "./supervision";

/**
 * Directory of volume plugins. Kubernetes' default directory is outside the sandbox's directory.
 */
const volumePluginDir = join(paths.cluster, "kubelet", "volume-plugins");

/** Runs a kubectl command in the sandbox's cluster. */
export async function kubectl(args: readonly string[], input?: string): Promise<string> {
  return command(program("kubernetes", "kubectl"), [`--kubeconfig=${paths.kubeconfig}`, ...args], {
    env: kubectlEnvironment(),
    timeout: 60_000,
    ...(input === undefined ? {} : { input }),
  });
}

/** Returns the description of a daemon that is a Kubernetes component, such as the kubelet. */
function component(name: string, ...args: readonly string[]): Daemon {
  return onNode(name, program("kubernetes", name), ...args);
}

export function apiServerDaemon(): Daemon {
  return component(
    "kube-apiserver",
    "--etcd-servers=http://127.0.0.1:2379",
    `--secure-port=${String(net.apiPort)}`,
    `--bind-address=${net.nodeAddress}`,
    `--advertise-address=${net.nodeAddress}`,
    `--service-cluster-ip-range=${net.services}`,
    "--allow-privileged",
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--anonymous-auth=false",
    "--profiling=false",
    `--tls-cert-file=${certificate("apiserver")}`,
    `--tls-private-key-file=${key("apiserver")}`,
    `--client-ca-file=${certificate("ca")}`,
    `--kubelet-certificate-authority=${certificate("ca")}`,
    `--kubelet-client-certificate=${certificate("apiserver-kubelet")}`,
    `--kubelet-client-key=${key("apiserver-kubelet")}`,
    "--kubelet-preferred-address-types=InternalIP",
    "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    `--service-account-signing-key-file=${key("service-accounts")}`,
    `--service-account-key-file=${serviceAccountsPublicKey}`,
    `--requestheader-client-ca-file=${certificate("front-proxy-ca")}`,
    "--requestheader-allowed-names=front-proxy-client",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-username-headers=X-Remote-User",
    `--proxy-client-cert-file=${certificate("front-proxy")}`,
    `--proxy-client-key-file=${key("front-proxy")}`,
    "--enable-aggregator-routing=true",
    // Debian's etcd sends no progress notifications. This flag turns off a feature of the API
    // server that needs these notifications. With this feature, the API server would wait for the
    // notifications and log errors.
    "--feature-gates=SizeBasedListCostEstimate=false",
  );
}

export function controlDaemons(): Daemon[] {
  return [
    component(
      "kube-controller-manager",
      `--kubeconfig=${kubeconfig("controller-manager")}`,
      `--authentication-kubeconfig=${kubeconfig("controller-manager")}`,
      `--authorization-kubeconfig=${kubeconfig("controller-manager")}`,
      `--service-account-private-key-file=${key("service-accounts")}`,
      `--root-ca-file=${certificate("ca")}`,
      "--use-service-account-credentials",
      "--allocate-node-cidrs=false",
      "--leader-elect=false",
      "--bind-address=127.0.0.1",
      `--flex-volume-plugin-dir=${volumePluginDir}`,
    ),
    component(
      "kube-scheduler",
      `--kubeconfig=${kubeconfig("scheduler")}`,
      `--authentication-kubeconfig=${kubeconfig("scheduler")}`,
      `--authorization-kubeconfig=${kubeconfig("scheduler")}`,
      "--leader-elect=false",
      "--bind-address=127.0.0.1",
    ),
  ];
}

export function nodeDaemons(): Daemon[] {
  const kubelet = config(
    "kubelet.yaml",
    stringify({
      apiVersion: "kubelet.config.k8s.io/v1beta1",
      kind: "KubeletConfiguration",
      authentication: {
        anonymous: { enabled: false },
        webhook: { enabled: true },
        x509: { clientCAFile: certificate("ca") },
      },
      authorization: { mode: "Webhook" },
      tlsCertFile: certificate("kubelet-server"),
      tlsPrivateKeyFile: key("kubelet-server"),
      address: net.nodeAddress,
      healthzBindAddress: "127.0.0.1",
      cgroupDriver: "cgroupfs",
      cgroupRoot: `/${CGROUP}`,
      failSwapOn: false,
      failCgroupV1: false,
      containerRuntimeEndpoint: `unix://${containerdSocket}`,
      evictionHard: {
        "memory.available": "100Mi",
        "nodefs.available": "1%",
        "imagefs.available": "1%",
      },
      imageGCHighThresholdPercent: 100,
      imageMaximumGCAge: "168h",
      resolvConf: config("resolv.conf", ""),
      volumePluginDir,
      clusterDNS: [net.dnsService],
      clusterDomain: "cluster.local",
      // The kubelet pulls images in parallel, so that no pull waits for another pull, for example
      // when all pods start again after a reboot.
      serializeImagePulls: false,
      registryPullQPS: 0,
      kubeAPIQPS: 100,
      kubeAPIBurst: 200,
      maxPods: 250,
      shutdownGracePeriod: "0s",
    }),
  );
  const proxy = config(
    "kube-proxy.yaml",
    stringify({
      apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
      kind: "KubeProxyConfiguration",
      clientConnection: { kubeconfig: kubeconfig("proxy") },
      mode: "iptables",
      hostnameOverride: NODE,
      clusterCIDR: net.pods,
      // With these values, kube-proxy does not change the conntrack limits of the machine.
      conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
      iptables: { minSyncPeriod: "100ms", syncPeriod: "30s" },
      bindAddress: net.nodeAddress,
      healthzBindAddress: "127.0.0.1:10256",
      metricsBindAddress: "127.0.0.1:10249",
    }),
  );
  return [
    component(
      "kubelet",
      `--kubeconfig=${kubeconfig("kubelet")}`,
      `--config=${kubelet}`,
      `--hostname-override=${NODE}`,
      `--node-ip=${net.nodeAddress}`,
      `--root-dir=${join(paths.cluster, "kubelet")}`,
      ...imageCredentials(),
    ),
    component("kube-proxy", `--config=${proxy}`),
  ];
}
