import { ingress } from "../../components/conventions/defaults";
import { list } from "../clients/kubectl";
import { type Check, type Finding, checks, notNeeded, ok, unanswered, wrong } from "./finding";

/**
 * The checks in this file determine whether a cluster has what review stacks need. Other files
 * check network policies, the instance metadata and the certificate. docs/bootstrap.md lists all
 * requirements.
 */

/** Metadata of the objects that the checks read. */
export interface Named {
  readonly metadata: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly name: string;
  };
}

/** A configuration of admission webhooks. */
export interface Webhooks extends Named {
  readonly webhooks?: readonly { readonly name: string }[];
}

const isDefault = (kind: string) => (object: Named) =>
  object.metadata.annotations?.[`${kind}.kubernetes.io/is-default-class`] === "true";

/**
 * Returns whether the cluster has the IngressClass of the stacks.
 *
 * @param wanted name of the IngressClass. Undefined if the stacks use the cluster's default
 */
export function ingressClassIn(classes: readonly Named[], wanted: string | undefined): Finding {
  const there = classes.map(({ metadata }) => metadata.name);
  const has = there.length === 0 ? "none" : there.join(", ");
  if (wanted !== undefined) {
    return there.includes(wanted)
      ? ok(`IngressClass ${wanted}`)
      : wrong(
          `the cluster has no IngressClass ${wanted} (it has ${has}). Install the ingress controller of this class` +
            (wanted === ingress.albClassName ? ", the AWS Load Balancer Controller" : ""),
        );
  }
  const found = classes.find(isDefault("ingressclass"));
  return found === undefined
    ? wrong(
        `no IngressClass is the default, and the setting ingressClassName is not set (the cluster has ${has}). Make an IngressClass the default, or set ingressClassName`,
      )
    : ok(`default IngressClass ${found.metadata.name}`);
}

/**
 * Returns whether the cluster has a default StorageClass. The volume of a review stack's database
 * needs a default StorageClass.
 */
export function storageClassIn(classes: readonly Named[]): Finding {
  const defaults = classes.filter(isDefault("storageclass")).map(({ metadata }) => metadata.name);
  return defaults.length === 0
    ? wrong(
        "no StorageClass is the default, so the database of a review stack gets no volume. Annotate one with storageclass.kubernetes.io/is-default-class=true",
      )
    : ok(`default StorageClass ${defaults.join(", ")}`);
}

/**
 * Name of the webhook that adds readiness gates to pods. The webhook belongs to the AWS Load
 * Balancer Controller.
 *
 * @see https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/pod_readiness_gate/
 */
const gateWebhook = "mpod.elbv2.k8s.aws";

/** Returns whether new pods get the readiness gates of the load balancer. */
export function readinessGatesIn(configurations: readonly Webhooks[]): Finding {
  const found = configurations.some(({ webhooks = [] }) =>
    webhooks.some(({ name }) => name === gateWebhook),
  );
  return found
    ? ok(
        `the cluster has webhook ${gateWebhook}, and the program adds the webhook's label to the namespaces of stacks`,
      )
    : wrong(
        `no webhook ${gateWebhook}, so a rollout ends pods before the load balancer knows the new ones. Install the AWS Load Balancer Controller with its webhooks`,
      );
}

/**
 * A node, with its platform (operating system and architecture). Images on this node must support
 * the platform.
 */
export interface Node extends Named {
  readonly status: {
    readonly nodeInfo: { readonly architecture: string; readonly operatingSystem: string };
  };
}

/**
 * Returns whether every node can run the images of the stacks.
 *
 * @param built platforms of the images, such as `linux/amd64`
 */
export function platformsIn(nodes: readonly Node[], built: readonly string[]): Finding {
  const needed = [
    ...new Set(
      nodes.map(
        ({ status: { nodeInfo } }) => `${nodeInfo.operatingSystem}/${nodeInfo.architecture}`,
      ),
    ),
  ].sort();
  const missing = needed.filter((platform) => !built.includes(platform));
  return missing.length === 0
    ? ok(`images for ${built.join(", ")}; nodes: ${needed.join(", ")}`)
    : wrong(
        `images are built for ${built.join(", ")}, but the cluster also has nodes for ${missing.join(", ")}. ` +
          "Add these platforms to imagePlatforms in config/company.ts, or keep the pods off these nodes",
      );
}

