import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../lib/errors";
import { reports } from "../../lib/reports";
import { type Cluster, list } from "../clients/kubectl";
import type { LiveObject } from "../pulumi/live-objects";
import { type NamespaceObject, readNamespace } from "../stacks/review-namespace";
import { held } from "./destroy";

/** How long a removal waits, in milliseconds. */
interface Waiting {
  /** Time after which the removal fails. */
  readonly patienceMs: number;
  /** Time between two reads of the namespace. */
  readonly pauseMs: number;
  /** Time between two reports about the objects that the removal waits for. */
  readonly reportMs: number;
}

/**
 * The AWS Load Balancer Controller needs some minutes to delete a load balancer. Ten minutes are
 * enough for this deletion.
 */
const usual: Waiting = { patienceMs: 10 * 60_000, pauseMs: 1_000, reportMs: 30_000 };

/**
 * Deletes a namespace with everything in it, and waits until the namespace is gone. Every 30 s, the
 * function prints the objects that the removal waits for. If the deletion has already begun, the
 * function continues the deletion.
 *
 * @throws UserError if the namespace still exists after 10 minutes.
 */
export async function deleteNamespace(
  name: string,
  cluster: Pick<Cluster, "kubectl">,
  { patienceMs, pauseMs, reportMs }: Waiting = usual,
): Promise<void> {
  const started = Date.now();
  const uid = (await readNamespace(name, cluster))?.metadata.uid;
  if (uid === undefined) return;
  console.log(`Deleting namespace ${name}, with everything in it`);
  await cluster.kubectl(["delete", "namespace", name, "--ignore-not-found", "--wait=false"]);
  let reported = started;
  for (;;) {
    const now = await readNamespace(name, cluster);
    // If the UID is missing or different, the namespace is gone. A different UID means that someone
    // has already created a new namespace with this name.
    if (now?.metadata.uid !== uid) return;
    const isOver = Date.now() - started >= patienceMs;
    if (isOver || Date.now() - reported >= reportMs) {
      for (const line of await waitsFor(now, cluster)) {
        console.log(line);
        if (isOver) reports.addCause(line.trim());
      }
      reported = Date.now();
    }
    if (isOver) {
      throw new UserError(
        `Namespace "${name}" still exists ${String(patienceMs / 60_000)} minutes after the start of its deletion. ` +
          "The lines above say what the namespace waits for. Fix this, and run the command again.",
      );
    }
    await sleep(pauseMs);
  }
}

/**
 * Returns one line for each object that still exists in the namespace because of a finalizer. If
 * there is no such object, or if the function cannot read the objects, the function returns the
 * messages of Kubernetes about the deletion. The permission to read the objects may be missing,
 * because Kubernetes may delete a namespace's RoleBindings before other objects.
 */
async function waitsFor(
  { metadata, status }: NamespaceObject,
  cluster: Pick<Cluster, "kubectl">,
): Promise<readonly string[]> {
  const messages = (status?.conditions ?? []).flatMap((one) =>
    one.status === "True" && one.message !== undefined ? [one.message] : [],
  );
  // A message contains a resource and its API group, such as
  // `ingresses.networking.k8s.io has 1 resource instances`. In `pods. has 1 resource instances`,
  // the group is empty.
  const resources = [...messages.join(", ").matchAll(/([a-z0-9.-]+?)\.? has \d+ resource/g)];
  const kinds = resources.map(([, kind = ""]) => kind).join(",");
  const objects =
    kinds === ""
      ? []
      : await list<LiveObject>(cluster, kinds, ["--namespace", metadata.name]).catch(() => []);
  const lines = held(objects);
  return lines.length > 0 ? lines : messages.map((message) => `  ${message}`);
}
