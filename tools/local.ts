import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { buildService, checkMaven, project } from "./build";
import { command } from "./command";
import { duration, Steps, UserError } from "./progress";
import { environment } from "./sandbox/environment";
import { options, paths } from "./sandbox/layout";
import { startTime } from "./sandbox/processes";
import { down as sandboxDown, isRunning, stepsOfUp, up as sandboxUp } from "./sandbox/sandbox";

const STACK = "local";

/** The rules that every stack keeps, see docs/policy.md. */
const policyPack = ["--policy-pack", "policy"];

/** Runs Pulumi with its own output and progress on the person's terminal. */
async function pulumi(...args: string[]): Promise<void> {
  const interactive = process.stdout.isTTY ? [] : ["--non-interactive"];
  const child = spawn("pulumi", [...args, ...interactive], {
    cwd: project,
    stdio: "inherit",
    env: { ...process.env, ...environment() },
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  if (code !== 0) {
    throw new UserError(
      `pulumi ${args[0] ?? ""} failed: what it says is above; mend it and run the command again`,
    );
  }
}

async function quietly(...args: string[]): Promise<string> {
  return command("pulumi", [...args, "--non-interactive"], {
    cwd: project,
    env: environment(),
    timeout: 120_000,
  });
}

/**
 * Removes the lock of an update on this machine that was killed. A lock whose owner lives, or is on another machine, stays:
 * Pulumi then says who has it.
 */
async function takeOverDeadLock(): Promise<void> {
  const locks = join(
    paths.pulumiState,
    ".pulumi",
    "locks",
    "organization",
    "services-orders",
    STACK,
  );
  if (!existsSync(locks)) {
    return;
  }
  for (const file of readdirSync(locks)) {
    const lock = JSON.parse(readFileSync(join(locks, file), "utf8")) as {
      pid: number;
      hostname: string;
    };
    if (lock.hostname === hostname() && startTime(lock.pid) === undefined) {
      console.log(
        `An earlier update (process ${String(lock.pid)}) was killed; carrying on from where it was`,
      );
      rmSync(join(locks, file));
    }
  }
  const state = JSON.parse(await quietly("stack", "export", "--stack", STACK)) as {
    deployment: { pending_operations?: unknown[] };
  };
  if ((state.deployment.pending_operations ?? []).length > 0) {
    await quietly(
      "refresh",
      "--stack",
      STACK,
      "--yes",
      "--skip-preview",
      "--clear-pending-creates",
    );
  }
}

/** `npm run up`: from nothing to a running service. */
export async function up(): Promise<void> {
  const started = Date.now();
  const chosen = options();
  await checkMaven();
  const steps = new Steps(stepsOfUp(chosen) + 3);
  const startTook = await sandboxUp(chosen, steps);
  await steps.step("Service: Java code to jars (Maven)", async (report) => {
    if ((await buildService(report)) === "up to date") {
      console.log("      the jars are those of this code");
    }
  });
  await steps.step(`What will change in stack ${STACK} (pulumi preview --diff)`, async () => {
    await quietly("stack", "select", STACK, "--create");
    await takeOverDeadLock();
    await pulumi("preview", "--stack", STACK, "--diff", ...policyPack);
  });
  await steps.step(`Changing it (pulumi up)`, async () => {
    await pulumi("up", "--stack", STACK, "--yes", "--skip-preview", ...policyPack);
  });
  const outputs = JSON.parse(await quietly("stack", "output", "--stack", STACK, "--json")) as {
    url: string;
    namespace: string;
  };
  const { url } = outputs;
  console.log(`
services-orders runs: ${url}
  (sandbox start ${duration(startTook)}, everything ${duration(Date.now() - started)})

Order something:
  curl -s -H 'Content-Type: application/json' -d '{"customer":"ada","currency":"EUR","items":[{"sku":"book","quantity":1,"unitPrice":1250}]}' ${url}orders

Try next:
  1. Change some Java code in service/src/main and run "npm run up" again: the preview shows what will happen first.
  2. Add an entry to jobs.ts: it becomes a CronJob.
  3. eval "$(npm run --silent sandbox -- env)", then: kubectl -n ${outputs.namespace} get pods
`);
}

/** `npm run down`: destroys the stack, then stops the sandbox. */
export async function down(): Promise<void> {
  const steps = new Steps(2);
  await steps.step(`Stack ${STACK} (pulumi destroy)`, async () => {
    if (!isRunning()) {
      console.log(
        "      the sandbox is not running: nothing to destroy now; its data stay for the next start",
      );
      return;
    }
    const stacks = JSON.parse(await quietly("stack", "ls", "--json")) as { name: string }[];
    if (!stacks.some((stack) => stack.name === STACK)) {
      console.log("      there is none");
      return;
    }
    await takeOverDeadLock();
    await pulumi("destroy", "--stack", STACK, "--yes", "--skip-preview");
  });
  await steps.step("Sandbox", sandboxDown);
}
