import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type DoorName,
  type Source,
  connections,
  connectionsOf,
  doors,
} from "../../components/conventions/connections";
import { traitsOf } from "../../environments";
import { project } from "../../lib/project";
import { Steps } from "../../lib/progress";
import { UserError } from "../../lib/errors";
import { type Cluster, type Pod, list } from "../clients/kubectl";
import { connect } from "../pulumi/connect";
import { defaultWorkspace } from "../pulumi/run-pulumi";
import { settingsOf } from "../pulumi/settings";
import { outputsOf } from "../pulumi/stacks";
import { withoutRelease } from "../stacks/release";
import { type Place, makePods, podsOf, remove } from "./cluster";
import { http, tcp } from "./from-here";
import { type Labels, type PodSource, containerOf, podName, podSources, probeLabel } from "./pods";
import { type Row, lines, summary, verdict, withoutOpenNode } from "./table";

export interface ProbeOptions {
  /**
   * IP address on the internet. The host at this address must answer on the ports that the probe
   * tries.
   */
  readonly internet: string;
  /** Timeout of a connection, in seconds. */
  readonly seconds: number;
}

/**
 * The address of each door, or the reason why the address is missing. A door is the end of a
 * connection.
 */
type Addresses = Readonly<Record<DoorName, { readonly address?: string; readonly why?: string }>>;

const script = readFileSync(join(project, "operations", "probe", "connect.pl"), "utf8");

/**
 * `npm run probe -- STACK`: tries the connections of the list `connections` in the stack's
 * namespace. Prints the expected and the measured result of each connection. The exit code is 1 if
 * a result is not as expected.
 */
export async function probe(stack: string, options: ProbeOptions): Promise<void> {
  if (traitsOf(stack)?.data !== "own") {
    throw new UserError(
      `probe needs a stack with network policies (local or review-<slug>), got "${stack}"`,
    );
  }
  const { cluster, ingressPreset, namespace, url } = await deployed(stack);
  const place: Place = { cluster, namespace, other: `${namespace}-probe` };
  const all = (await podsOf(cluster, namespace)).filter(
    ({ metadata: { labels = {} } }) => !(probeLabel in labels),
  );
  const web = runningPod(all, "web", stack);
  const image = runningPod(all, "database", stack).spec.containers[0]?.image ?? "";
  const stopped = () => {
    void remove(place, "going").finally(() => process.exit(1));
  };
  process.once("SIGINT", stopped).once("SIGTERM", stopped);
  try {
    const steps = new Steps(2);
    const sources = Object.keys(podSources) as PodSource[];
    const missing = await steps.step(`Create pods that act as: ${sources.join(", ")}`, async () => {
      // If an earlier probe was killed, the objects of that probe may still exist.
      await remove(place, "gone");
      return makePods(place, sources, image, instanceOf(web));
    });
    const tried = await steps.step("Try all connections", async () => {
      const addresses = await addressesOf(all, place, options);
      return Promise.all([
        ...sources.map((source) =>
          fromPod(source, missing.get(source), addresses, { ...place, ...options }),
        ),
        fromIngress(url, addresses, { ...options, ingressPreset }),
      ]);
    });
    const internet = untried("the internet", "the probe cannot connect from the internet");
    report(namespace, withoutOpenNode([...tried.flat(), ...internet]));
  } finally {
    process.off("SIGINT", stopped).off("SIGTERM", stopped);
    await remove(place, "going");
  }
}

function report(namespace: string, rows: readonly Row[]): void {
  console.log(`\nConnections in ${namespace}`);
  for (const line of [...lines(rows), "", ...summary(rows)]) console.log(line);
  if (rows.some((row) => verdict(row) === "FAIL")) process.exitCode = 1;
}

interface Deployed {
  readonly cluster: Cluster;
  readonly ingressPreset: "eks-alb" | undefined;
  readonly namespace: string;
  readonly url: string;
}

/**
 * Returns the cluster, the namespace, the type of ingress and the URL of a deployed stack.
 *
 * @throws UserError if the stack is not deployed, or runs in a cluster other than the cluster of
 * the kubeconfig
 */
async function deployed(stack: string): Promise<Deployed> {
  // The stack's cluster and namespace do not depend on the checked-out branch.
  const settings = await settingsOf(stack, withoutRelease(defaultWorkspace));
  const { cluster, stacks } = await connect(settings, defaultWorkspace);
  const { clusterUid, namespace, url } = stacks.includes(stack)
    ? await outputsOf(stack, defaultWorkspace)
    : {};
  if (clusterUid === undefined || namespace === undefined || url === undefined) {
    throw new UserError(`stack "${stack}" is not deployed. Run "pulumi up --stack ${stack}" first`);
  }
  if (cluster.uid !== clusterUid) {
    throw new UserError(
      `stack "${stack}" runs in cluster ${clusterUid}, but kubectl points to ${cluster.uid}. Switch with "kubectl config use-context"`,
    );
  }
  return { cluster, ingressPreset: settings.ingressPreset, namespace, url };
}

const componentLabel = "app.kubernetes.io/component";

function runningPod(pods: readonly Pod[], component: string, stack: string): Pod {
  const found = pods.find(
    ({ metadata, status }) =>
      metadata.labels?.[componentLabel] === component &&
      status.phase === "Running" &&
      status.podIP !== undefined,
  );
  if (found === undefined) {
    throw new UserError(
      `stack "${stack}" has no running pod of component ${component}. Run "pulumi up --stack ${stack}" first`,
    );
  }
  return found;
}

