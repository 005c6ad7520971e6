import { setTimeout as sleep } from "node:timers/promises";
import { command } from "../../lib/command";
import { UserError } from "../../lib/errors";
import { type PodSource, containerOf, otherNamespace, podName, probeLabel, probePod } from "./pods";

/** What a probe does in a cluster, through kubectl and with a limit on every wait. */

type Labels = Readonly<Record<string, string>>;

export interface Pod {
  readonly metadata: { readonly labels: Labels; readonly name: string };
  readonly spec: {
    readonly containers: readonly {
      readonly image: string;
      readonly ports?: readonly { readonly containerPort: number; readonly name?: string }[];
    }[];
  };
  readonly status: {
    readonly conditions?: readonly { readonly message?: string; readonly type: string }[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly hostIP?: string;
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly phase: string;
    readonly podIP?: string;
  };
}

interface ContainerStatus {
  readonly name: string;
  readonly state: {
    readonly running?: object;
    readonly waiting?: { readonly message?: string; readonly reason?: string };
  };
}

/** Limit of one kubectl command. Deleting a namespace takes longest. */
const timeoutMs = 100_000;
/** Time in which the probe's pods must run. They only have to pull an image. */
const startTimeoutMs = 60_000;

export async function kubectl(args: readonly string[], input?: string): Promise<string> {
  return command("kubectl", args, {
    timeout: timeoutMs,
    ...(input === undefined ? {} : { input }),
  });
}

export async function get<T>(args: readonly string[]): Promise<T> {
  return JSON.parse(await kubectl(["get", ...args, "-o", "json"])) as T;
}

export async function podsOf(namespace: string): Promise<readonly Pod[]> {
  const { items } = await get<{ items: Pod[] }>(["pods", "-n", namespace]);
  return items;
}

async function create(namespace: string, object: object): Promise<void> {
  await kubectl(["create", "-n", namespace, "-f", "-"], JSON.stringify(object));
}

/** Deletes what this probe or an earlier one created. With "going" it does not wait for the end. */
export async function remove(
  namespace: string,
  other: string,
  until: "going" | "gone",
): Promise<void> {
  const wait = until === "going" ? ["--wait=false"] : ["--timeout=90s"];
  // Only with the probe's label: someone else may own a namespace with this name.
  const own = ["-l", probeLabel, "--field-selector", `metadata.name=${other}`];
  await Promise.all([
    kubectl(["delete", "pods", "-n", namespace, "-l", probeLabel, "--grace-period=0", ...wait]),
    kubectl(["delete", "namespaces", ...own, ...wait]),
  ]);
}

/**
 * Creates the pods, and waits until they can run commands.
 *
 * @returns the sources that cannot be tried, with the reason.
 * @throws UserError if a pod does not run within a minute; the error names what it waits for.
 */
export async function makePods(
  namespace: string,
  other: string,
  sources: readonly PodSource[],
  image: string,
  instance: Labels,
): Promise<ReadonlyMap<PodSource, string>> {
  const missing = new Map<PodSource, string>();
  await Promise.all(
    sources.map(async (source) => {
      if (source !== "other namespaces") {
        await create(namespace, probePod(source, image, instance));
        return;
      }
      try {
        await kubectl(["create", "-f", "-"], JSON.stringify(otherNamespace(other)));
        await create(other, probePod(source, image, instance));
      } catch (error) {
        if (!/Forbidden|forbidden/.test((error as Error).message)) throw error;
        missing.set(source, "no permission to create a namespace");
      }
    }),
  );
  const inside = sources.filter((source) => source !== "other namespaces");
  await running(namespace, inside);
  if (sources.length > inside.length && missing.size === 0) {
    await running(other, ["other namespaces"]);
  }
  return missing;
}

async function running(namespace: string, sources: readonly PodSource[]): Promise<void> {
  const until = Date.now() + startTimeoutMs;
  for (;;) {
    const pods = await podsOf(namespace);
    const waiting = sources.flatMap((source) => {
      const status = pods.find(({ metadata }) => metadata.name === podName(source))?.status;
      const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
      const state = all.find(({ name }) => name === containerOf(source))?.state;
      if (state?.running !== undefined && status?.podIP !== undefined) return [];
      // Without a node no container has a state: the scheduler's condition says why.
      const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled")?.message;
      const { message = scheduled ?? status?.phase ?? "no pod", reason = "" } =
        state?.waiting ?? {};
      return [`${podName(source)}: ${`${reason} ${message}`.trim()}`];
    });
    if (waiting.length === 0) return;
    if (Date.now() > until) {
      throw new UserError(
        `these probe pods do not run after ${String(startTimeoutMs / 1000)} s. Fix what they wait for:\n${waiting.join("\n")}`,
      );
    }
    await sleep(500);
  }
}