/** Address of NodeLocal DNSCache (https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/). */
const nodeLocalDns = "169.254.20.10";

/**
 * Returns whether the NetworkPolicies of review stacks allow connections to the cluster's DNS.
 *
 * @param objects the DNS pods and the DaemonSets of kube-system
 * @param opened addresses to which the setting `dnsTo` allows connections
 */
export function clusterDnsIn(
  { daemonSets, pods }: { readonly daemonSets: readonly Named[]; readonly pods: readonly Named[] },
  opened: readonly string[],
): Finding {
  const isLocal = daemonSets.some(({ metadata }) => metadata.name === "node-local-dns");
  const todo =
    "to clusterDnsCidrs in config/company.ts, because pods of review stacks cannot resolve the names of hosts";
  if (isLocal && !opened.some((cidr) => cidr.startsWith(nodeLocalDns)))
    return wrong(`NodeLocal DNSCache runs on the nodes. Add ${nodeLocalDns}/32 ${todo}`);
  if (pods.length === 0 && opened.length === 0)
    return wrong(`DNS does not run in pods. Add the address of the Service kube-dns ${todo}`);
  const also = opened.length === 0 ? "" : ` and to ${opened.join(", ")}`;
  return ok(`review stacks may connect to the DNS pods${also}`);
}

export const platforms: Check = async ({ cluster, left, settings }) => {
  const found = await list<Node>(cluster, "nodes", [], left()).then(
    (nodes) => platformsIn(nodes, settings.platforms ?? []),
    (error: unknown) => unanswered(error, "list Nodes"),
  );
  return [{ check: checks.platforms, ...found }];
};

export const clusterDns: Check = async ({ cluster, left, settings }) => {
  const inSystem = ["--namespace", "kube-system"];
  const opened = settings.dnsTo.flatMap(({ ipBlock }) => (ipBlock ? [ipBlock.cidr] : []));
  const found = await Promise.all([
    list<Named>(cluster, "daemonsets", inSystem, left()),
    list<Named>(cluster, "pods", [...inSystem, "--selector", "k8s-app=kube-dns"], left()),
  ]).then(
    ([daemonSets, pods]) => clusterDnsIn({ daemonSets, pods }, opened),
    (error: unknown) => unanswered(error, "list the pods of kube-system"),
  );
  return [{ check: checks.clusterDns, ...found }];
};

export const ingressClass: Check = async ({ cluster, left, settings }) => {
  const wanted =
    settings.ingressClassName ??
    (settings.ingressPreset === "eks-alb" ? ingress.albClassName : undefined);
  const found = await list<Named>(cluster, "ingressclasses", [], left()).then(
    (classes) => ingressClassIn(classes, wanted),
    (error: unknown) => unanswered(error, "list IngressClasses"),
  );
  return [{ check: "ingress class", ...found }];
};

export const storageClass: Check = async ({ cluster, left }) => {
  const found = await list<Named>(cluster, "storageclasses", [], left()).then(
    storageClassIn,
    (error: unknown) => unanswered(error, "list StorageClasses"),
  );
  return [{ check: "storage class", ...found }];
};

export const metricsApi: Check = async ({ cluster: { kubectl }, left }) => {
  const found = await kubectl(["get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes"], left()).then(
    () => ok("metrics.k8s.io answers"),
    (error: unknown) => {
      const finding = unanswered(error, "read the metrics of nodes");
      return /NotFound|could not find|ServiceUnavailable|unable to handle/.test(String(error))
        ? wrong(
            "metrics.k8s.io does not answer, so services do not scale by load. Install metrics-server",
          )
        : finding;
    },
  );
  return [{ check: "metrics API", ...found }];
};

export const readinessGates: Check = async ({ cluster, left, settings }) => {
  const found =
    settings.ingressPreset === "eks-alb"
      ? await list<Webhooks>(cluster, "mutatingwebhookconfigurations", [], left()).then(
          readinessGatesIn,
          (error: unknown) => unanswered(error, "list MutatingWebhookConfigurations"),
        )
      : notNeeded("the setting ingressPreset is not eks-alb");
  return [{ check: checks.readinessGates, ...found }];
};