/** Returns the labels that network policies use to select the stack's pods. */
function instanceOf({ metadata: { labels = {} } }: Pod): Labels {
  const keys = ["app.kubernetes.io/instance", "app.kubernetes.io/name"];
  return Object.fromEntries(keys.map((key) => [key, labels[key] ?? ""]));
}

async function addressesOf(
  all: readonly Pod[],
  { cluster, namespace, other }: Place,
  { internet }: ProbeOptions,
): Promise<Addresses> {
  const made = await podsOf(cluster, namespace);
  const addressOf = (pods: readonly Pod[], source: PodSource) =>
    pods.find(({ metadata }) => metadata.name === podName(source))?.status.podIP;
  const owner = (component: string) =>
    all.find(({ metadata }) => metadata.labels?.[componentLabel] === component)?.status;
  const ofDns = ["--namespace", "kube-system", "--selector", "k8s-app=kube-dns"];
  const [dnsPods, dnsServices] = await Promise.all([
    list<Pod>(cluster, "pods", ofDns).catch(() => []),
    list<{ readonly spec: { readonly clusterIP: string } }>(cluster, "services", ofDns).catch(
      () => [],
    ),
  ]);
  const dnsPod = dnsPods[0]?.status.podIP;
  const dnsService = dnsServices[0]?.spec.clusterIP;
  const others = await podsOf(cluster, other).catch(() => []);
  const opened = await cluster.kubectl(["get", "networkpolicies", "-n", namespace, "-o", "name"]);
  const internetWhy = /\/service-to-others$/m.test(opened)
    ? { why: "the setting egressTo of this stack may allow connections to the internet" }
    : { address: internet };
  const byParty = {
    "another pod": addressOf(made, "another pod"),
    "Datadog agent": owner("web")?.hostIP,
    database: owner("database")?.podIP,
    job: addressOf(made, "job"),
    "other namespaces": addressOf(others, "other namespaces"),
    service: owner("web")?.podIP,
  };
  const entries = Object.entries(doors).map(([name, { party, port }]) => {
    if (party === "the internet") return [name, internetWhy];
    const address =
      party === "DNS" ? (port === 53 ? (dnsService ?? dnsPod) : dnsPod) : byParty[party];
    return [name, address === undefined ? { why: `no address for ${party}` } : { address }];
  });
  return Object.fromEntries(entries) as Addresses;
}

const rowsOf = (source: Source) => connections.filter(({ from }) => from === source);

function untried(source: Source, why: string): readonly Row[] {
  return rowsOf(source).map((row) => ({ ...row, seen: undefined, why }));
}

/**
 * Whether the same probe pod is at both ends of a connection. Connections to the service and to the
 * database end at the stack's own pods.
 */
const isItself = (source: PodSource, to: DoorName) =>
  (source === "job" || source === "another pod") && doors[to].party === source;

/** Tries all connections from a source at the same time, inside the probe pod of this source. */
async function fromPod(
  source: PodSource,
  why: string | undefined,
  addresses: Addresses,
  { cluster, namespace, other, seconds }: Place & ProbeOptions,
): Promise<readonly Row[]> {
  if (why !== undefined) return untried(source, why);
  const rows = rowsOf(source);
  const place = (to: DoorName) =>
    isItself(source, to)
      ? { why: "the same pod at both ends, where policies do not apply" }
      : addresses[to];
  const asked = ({ to }: (typeof rows)[number]) => {
    const { address } = place(to);
    const { port, protocol } = doors[to];
    return address === undefined ? [] : [`${protocol}/${address}/${String(port)}`];
  };
  const within = source === "other namespaces" ? other : namespace;
  const pod = ["exec", "-i", "-n", within, podName(source), "-c", containerOf(source)];
  const perl = ["perl", "-", String(seconds), ...new Set(rows.flatMap(asked))];
  const answer = await cluster.kubectl([...pod, "--", ...perl], 100_000, script);
  const seen = new Map(answer.split("\n").map((line) => line.split(" ") as [string, string]));
  return rows.map((row) => {
    const [door = ""] = asked(row);
    const { why } = place(row.to);
    return { ...row, seen: seen.get(door), ...(why === undefined ? {} : { why }) };
  });
}

/**
 * Tries the connections from the ingress. The connection to the service uses the service's URL.
 * This machine tries the other connections only if this machine can connect to the service's pod,
 * as the ingress controller can. If this machine cannot connect to the pod, a failed connection
 * proves nothing about the network policies.
 */
async function fromIngress(
  url: string,
  addresses: Addresses,
  { ingressPreset, seconds }: Pick<Deployed, "ingressPreset"> & ProbeOptions,
): Promise<readonly Row[]> {
  const rows = connectionsOf(ingressPreset).filter(({ from }) => from === "ingress");
  const direct = async (to: DoorName) => {
    const { address } = addresses[to];
    return address === undefined ? undefined : tcp(address, doors[to].port, seconds);
  };
  const near = (await direct("service")) === "open";
  return Promise.all(
    rows.map(async (row) => {
      if (row.to === "service") return { ...row, seen: await http(url, 2 * seconds) };
      if (!near)
        return {
          ...row,
          seen: undefined,
          why: "the ingress's requests do not come from this machine",
        };
      return { ...row, seen: await direct(row.to) };
    }),
  );
}
