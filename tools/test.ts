import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contentHash } from "../components/conventions/content-hash";
import { maven, project } from "./build";
import { duration, Steps, UserError } from "./progress";
import { options } from "./sandbox/layout";
import { stepsOfUp, up } from "./sandbox/sandbox";

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/** Test files of which each has what it needs for itself, two at a time: many of their tests wait. */
const inParallel = ["--parallel", "--jobs", "2"];

const suites = {
  // All files that .mocharc.json names.
  unit: () => mocha("unit", [], inParallel),
  service,
  sandbox: endToEnd,
  pipelines: async () => onSandbox(["test/sandbox/pipelines.test.ts"]),
} as const;
/** The pipelines end to end take 8 minutes, for which a cold CI has no room yet: `npm test -- pipelines`. */
const onRequest: readonly string[] = ["pipelines"];
/** End-to-end tests that leave the sandbox up and have namespaces of their own: mostly they wait. The longest first. */
const together = ["updates", "policy", "network", "manifests", "kube-score"] as const;
type Suite = keyof typeof suites;

/** `npm test`: every suite, and one line over all of them. */
export async function test(only?: string): Promise<void> {
  if (only !== undefined && !(only in suites)) {
    throw new UserError(
      `there is no suite "${only}"; there are: ${Object.keys(suites).join(", ")}`,
    );
  }
  const total: Count = { passed: 0, failed: 0, skipped: 0 };
  const times: string[] = [];
  for (const suite of (only === undefined
    ? Object.keys(suites).filter((name) => !onRequest.includes(name))
    : [only]) as Suite[]) {
    console.log(`\n=== Tests: ${suite}`);
    const started = Date.now();
    const count = await suites[suite]();
    total.passed += count.passed;
    total.failed += count.failed;
    total.skipped += count.skipped;
    times.push(
      `${suite}: ${String(count.passed)} passed, ${String(count.failed)} failed in ${duration(Date.now() - started)}`,
    );
  }
  console.log(`\n${times.join("\n")}`);
  const skipped = total.skipped === 0 ? "" : `, ${String(total.skipped)} skipped`;
  console.log(`${String(total.passed)} passed, ${String(total.failed)} failed${skipped}`);
  // A suite that ran nothing proves nothing; in CI a skipped test does not either.
  const skippedInCi = process.env["CI"] === "true" && total.skipped > 0;
  process.exitCode = total.failed > 0 || total.passed === 0 || skippedInCi ? 1 : 0;
}

/** `npm run rehearse`: one of the end-to-end tests, whose steps are worth looking at. */
export async function rehearse(): Promise<void> {
  const { failed } = await onSandbox(["test/sandbox/rehearsal.test.ts"]);
  process.exitCode = failed > 0 ? 1 : 0;
}

async function onSandbox(files: readonly string[], more: readonly string[] = []): Promise<Count> {
  // Before the tests, not in one: a first set-up takes long, and says here what it is doing.
  const chosen = options();
  await up(chosen, new Steps(stepsOfUp(chosen)));
  return mocha("sandbox", files, more);
}

function mocha(name: string, files: readonly string[], more: readonly string[] = []): Count {
  const directory = mkdtempSync(join(tmpdir(), "services-orders-test-"));
  const result = join(directory, "result.json");
  const { status } = spawnSync(
    process.execPath,
    [
      ...[
        "--disable-warning=ExperimentalWarning",
        join(project, "node_modules", "mocha", "bin", "mocha.js"),
      ],
      ...[
        "--reporter",
        join(import.meta.dirname, "reporter.cjs"),
        "--reporter-option",
        `output=${result}`,
      ],
      ...(name === "sandbox" ? ["--config", "test/sandbox/.mocharc.json"] : []),
      ...more,
      ...files,
    ],
    { cwd: project, stdio: "inherit" },
  );
  const count = existsSync(result)
    ? (JSON.parse(readFileSync(result, "utf8")) as Count)
    : { passed: 0, failed: 1, skipped: 0 };
  rmSync(directory, { recursive: true, force: true });
  // Mocha can also fail outside of a test: a file that does not load, a hook.
  return status !== 0 && count.failed === 0 ? { ...count, failed: 1 } : count;
}

async function endToEnd(): Promise<Count> {
  console.log(
    "These tests use the sandbox and stack local of this machine, and end with both down.",
  );
  const file = (name: string): string => `test/sandbox/${name}.test.ts`;
  const first = await onSandbox(together.map(file), inParallel);
  // In this order: the last one ends with everything down, and the others need it up.
  const alone = file(`!(${["life", ...onRequest, ...together].join("|")})`);
  const then = await onSandbox([alone, file("life")]);
  return {
    failed: first.failed + then.failed,
    passed: first.passed + then.passed,
    skipped: first.skipped + then.skipped,
  };
}

/** The Java tests, counted from the reports that Maven's test runner writes. */
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
  const count: Count = { passed: 0, failed: 0, skipped: 0 };
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
  return broken !== undefined && count.failed === 0 ? { ...count, failed: 1 } : count;
}
