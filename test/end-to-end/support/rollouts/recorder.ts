import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { ContainerStatus } from "../../../../components/conventions/rollout/pod-status";
import { readRollouts } from "../../../../program/rollout/read-rollouts";
import { environment } from "../../../../sandbox/environment";

const directory = join(import.meta.dirname, "..", "..", "..", "program", "rollout", "recorded");

/** Returns the container statuses with only the fields that the program reads. */
function lean(all: readonly ContainerStatus[] | undefined): readonly ContainerStatus[] | undefined {
  return all?.map(({ lastState, name, ready, restartCount, state }) => ({
    ...{ name, ready, restartCount },
    ...(lastState === undefined ? {} : { lastState }),
    ...(state === undefined ? {} : { state }),
  }));
}

/** Whether this run records its rollouts. The unit tests use the recordings as fixtures. */
const wanted = process.env["RECORD_ROLLOUTS"] === "1";

/**
 * Runs `work`. With `RECORD_ROLLOUTS=1`, the function also writes everything that the program reads
 * about the rollout to `test/program/rollout/recorded/NAME.jsonl`, one line for each change.
 */
export async function recorded<T>(
  name: string,
  namespace: string,
  work: () => Promise<T>,
): Promise<T> {
  if (!wanted) return work();
  // Sets variables of this process, because the program starts kubectl with these variables.
  Object.assign(process.env, environment());
  const rollouts = readRollouts({ context: undefined, kubeconfig: undefined, namespace });
  const lines: string[] = [];
  let last: unknown;
  const look = async (): Promise<void> => {
    const deployment = await rollouts.deployment("services-orders");
    if (deployment === undefined) return;
    const { metadata, spec, status } = deployment;
    const { failedMounts, pods } = await rollouts.newPods(deployment);
    const { progressDeadlineSeconds, replicas, selector } = spec;
    const seen = {
      deployment: {
        metadata: { generation: metadata.generation },
        spec: { progressDeadlineSeconds, replicas, selector },
        status,
      },
      failedMounts,
      pods: pods.map(({ metadata: { creationTimestamp, deletionTimestamp, name }, status }) => {
        const { conditions, containerStatuses, initContainerStatuses, phase } = status;
        return {
          metadata: { creationTimestamp, deletionTimestamp, name },
          status: {
            conditions: conditions?.map(({ message, status, type }) => ({ message, status, type })),
            containerStatuses: lean(containerStatuses),
            initContainerStatuses: lean(initContainerStatuses),
            phase,
          },
        };
      }),
    };
    if (isDeepStrictEqual(seen, last)) return;
    last = seen;
    lines.push(JSON.stringify({ at: new Date().toISOString(), ...seen }));
  };
  const ended = new AbortController();
  const watching = (async () => {
    while (!ended.signal.aborted) {
      await look().catch(() => undefined);
      await sleep(1_000);
    }
  })();
  try {
    return await work();
  } finally {
    ended.abort();
    await watching;
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `${name.replaceAll(" ", "-")}.jsonl`), `${lines.join("\n")}\n`);
  }
}
