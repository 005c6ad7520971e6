import { readFileSync } from "node:fs";
import { cores } from "../../components/conventions/quantities";
import { measureErrors } from "./errors";
import { measurePreviews, measureSummary } from "./preview";
import { measureLoads } from "./program";
import { assertRunning } from "./scale/stack";
import { command } from "../../lib/command";
import { Steps } from "../../lib/progress";
import { sandboxProcesses } from "../../sandbox/node/processes";
import { options } from "../../sandbox/layout";
import { environment } from "../../sandbox/environment";

const STACK = "local";
const RUNS = 5;
const GIB = 1024 ** 3;
const limits = {
  ratio: 2.5,
  loadRatio: 1.3,
  jobsMiB: 400,
  previewMoreSeconds: 0.7,
  memoryGiB: 4,
  cpu: 1.2,
  errorRatio: 1.5,
} as const;

/**
 * `npm run bench`: measures how long the program and a preview take, how much memory the sandbox
 * uses, and how much CPU the pods request. The command compares the time of the program with the
 * time of an import of `@pulumi/kubernetes`, and the time of the preview with the time of a preview
 * of a one-line program.
 */
export async function bench(): Promise<void> {
  assertRunning();
  const steps = new Steps(5);
  const load = await steps.step(
    `Loading the program without an engine: ${String(RUNS)} runs, alternating with the import of @pulumi/kubernetes`,
    async (say) => measureLoads(RUNS, say),
  );
  const preview = await steps.step(
    `pulumi preview: one warm-up, then ${String(RUNS)} runs of each program, alternating`,
    async (say) => measurePreviews(RUNS, say),
  );
  const summary = await steps.step(
    `npm run preview compared with pulumi preview --diff, with 20 jobs: a warm-up, then ${String(RUNS)} runs`,
    async (say) => measureSummary(RUNS, say),
  );
  const errors = await steps.step(
    "Wrong inputs: previews that fail, compared with a preview without changes",
    measureErrors,
  );
  const memory = await steps.step("Memory of the sandbox", memoryGiB);
  console.log(`
import of @pulumi/kubernetes     ${seconds(load.import.milliseconds)}
program, with a recorded engine  ${seconds(load.program.milliseconds)}`);
  report("ratio", load.program.milliseconds / load.import.milliseconds, limits.loadRatio);
  report("1 service, 200 jobs (MiB)", load.many.mib, limits.jobsMiB);
  console.log(`
no-op preview of stack ${STACK}       ${seconds(preview.ours)}
preview of a one-line program    ${seconds(preview.oneLine)}`);
  console.log(`pulumi preview --diff, 20 jobs   ${seconds(summary.plain)}
npm run preview, 20 jobs         ${seconds(summary.ours)}`);
  report(
    "extra time for the summary (s)",
    (summary.ours - summary.plain) / 1000,
    limits.previewMoreSeconds,
  );
  report("ratio", preview.ours / preview.oneLine, limits.ratio);
  for (const { milliseconds, mib, what } of errors.wrong) {
    console.log(`\n${what}: ${seconds(milliseconds)}, ${mib.toFixed(0)} MiB`);
    report("time, as a ratio", milliseconds / errors.noOp.milliseconds, limits.errorRatio);
    report("memory, as a ratio", mib / errors.noOp.mib, limits.errorRatio);
  }
  console.log();
  report("memory of the sandbox (GiB)", memory, limits.memoryGiB);
  // In the user's own cluster, the benchmark does not measure CPU requests, because most pods in
  // that cluster do not belong to the sandbox.
  if (options().kubeconfig === undefined) {
    report("CPU requests of all pods", await cpuRequests(), limits.cpu);
  }
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`;

/**
 * Prints a measured value and its limit. If the value is above the limit, sets the command's exit
 * code to 1.
 */
function report(what: string, value: number, limit: number): void {
  const over = value > limit;
  console.log(
    `${what.padEnd(32)} ${value.toFixed(2)}, at most ${String(limit)}${over ? "  TOO MUCH" : ""}`,
  );
  if (over) {
    process.exitCode = 1;
  }
}

/**
 * Memory of all processes in the sandbox, including pods, in GiB. If processes share memory, the
 * sum counts this memory only once (PSS).
 */
function memoryGiB(): number {
  const kib = sandboxProcesses().map(({ pid }) => {
    try {
      return Number(
        /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/smaps_rollup`, "utf8"))?.[1] ??
          0,
      );
    } catch {
      return 0; // The process ended before this code read its file.
    }
  });
  return (kib.reduce((sum, one) => sum + one, 0) * 1024) / GIB;
}

interface Container {
  readonly resources?: { readonly requests?: { readonly cpu?: string } };
}

interface Pod {
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
  };
  readonly status: { readonly phase?: string };
}

/** Sum of the CPU requests of all pods, in cores. Pods that have ended do not count. */
async function cpuRequests(): Promise<number> {
  const { items } = JSON.parse(
    await command("kubectl", ["get", "pods", "-A", "-o", "json"], {
      env: environment(),
      timeout: 30_000,
    }),
  ) as {
    items: readonly Pod[];
  };
  const requested = ({ resources }: Container): number =>
    cores(resources?.requests?.cpu ?? "0") ?? 0;
  return items
    .filter(({ status }) => status.phase !== "Succeeded" && status.phase !== "Failed")
    .map(({ spec }) => {
      const together = spec.containers.reduce((sum, container) => sum + requested(container), 0);
      // Init containers run one after the other, before the other containers start. So a pod's
      // request is the larger of two values: the sum of its containers' requests, and the largest
      // request of an init container.
      return Math.max(together, ...(spec.initContainers ?? []).map(requested));
    })
    .reduce((sum, pod) => sum + pod, 0);
}
