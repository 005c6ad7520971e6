import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { WrongUse } from "../../../lib/errors";
import { Steps } from "../../../lib/progress";
import {
  engineEnvironment,
  updateEnvironment,
} from "../../../operations/pulumi/engine-environment";
import { downloadOrBuild, isInstalled } from "../../../sandbox/install/download-or-build";
import { versitygw } from "../../../sandbox/install/extra-parts";
import type { Cost } from "../cost";
import { type Say, addJobs, inTemporaryDirectory } from "../preview";
import { type Env, runner } from "../scale/comparison";
import { printRows, ratioRow, timeRow } from "../scale/figures";
import { assertRunning, at, deleteNamespaces, namespace, stack, stackIn } from "../scale/stack";
import { startSlowS3 } from "./slow-s3";

/** Number of jobs that each measured update changes. */
const jobs = 50;
/** Most that an update with the state in S3 may take, as a multiple of the time with files. */
const most = 1.5;
const mostMilliseconds = 1000;

interface Figures {
  readonly files: Cost;
  readonly requests: number;
  readonly s3: Cost;
}

/**
 * `npm run bench -- --state-delay MILLISECONDS`: measures an update that changes 50 jobs, with the
 * state in files and with the state in a stand-in for S3 that answers later. As in production,
 * Pulumi writes the state before and after each step.
 */
export async function state(asked: string): Promise<void> {
  const milliseconds = Number(asked);
  if (!/^\d+$/.test(asked) || milliseconds > mostMilliseconds) {
    throw new WrongUse(
      `--state-delay must be a number from 0 to ${String(mostMilliseconds)}, such as 30, got "${asked}"`,
    );
  }
  assertRunning();
  const steps = new Steps(2);
  await steps.step("S3 server", async (report) => {
    if (!isInstalled(versitygw)) console.log(`      ${await downloadOrBuild(versitygw, report)}`);
  });
  const figures = await steps.step(
    `A change of ${String(jobs)} jobs, with the state in files and in S3`,
    async (say) => measure(milliseconds, say),
  );
  print(figures, milliseconds);
}

async function measure(milliseconds: number, say: Say): Promise<Figures> {
  return inTemporaryDirectory(async (cwd) => {
    const prepared: Env = {
      ...(await stackIn(cwd)),
      ...engineEnvironment("prod", {}),
      ...updateEnvironment("prod", {}),
    };
    const directory = join(cwd, "bench-state");
    mkdirSync(directory);
    const s3 = await startSlowS3(join(cwd, "bench-s3"), milliseconds);
    const inFiles = { ...prepared, PULUMI_BACKEND_URL: `file://${directory}` };
    const inS3 = { ...prepared, ...s3.env };
    const pulumi = async (what: string, env: Env, ...args: readonly string[]): Promise<Cost> =>
      runner(cwd, env, say)(what, "pulumi", [...args, ...at]);
    const init = ["stack", "init", stack, "--no-select", "--non-interactive"];
    const change = async (what: string, hour: number, env: Env): Promise<Cost> => {
      addJobs(cwd, jobs, () => hour);
      return pulumi(what, env, "up", "--yes", "--skip-preview");
    };
    try {
      await runner(cwd, inFiles, say)("the stack", "pulumi", init);
      await change("adding the jobs", 4, inFiles);
      const files = await change("the change, state in files", 5, inFiles);
      const exported = join(cwd, "bench-export.json");
      await pulumi("moving the state", inFiles, "stack", "export", "--file", exported);
      await runner(cwd, inS3, say)("the stack in S3", "pulumi", init);
      await pulumi("moving the state", inS3, "stack", "import", "--file", exported);
      s3.requests();
      const changed = await change("the change, state in S3", 6, inS3);
      return { files, requests: s3.requests(), s3: changed };
    } finally {
      await s3.stop();
      await deleteNamespaces(prepared, namespace);
    }
  });
}

function print({ files, requests, s3 }: Figures, milliseconds: number): void {
  const delays = (requests * milliseconds) / 1000;
  const inS3 = `state in S3, ${String(milliseconds)} ms later`;
  printRows(`A change of ${String(jobs)} jobs, with a write of the state at each step`, [
    timeRow("state in files", files),
    ratioRow(inS3, s3.milliseconds / 1000, "state in files", files, most),
    {
      reference: `delay of all requests: ${delays.toFixed(2)} s`,
      value: String(requests),
      what: "requests to S3",
    },
  ]);
}
