import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { webService as defaults } from "../../../components/conventions/defaults";
import { environment } from "../../../sandbox/environment";
import { kubectl } from "./commands";

/** Waits until `done` returns true. Fails after `seconds` with a message that contains `what`. */
export async function until(
  what: string,
  done: () => Promise<boolean>,
  seconds = 180,
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await done())) {
    assert.ok(Date.now() < deadline, `${what}: not within ${String(seconds)} s`);
    await sleep(500);
  }
}

async function get<T>(namespace: string, ...args: readonly string[]): Promise<readonly T[]> {
  const list = await kubectl(["-n", namespace, "get", ...args, "-o", "json"]);
  return (JSON.parse(list) as { items: readonly T[] }).items;
}

interface Slice {
  readonly endpoints?: readonly {
    readonly conditions: { readonly ready?: boolean };
    readonly targetRef?: { readonly name: string };
  }[];
}

/** Returns the names of the pods that receive the service's requests. */
export async function servingPods(namespace: string): Promise<string[]> {
  const ofService = "kubernetes.io/service-name=services-orders";
  return (await get<Slice>(namespace, "endpointslices", "-l", ofService))
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions.ready === true)
    .map(({ targetRef }) => targetRef?.name ?? "")
    .sort();
}

/**
 * Requests a path of the management port of one pod that receives requests. The request goes
 * through the API server, because neither the Service nor the Ingress has this port.
 *
 * @throws if the status is not a success
 */
export async function askManagement(namespace: string, path: string): Promise<string> {
  const [pod = ""] = await servingPods(namespace);
  const port = String(defaults.managementPort);
  return kubectl([
    "get",
    "--raw",
    `/api/v1/namespaces/${namespace}/pods/${pod}:${port}/proxy${path}`,
  ]);
}

interface Pod {
  readonly metadata: { readonly deletionTimestamp?: string; readonly name: string };
  readonly status: {
    readonly conditions?: readonly { readonly status: string; readonly type: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

/** Returns the service's pods of one track, without the pods that are terminating. */
export async function podsOf(
  namespace: string,
  track = "stable",
): Promise<readonly { name: string; ready: boolean; restarts: number }[]> {
  const selector = `app.kubernetes.io/component=web,track=${track}`;
  return (await get<Pod>(namespace, "pods", "-l", selector))
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata, status }) => ({
      name: metadata.name,
      ready: (status.conditions ?? []).some((c) => c.type === "Ready" && c.status === "True"),
      restarts: (status.containerStatuses ?? []).reduce((sum, one) => sum + one.restartCount, 0),
    }));
}

/**
 * Asks the API server to evict a pod, like `kubectl drain`. Returns false if the API server answers
 * with status 429, because the PodDisruptionBudget does not allow the eviction now.
 */
export async function evicted(namespace: string, name: string): Promise<boolean> {
  const eviction = {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name, namespace },
  };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
  try {
    await kubectl(["create", "--raw", path, "-f", "-"], JSON.stringify(eviction));
    return true;
  } catch (error) {
    // kubectl prints this message if the API server answers with status 429 because of a
    // PodDisruptionBudget.
    if (/\(TooManyRequests\).*disruption budget/.test(String(error))) return false;
    throw error;
  }
}

/**
 * Watches the Deployment during `work`, and returns every number of Ready pods that the Deployment
 * had.
 */
export async function readyPodsDuring(
  namespace: string,
  work: () => Promise<void>,
): Promise<readonly number[]> {
  const what = ["get", "deployment", "services-orders", "--watch"];
  const numbers = "jsonpath={.status.readyReplicas}{'\\n'}";
  const watch = spawn("kubectl", ["-n", namespace, ...what, "-o", numbers], {
    env: { ...process.env, ...environment() },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(watch, "close");
  let seen = "";
  watch.stdout.on("data", (chunk: Buffer) => {
    seen += chunk.toString("utf8");
  });
  try {
    await until("the current number", () => Promise.resolve(seen !== ""), 30);
    await work();
    assert.equal(watch.exitCode, null, "the watch ended before the work did");
  } finally {
    watch.kill();
    await closed;
  }
  return seen.trimEnd().split("\n").map(Number);
}

/**
 * Returns the platforms of an image, such as `linux/amd64`. The list comes from the registry.
 */
export async function platformsOf(imageRef: string): Promise<string[]> {
  const [, registry = "", repository = "", digest = ""] =
    /^([^/]+)\/(.+)@(.+)$/.exec(imageRef.trim()) ?? [];
  const answer = await fetch(`http://${registry}/v2/${repository}/manifests/${digest}`, {
    headers: {
      accept: "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json",
    },
  });
  const manifest = (await answer.json()) as {
    manifests?: { platform: { os: string; architecture: string } }[];
  };
  return (manifest.manifests ?? [{ platform: { os: "linux", architecture: "its own" } }])
    .map(({ platform }) => `${platform.os}/${platform.architecture}`)
    .sort();
}
