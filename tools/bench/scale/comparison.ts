import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "../../../lib/command";
import { UserError } from "../../../lib/errors";
import { executable } from "../../../sandbox/install/download-or-build";
import { helm } from "../../../sandbox/install/extra-parts";
import { type Cost, measured } from "../cost";
import type { Say } from "../preview";
import type { Figures } from "./figures";

/** Namespace of the objects that Helm and the plain Pulumi programs create. */
export const otherNamespace = "services-orders-bench-others";

export type Env = Readonly<Record<string, string>>;

/** Returns a function that runs a command, measures the command, and fails if the command fails. */
export const runner =
  (cwd: string, env: Env, say: Say) =>
  async (what: string, file: string, args: readonly string[]): Promise<Cost> => {
    say(what);
    const { exitCode, output, ...cost } = await measured(file, args, { cwd, env });
    if (exitCode !== 0) throw new UserError(`${what}: ${file} failed:\n${output.slice(-4000)}`);
    return cost;
  };

/**
 * Measures a command twice. Returns the shorter time, because other work on the machine can only
 * make a command slower.
 */
export async function fastest(work: () => Promise<Cost>): Promise<Cost> {
  const [one, other] = [await work(), await work()];
  return one.milliseconds < other.milliseconds ? one : other;
}

interface CronJob {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly annotations?: object;
    readonly labels: object;
    readonly name: string;
  };
  readonly spec: object;
}

/** Returns the additional CronJobs of the stack, as a person would write them for Helm. */
export async function chartOf(
  namespace: string,
  cwd: string,
  env: Env,
): Promise<readonly CronJob[]> {
  const args = ["get", "cronjobs", "--namespace", namespace, "--output", "json"];
  const { items } = JSON.parse(await command("kubectl", args, { cwd, env, timeout: 60_000 })) as {
    readonly items: readonly CronJob[];
  };
  return items
    .filter(({ metadata }) => metadata.name.startsWith("bench-"))
    .map(({ apiVersion, kind, metadata: { annotations, labels, name }, spec }) => ({
      ...{ apiVersion, kind, spec },
      metadata: { ...(annotations && { annotations }), labels, name },
    }));
}

export async function measureHelm(
  jobs: readonly CronJob[],
  cwd: string,
  env: Env,
  say: Say,
): Promise<Figures["helm"]> {
  const chart = join(cwd, "bench-chart");
  mkdirSync(join(chart, "templates"), { recursive: true });
  writeFileSync(join(chart, "Chart.yaml"), "apiVersion: v2\nname: jobs\nversion: 0.1.0\n");
  const write = (schedule: string): void => {
    const objects = jobs.map((job) => ({ ...job, spec: { ...job.spec, schedule } }));
    const text = objects.map((object) => JSON.stringify(object)).join("\n---\n");
    writeFileSync(join(chart, "templates", "jobs.yaml"), text);
  };
  const run = runner(cwd, env, say);
  const withHelm = async (what: string, ...args: readonly string[]): Promise<Cost> =>
    run(`helm ${what}`, executable(helm), [...args, "--namespace", otherNamespace]);
  await command("kubectl", ["create", "namespace", otherNamespace], { env, timeout: 60_000 });
  write("0 4 * * *");
  const install = await withHelm("install", "install", "jobs", chart);
  const dry = ["upgrade", "jobs", chart, "--dry-run=server"];
  const dryRun = await fastest(async () => withHelm("upgrade --dry-run=server", ...dry));
  write("0 6 * * *");
  const change = await withHelm("upgrade of all jobs", "upgrade", "jobs", chart);
  const uninstall = await withHelm("uninstall", "uninstall", "jobs");
  return { change, dryRun, install, uninstall };
}

/** Number of Kubernetes objects in the stack without additional jobs. */
const otherObjects = 21;

/**
 * Measures previews of two programs without components: one with as many objects as the stack, and
 * one with a ConfigMap.
 */
export async function measurePrograms(
  count: number,
  cwd: string,
  env: Env,
  say: Say,
): Promise<Pick<Figures, "oneConfigMap" | "plain">> {
  const directory = join(cwd, "bench-plain");
  mkdirSync(directory);
  writeFileSync(join(directory, "Pulumi.yaml"), "name: bench-plain\nruntime: nodejs\n");
  writeFileSync(join(directory, "package.json"), '{"main":"index.js"}\n');
  writeFileSync(join(directory, "index.js"), plainProgram);
  const preview = async (name: string, jobs: number): Promise<Cost> => {
    const variables = { BENCH_JOBS: String(jobs), BENCH_NAMESPACE: otherNamespace };
    const run = runner(directory, { ...env, ...variables }, say);
    const which = ["--stack", name, "--non-interactive"];
    await run(`program ${name}`, "pulumi", ["stack", "init", name, "--no-select"]);
    await run(`program ${name}: update`, "pulumi", ["up", "--yes", "--skip-preview", ...which]);
    const again = ["preview", "--expect-no-changes", ...which];
    return fastest(async () => run(`program ${name}: preview`, "pulumi", again));
  };
  const plain = await preview("plain", count + otherObjects);
  const oneConfigMap = await preview("one-configmap", 0);
  rmSync(directory, { recursive: true });
  return { oneConfigMap, plain };
}

/** A Pulumi program with CronJobs, or with one ConfigMap if there are no CronJobs. */
const plainProgram = `
const { batch, core, Provider } = require("@pulumi/kubernetes");
const namespace = process.env.BENCH_NAMESPACE;
const count = Number(process.env.BENCH_JOBS);
const provider = new Provider("kubernetes", {});
const env = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L"];
for (let n = 0; n < count; n += 1) {
  const name = "plain-" + String(n);
  const container = {
    args: ["expire-unpaid", "--older-than", "48h"],
    env: env.map((name) => ({ name, value: "a value of the usual length" })),
    image: "registry.example/services-orders:1",
    name: "job",
    resources: { limits: { memory: "512Mi" }, requests: { cpu: "250m", memory: "512Mi" } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
    volumeMounts: [{ mountPath: "/tmp", name: "tmp" }],
  };
  const volumes = [{ emptyDir: { sizeLimit: "64Mi" }, name: "tmp" }];
  const spec = { containers: [container], restartPolicy: "Never", volumes };
  const jobTemplate = { spec: { backoffLimit: 2, template: { spec } } };
  const metadata = { labels: Object.fromEntries(env.map((key) => [key, key])), name, namespace };
  const args = { metadata, spec: { jobTemplate, schedule: "0 4 * * *", suspend: true } };
  new batch.v1.CronJob(name, args, { provider });
}
if (count === 0) {
  const metadata = { name: "plain", namespace };
  new core.v1.ConfigMap("plain", { data: { a: "b" }, metadata }, { provider });
}
`;
