import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { execa } from "execa";
import { contentHash } from "../components/conventions/content-hash";
import { sandboxRecord } from "../operations/doctor/record";
import { buildService, maven } from "./build";
import { project } from "../lib/project";
import { Steps } from "../lib/progress";
import { duration } from "../lib/time";
import { UserError } from "../lib/errors";
import { options } from "../sandbox/layout";
import { assertNotOwn } from "../sandbox/own-cluster/choice";
import { stepsOfUp, up } from "../sandbox/sandbox";

interface Count {
  /** Title and error of each failed test, one text for each test. */
  readonly broken: readonly string[];
  readonly failed: number;
  readonly passed: number;
  /** Duration of each test file in seconds, if known. */
  readonly seconds: Readonly<Record<string, number>>;
  readonly skipped: number;
}

const none: Count = { broken: [], failed: 0, passed: 0, seconds: {}, skipped: 0 };

const endToEndTests = join("test", "end-to-end");

const unitTests = ["test/*.test.ts", "test/!(end-to-end)/**/*.test.ts"];

const suites = {
  // Mocha runs three test files at a time, one more than a small machine has CPUs, because some
  // tests wait until a time limit ends. The patterns of the test files are not in .mocharc.json,
  // because `npx mocha FILE` would then run all tests.
  unit: async (only: readonly string[]) =>
    mocha(["--parallel", "--jobs", "3", ...(only.length === 0 ? unitTests : only.map(testsIn))]),
  service,
  "end-to-end": endToEnd,
} as const;
type Suite = keyof typeof suites;

/**
 * Returns the pattern of the test files in a folder and its subfolders. If `path` ends with `.ts`,
 * returns `path`.
 */
function testsIn(path: string): string {
  return path.endsWith(".ts") ? path : `${path.replace(/\/$/, "")}/**/*.test.ts`;
}

/**
 * The end-to-end tests, by phase and lane. Phases run one after the other. The lanes of a phase run
 * in parallel, because each test waits for pods most of the time. The platform's policies apply to
 * the whole cluster. So a test that creates these policies never runs in parallel with a test whose
 * objects the policies would reject.
 */
const phases: readonly Readonly<Record<string, readonly string[]>>[] = [
  {
    environments: ["rehearsal", "pipelines"],
    commands: ["kills", "rollouts", "policy", "preview", "kube-score"],
  },
  // `updates` checks that the service loses no request while Kubernetes replaces pods. A busy
  // machine could make `updates` fail, so the other lane of this phase starts few pods.
  { updates: ["updates"], objects: ["manifests", "platform"] },
  { network: ["network", "edges"], review: ["review"] },
  // The test `life` stops the sandbox, so `life` must be the last test.
  { life: ["life"] },
];
/**
 * Tests that run only if the command line names them, because these tests take too long to run
 * after every change.
 */
const alone = ["kills-of-environments"];
const planned = [...alone, ...phases.flatMap((lanes) => Object.values(lanes).flat())];

/**
 * `npm test`: runs all suites or one suite, and prints how many tests passed, failed and were
 * skipped.
 */
export async function test(only?: string, files: readonly string[] = []): Promise<void> {
  if (only !== undefined && !(only in suites)) {
    throw new UserError(
      `there is no suite "${only}"; the suites are: ${Object.keys(suites).join(", ")}`,
    );
  }
  const isThere = (file: string) =>
    only === "unit"
      ? existsSync(join(project, file))
      : only !== "service" && planned.includes(file);
  const unknown = files.filter((file) => !isThere(file));
  if (unknown.length > 0) {
    const known =
      only === "end-to-end"
        ? `the tests are: ${planned.join(", ")}`
        : only === "unit"
          ? "name files or folders of test/, such as test/cli"
          : "this suite always runs all its tests";
    throw new UserError(`there is no ${only ?? ""} test "${unknown.join(", ")}"; ${known}`);
  }
  let total = none;
  const times: string[] = [];
  for (const suite of (only === undefined ? Object.keys(suites) : [only]) as Suite[]) {
    console.log(`\n=== Tests: ${suite}`);
    const took = stopwatch();
    const count = await suites[suite](files);
    total = together(total, count);
    times.push(
      `${suite}: ${String(count.passed)} passed, ${String(count.failed)} failed in ${took()}`,
    );
  }
  console.log(["", ...timesOfFiles(total), ...times].join("\n"));
  if (total.broken.length > 0) console.log(["Failed:", ...total.broken].join("\n  "));
  const skipped = total.skipped === 0 ? "" : `, ${String(total.skipped)} skipped`;
  console.log(`${String(total.passed)} passed, ${String(total.failed)} failed${skipped}`);
  // The command also fails if no test has passed. In CI, the command also fails if a test was
  // skipped.
  const skippedInCi = process.env["CI"] === "true" && total.skipped > 0;
  process.exitCode = total.failed > 0 || total.passed === 0 || skippedInCi ? 1 : 0;
}

/**
 * Starts a stopwatch. The result returns the duration until now, and says how busy all CPUs of the
 * machine were: if they were idle, the tests waited.
 */
