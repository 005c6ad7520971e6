import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { WrongUse } from "../../../lib/errors";
import { Steps } from "../../../lib/progress";
import {
  engineEnvironment,
  updateEnvironment,
} from "../../../operations/pulumi/engine-environment";
import { downloadOrBuild, isInstalled } from "../../../sandbox/install/download-or-build";
import { helm } from "../../../sandbox/install/extra-parts";
import type { Cost } from "../cost";
import { type Say, addJobs, inTemporaryDirectory } from "../preview";
import {
  otherNamespace,
  measureHelm,
  measurePrograms,
  chartOf,
  fastest,
  runner,
} from "./comparison";
import { type Figures, print } from "./figures";
import { assertRunning, at, deleteNamespaces, mostJobs, namespace, stack, stackIn } from "./stack";

/**
 * `npm run bench -- --jobs COUNTS`: measures updates of a review stack with additional jobs. For
 * comparison, also measures Helm with the same CronJobs, and Pulumi programs without components.
 */
export async function scale(asked: string): Promise<void> {
  const counts = asked.split(",").map(Number);
  if (counts.some((count) => !Number.isInteger(count) || count < 1 || count > mostJobs)) {
    throw new WrongUse(
      `--jobs must be numbers from 1 to ${String(mostJobs)}, such as 20,100, got "${asked}"`,
    );
  }
  assertRunning();
  const steps = new Steps(counts.length + 1);
  await steps.step("Helm", async (report) => {
    if (!isInstalled(helm)) console.log(`      ${await downloadOrBuild(helm, report)}`);
  });
  for (const count of counts) {
    const what = `${String(count)} additional jobs, then Helm and a program without components`;
    const figures = await steps.step(what, async (say) => measureJobs(count, say));
    print(count, figures);
  }
}

async function measureJobs(count: number, say: Say): Promise<Figures> {
  return inTemporaryDirectory(async (cwd) => {
    const prepared = await stackIn(cwd);
    const state = join(cwd, "bench-state");
    mkdirSync(state);
    const env = {
      ...prepared,
      ...engineEnvironment(stack, {}),
      ...updateEnvironment(stack, {}),
      PULUMI_BACKEND_URL: `file://${state}`,
    };
    const run = runner(cwd, env, say);
    const update = async (what: string): Promise<Cost> =>
      run(what, "pulumi", ["up", "--yes", "--skip-preview", ...at]);
    const preview = async (what: string): Promise<Cost> =>
      run(what, "pulumi", ["preview", "--expect-no-changes", ...at]);
    const jobs = (number: number, hour: (n: number) => number = () => 4): void => {
      addJobs(cwd, number, hour);
    };
    try {
      await run("the stack", "pulumi", ["stack", "init", stack, "--no-select"]);
      jobs(0);
      await update("the stack without additional jobs");
      const empty = await fastest(async () => preview("preview without additional jobs"));
      const before = stateSize(state);
      jobs(count);
      const add = await update("adding the jobs");
      const perJob = (stateSize(state) - before) / 1000 / count;
      const same = await fastest(async () => update("update without changes"));
      const noOp = await fastest(async () => preview("preview without changes"));
      const chart = await chartOf(namespace, cwd, env);
      jobs(count, (n) => (n === 0 ? 5 : 4));
      const changeOne = await update("changing one job");
      jobs(count, () => 6);
      const changeAll = await update("changing all jobs");
      jobs(0);
      const remove = await update("removing the jobs");
      const withHelm = await measureHelm(chart, cwd, env, say);
      const programs = await measurePrograms(count, cwd, env, say);
      const removeAll = await run("removing the stack", "pulumi", ["destroy", "--yes", ...at]);
      const pulumi = { add, changeAll, changeOne, empty, preview: noOp, remove, removeAll, same };
      return { helm: withHelm, kilobytesPerJob: perJob, ...programs, pulumi };
    } finally {
      await deleteNamespaces(env, namespace, otherNamespace);
    }
  });
}

/** Size of the file in which Pulumi has stored the stack's state, in bytes. */
function stateSize(state: string): number {
  const directory = join(state, ".pulumi", "stacks", "services-orders");
  const file = readdirSync(directory).find((name) => /^review-bench\.json(?:\.gz)?$/.test(name));
  return statSync(join(directory, file ?? "")).size;
}
