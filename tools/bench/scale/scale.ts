import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "../../../lib/command";
import { UserError, WrongUse } from "../../../lib/errors";
import { Steps } from "../../../lib/progress";
import {
  engineEnvironment,
  updateEnvironment,
} from "../../../operations/pulumi/engine-environment";
import { environment } from "../../../sandbox/environment";
import { downloadOrBuild, isInstalled } from "../../../sandbox/install/download-or-build";
import { helm } from "../../../sandbox/install/extra-parts";
import { isRunning } from "../../../sandbox/sandbox";
import type { Cost } from "../cost";
import { type Say, addJobs, copyProject, inTemporaryDirectory } from "../preview";
import {
  otherNamespace,
  measureHelm,
  measurePrograms,
  chartOf,
  fastest,
  runner,
} from "./comparison";
import { type Figures, print } from "./figures";

const stack = "review-bench";
const namespace = `services-orders-${stack}`;

/** Largest number of jobs that the benchmark measures. */
const mostJobs = 2000;

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
  if (!isRunning()) {
    throw new UserError(
      "the sandbox is not running, so there is nothing to measure; start it with: npm run up",
    );
  }
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
  const ref = ["stack", "output", "imageRef", "--stack", "local"];
  const options = { env: environment(), timeout: 60_000 };
  const imageRef = (await command("pulumi", ref, options)).trim();
  return inTemporaryDirectory(async (cwd) => {
    copyProject(cwd);
    raiseQuota(cwd);
    const state = join(cwd, "bench-state");
    mkdirSync(state);
    const env = {
      ...environment(),
      ...engineEnvironment(stack, {}),
      ...updateEnvironment(stack, {}),
      PULUMI_BACKEND_URL: `file://${state}`,
      RELEASE_BRANCH: "bench",
      RELEASE_IMAGE_REF: imageRef,
      SANDBOX_REQUESTS: JSON.stringify({ cpu: "20m", memory: "384Mi" }),
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
      const which = [namespace, otherNamespace, "--ignore-not-found", "--timeout=300s"];
      await command("kubectl", ["delete", "namespace", ...which], { env, timeout: 320_000 });
    }
  });
}

const at = ["--stack", stack, "--non-interactive"];

/**
 * Increases the quota of a review stack in a copy of the project, so that the quota allows the
 * additional jobs.
 */
function raiseQuota(cwd: string): void {
  const file = join(cwd, "components", "conventions", "defaults.ts");
  const limit = /("count\/cronjobs\.batch": )"\d+"/;
  writeFileSync(file, readFileSync(file, "utf8").replace(limit, `$1"${String(mostJobs + 100)}"`));
}

/** Size of the file in which Pulumi has stored the stack's state, in bytes. */
function stateSize(state: string): number {
  const directory = join(state, ".pulumi", "stacks", "services-orders");
  const file = readdirSync(directory).find((name) => /^review-bench\.json(?:\.gz)?$/.test(name));
  return statSync(join(directory, file ?? "")).size;
}