function stopwatch(): () => string {
  const times = (): { readonly all: number; readonly idle: number } => {
    const each = cpus().map((cpu) => cpu.times);
    const all = each.flatMap(({ idle, irq, nice, sys, user }) => [idle, irq, nice, sys, user]);
    const sum = (values: readonly number[]): number => values.reduce((one, other) => one + other);
    return { all: sum(all), idle: sum(each.map(({ idle }) => idle)) };
  };
  const started = Date.now();
  const before = times();
  return () => {
    const after = times();
    const busy = 1 - (after.idle - before.idle) / (after.all - before.all);
    return `${duration(Date.now() - started)}, CPUs busy for ${(100 * busy).toFixed(0)} % of the time`;
  };
}

/** Returns one line for each test file with its duration. The longest duration is first. */
function timesOfFiles({ seconds }: Count): readonly string[] {
  return Object.entries(seconds)
    .sort(([, one], [, other]) => other - one)
    .map(([file, took]) => `  ${file.padEnd(12)} ${duration(took * 1000)}`);
}

/**
 * Runs the end-to-end tests.
 *
 * @param only names of the tests to run. Empty: all phases.
 */
async function endToEnd(only: readonly string[]): Promise<Count> {
  if (only.length === 0) {
    console.log(
      "These tests use the sandbox and stack local of this machine, and at the end destroy the stack and stop the sandbox.",
    );
  }
  const unplanned = readdirSync(join(project, endToEndTests))
    .filter((file) => file.endsWith(".test.ts"))
    .filter((file) => !planned.includes(basename(file, ".test.ts")));
  if (unplanned.length > 0) {
    throw new UserError(`${unplanned.join(", ")} must have a place in a phase of tools/test.ts`);
  }
  assertNotOwn();
  // This function starts the sandbox before the tests, because the first set-up takes a long time
  // and should show its progress.
  const chosen = options();
  await up(chosen, new Steps(stepsOfUp(chosen)), sandboxRecord());
  // This function builds the service before the tests. If a test built the service, another test
  // could copy the project during the build.
  await buildService(() => undefined);
  let total = none;
  for (const lanes of only.length === 0 ? phases : [{ chosen: only }]) {
    const took = stopwatch();
    const counts = await Promise.all(
      Object.entries(lanes).map(async ([lane, files], _, { length }) => {
        const paths = files.map((name) => join(endToEndTests, `${name}.test.ts`));
        const config = ["--config", join(endToEndTests, ".mocharc.json")];
        return mocha([...config, ...paths], length > 1 ? lane : undefined);
      }),
    );
    total = counts.reduce(together, total);
    console.log(`${Object.values(lanes).flat().join(", ")}: ${took()}`);
  }
  return total;
}

function together(one: Count, other: Count): Count {
  return {
    broken: [...one.broken, ...other.broken],
    failed: one.failed + other.failed,
    passed: one.passed + other.passed,
    seconds: { ...one.seconds, ...other.seconds },
    skipped: one.skipped + other.skipped,
  };
}

/**
 * Runs Mocha, and returns the result that the reporter has written.
 *
 * @param lane name of the lane. Each printed line begins with this name. Undefined if only one lane
 * runs.
 */
async function mocha(args: readonly string[], lane?: string): Promise<Count> {
  const directory = mkdtempSync(join(tmpdir(), "services-orders-test-"));
  const result = join(directory, "result.json");
  const named = function* (line: unknown): Generator<string> {
    yield `${lane ?? ""} | ${String(line)}`;
  };
  const output = lane === undefined ? "inherit" : ([named, "inherit"] as const);
  const { exitCode } = await execa(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      join(project, "node_modules", "mocha", "bin", "mocha.js"),
      ...["--reporter", join(project, "tools", "reporter.cjs")],
      ...["--reporter-option", `output=${result}`],
      ...args,
    ],
    { cwd: project, reject: false, stderr: output, stdin: "inherit", stdout: output },
  );
  const count = existsSync(result)
    ? (JSON.parse(readFileSync(result, "utf8")) as Count)
    : { ...none, broken: [`mocha ${args.join(" ")}: no result`], failed: 1 };
  rmSync(directory, { recursive: true, force: true });
  // Mocha can also fail outside a test: in a hook, or while it loads a file.
  if (exitCode === 0 || count.failed > 0) return count;
  return {
    ...count,
    broken: [`mocha ${args.join(" ")}: exit code ${String(exitCode)}`],
    failed: 1,
  };
}

/** Runs the Java tests, and counts them in the reports of Maven's Surefire plugin. */
async function service(): Promise<Count> {
  const reports = join(project, "service", "target", "surefire-reports");
  rmSync(reports, { recursive: true, force: true });
  let broken: unknown;
  await new Steps(1).step("mvn verify", async (report) => {
    await maven(["verify", `-Dcontent.hash=${contentHash(project)}`], report).catch(
      (error: unknown) => {
        broken = error;
        console.log(error instanceof Error ? error.message : error);
      },
    );
  });
  const count = { failed: 0, passed: 0, skipped: 0 };
  for (const file of existsSync(reports)
    ? readdirSync(reports).filter((name) => name.endsWith(".xml"))
    : []) {
    const suite = /<testsuite\b[^>]*>/.exec(readFileSync(join(reports, file), "utf8"))?.[0] ?? "";
    const attribute = (name: string): number =>
      Number(new RegExp(`\\b${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
    const failed = attribute("failures") + attribute("errors");
    count.failed += failed;
    count.skipped += attribute("skipped");
    count.passed += attribute("tests") - failed - attribute("skipped");
  }
  if (broken === undefined) return { ...none, ...count };
  return {
    ...none,
    ...count,
    broken: ["mvn verify, see above"],
    failed: Math.max(count.failed, 1),
  };
}
