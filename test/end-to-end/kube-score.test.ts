import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { command, CommandError } from "../../lib/command";
import { executable, isInstalled, downloadOrBuild } from "../../sandbox/install/download-or-build";
import { kubeScore } from "../../sandbox/install/extra-parts";
import { versions } from "../../sandbox/install/parts";
import { goldens, type Manifest, objectsOf } from "./support/goldens";

/**
 * A failed check of kube-score, with the golden manifest and the container in which the check
 * failed.
 */
interface Finding {
  readonly check: string;
  readonly finding: string;
  /** Name of the golden manifest. */
  readonly in: string;
  /** Name of the container. Empty if the finding is about the whole object. */
  readonly of: string;
}

interface Exception {
  readonly check: string;
  readonly finding: string;
  readonly in?: readonly string[];
  readonly of?: readonly string[];
  readonly reason: string;
}

interface Scored {
  readonly checks: readonly {
    readonly check: { readonly id: string };
    readonly comments: readonly { readonly path: string; readonly summary: string }[] | null;
    readonly grade: number;
    readonly skipped: boolean;
  }[];
}

const exceptions = parse(
  readFileSync(join(import.meta.dirname, "..", "kube-score-exceptions.yaml"), "utf8"),
) as readonly Exception[];

/** Ids of checks of kube-score. kube-score runs these checks only with `--enable-optional-test`. */
const optional = ["container-seccomp-profile", "container-ports-check"];
const majorAndMinor = versions.kubernetes.split(".").slice(0, 2).join(".");
/** The grade that kube-score gives to a check without findings. */
const PASSED = 10;

const covers = (exception: Exception, found: Finding): boolean =>
  exception.check === found.check &&
  exception.finding === found.finding &&
  (exception.in ?? [found.in]).includes(found.in) &&
  (exception.of ?? [found.of]).includes(found.of);

const notExcepted = (findings: readonly Finding[]): readonly Finding[] =>
  findings.filter((finding) => !exceptions.some((exception) => covers(exception, finding)));

async function score(golden: string, objects: readonly Manifest[]): Promise<readonly Finding[]> {
  const args = [
    ...["score", "--output-format=json", `--kubernetes-version=v${majorAndMinor}`],
    ...optional.map((id) => `--enable-optional-test=${id}`),
    // With this option, an annotation in a manifest cannot turn a check off.
    ...["--disable-ignore-checks-annotations", "-"],
  ];
  const input = objects.map((object) => stringify(object)).join("---\n");
  const said = await command(executable(kubeScore), args, { input }).catch((error: unknown) => {
    // If kube-score has findings, kube-score ends with exit code 1. For this test, exit code 1 is
    // not an error.
    if (error instanceof CommandError && error.exitCode === 1) return error.output;
    throw error;
  });
  return ((JSON.parse(said) ?? []) as readonly Scored[])
    .flatMap(({ checks }) => checks)
    .filter(({ grade, skipped }) => !skipped && grade < PASSED)
    .flatMap(({ check, comments }) =>
      (comments ?? []).map(({ path, summary }) => ({
        check: check.id,
        finding: summary,
        in: golden,
        of: path,
      })),
    );
}

describe("kube-score", () => {
  const found: Finding[] = [];
  before(async () => {
    if (!isInstalled(kubeScore)) {
      console.log(`      ${kubeScore.title}: ${await downloadOrBuild(kubeScore, () => undefined)}`);
    }
  });

  for (const golden of goldens) {
    it(`finds nothing in ${golden} but what is listed with a reason`, async () => {
      const findings = await score(golden, objectsOf(golden));
      found.push(...findings);
      assert.deepEqual(notExcepted(findings), []);
    });
  }

  it("has no exception that it no longer needs", () => {
    assert.deepEqual(
      exceptions.filter((exception) => !found.some((finding) => covers(exception, finding))),
      [],
    );
  });

  it("finds what is not as it should be", async () => {
    const [deployment] = objectsOf("web-service").filter(({ kind }) => kind === "Deployment");
    const { spec } = deployment.spec.template;
    spec.containers[0].image = "services-orders:latest";
    spec.containers[0].securityContext.readOnlyRootFilesystem = false;
    const findings = await score("web-service", [deployment]);
    const checks = notExcepted(findings).map(({ check }) => check);
    assert.ok(checks.includes("container-image-tag"), checks.join());
    assert.ok(checks.includes("container-security-context-readonlyrootfilesystem"), checks.join());
  });
});
