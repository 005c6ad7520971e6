import { command, reasonOf } from "../../lib/command";
import { UserError } from "../../lib/errors";
import type { OwnCluster } from "./choice";

/** Timeout of one request to the cluster, in seconds. */
const requestSeconds = 10;
/**
 * Timeout of one kubectl process, in milliseconds. This timeout is longer than the timeout of a
 * request, because some kubectl installations contact the cluster twice for each command, and an
 * exec plugin needs time to get a token.
 */
const processMs = 30_000;

/** Platforms for which the program can build the image. */
const buildable = ["linux/amd64", "linux/arm64"];

interface IngressClasses {
  readonly items: readonly {
    readonly metadata: {
      readonly annotations?: Readonly<Record<string, string>>;
      readonly name: string;
    };
  }[];
}

/** Facts about a cluster, from the kubeconfig and from requests to the cluster. */
export type ClusterFacts = Pick<OwnCluster, "ingressClass" | "platforms" | "server" | "uid">;

/**
 * Reads the facts that stack `local` needs about a cluster that the developer already has. Changes
 * nothing.
 *
 * @throws UserError with one line if the kubeconfig does not contain the context, or if kubectl
 * gets no response from the cluster before a timeout. The line contains the context. If kubectl
 * gets no response, the line also contains the address of the cluster.
 */
export async function readOwnCluster({
  context,
  kubeconfig,
}: Pick<OwnCluster, "context" | "kubeconfig">): Promise<ClusterFacts> {
  const kubectl = async (...args: string[]): Promise<string> =>
    command("kubectl", args, {
      env: { KUBECONFIG: kubeconfig },
      killSignal: "SIGKILL",
      timeout: processMs,
    });
  const ask = async (...args: string[]): Promise<string> =>
    kubectl(`--context=${context}`, `--request-timeout=${String(requestSeconds)}s`, ...args);

  const contexts = (await kubectl("config", "get-contexts", "-o", "name")).split("\n");
  const known = contexts.filter((name) => name !== "");
  if (!known.includes(context)) {
    throw new UserError(
      `the kubeconfig ${kubeconfig} has no context "${context}"; ${known.length === 0 ? "it has no contexts" : `it has: ${known.join(", ")}`}. Choose one with --context, or another file with --kubeconfig`,
    );
  }
  const address = "jsonpath={.clusters[0].cluster.server}";
  const server = await ask("config", "view", "--minify", "-o", address);
  const [uid, platforms, ingressClass] = await Promise.all([
    ask("get", "--raw", "/api/v1/namespaces/kube-system").catch((error: unknown) => {
      throw new UserError(
        `the cluster of context "${context}" at ${server} does not answer: ${reasonOf(error)}; check its address and your access, and run the command again`,
      );
    }),
    // Some developers do not have permission to list the nodes or the IngressClasses.
    ask("get", "nodes", "-o", "json").then(platformsIn, () => []),
    ask("get", "ingressclasses", "-o", "json").then(onlyClassIn, () => undefined),
  ]);
  return {
    ...(ingressClass === undefined ? {} : { ingressClass }),
    platforms,
    server,
    uid: (JSON.parse(uid) as { readonly metadata: { readonly uid: string } }).metadata.uid,
  };
}

/** Returns the platforms of the nodes for which the program can build the image. */
function platformsIn(nodes: string): readonly string[] {
  const { items } = JSON.parse(nodes) as {
    readonly items: readonly {
      readonly status: {
        readonly nodeInfo: { readonly architecture: string; readonly operatingSystem: string };
      };
    }[];
  };
  const all = items.map(
    ({ status: { nodeInfo: info } }) => `${info.operatingSystem}/${info.architecture}`,
  );
  return buildable.filter((platform) => all.includes(platform));
}

/**
 * Returns the cluster's only IngressClass. Undefined if this class is the default class, or if the
 * cluster has no class or several classes. A cluster applies its default class to an Ingress
 * without a class. If there are several classes and no default, only the developer can choose a
 * class.
 */
function onlyClassIn(classes: string): string | undefined {
  const { items } = JSON.parse(classes) as IngressClasses;
  const [only, ...others] = items;
  const isDefault = only?.metadata.annotations?.["ingressclass.kubernetes.io/is-default-class"];
  return others.length > 0 || isDefault === "true" ? undefined : only?.metadata.name;
}
