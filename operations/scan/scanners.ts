import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { type CompanyScanner, companyScanners } from "../../config/scanners";

/** How a scanner's program ended. */
export interface Ended {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  /** stdout and stderr together, in the order in which a terminal shows them. */
  readonly output: string;
}

/**
 * Result of a scan. `unavailable` means that the result is unknown, because the scanner or its
 * database failed.
 */
export type Outcome =
  | { readonly state: "clean" }
  | { readonly state: "found"; readonly what: string }
  | { readonly state: "unavailable"; readonly because: string };

export interface Scanner extends CompanyScanner {
  /**
   * Additional arguments if the file {@link acceptedFile} exists, for programs that do not look for
   * this file themselves.
   */
  readonly withAccepted?: readonly string[];
  /**
   * Reads the result from the program's output. Only for programs whose exit code does not show
   * whether the program has findings or has failed.
   */
  readonly read?: (ended: Ended, accepted: ReadonlySet<string>) => Outcome;
}

/** File with the accepted findings, in Trivy's format. */
export const acceptedFile = ".trivyignore.yaml";

/**
 * Trivy's options: if Trivy has findings of these severities, its exit code is 10. With this exit
 * code, `npm run scan` fails and stops the pipeline.
 */
const severity = ["--severity", "HIGH,CRITICAL", "--exit-code", "10", "--quiet"];
const byTrivy = (title: string, ...args: readonly string[]): Scanner => ({
  command: ["trivy", ...args.slice(0, 1), ...severity, ...args.slice(1)],
  findings: [10],
  title,
  // By default, Trivy looks only for .trivyignore. If the file in the option `--ignorefile` does
  // not exist, Trivy fails. So Trivy gets this option only if the file exists.
  withAccepted: ["--ignorefile", acceptedFile],
});

/** Scanners of the repository, for `npm run scan`. */
export const sourceScanners: readonly Scanner[] = [
  {
    command: ["npm", "audit", "--json", "--package-lock-only"],
    read: readNpmAudit,
    title: "npm packages (npm audit)",
  },
  byTrivy("Java libraries (Trivy)", "fs", "--scanners", "vuln", "--ignore-unfixed", "service"),
  byTrivy("Dockerfile (Trivy)", "config", "service/Dockerfile"),
  byTrivy("Kubernetes objects (Trivy)", "config", "test/golden"),
  byTrivy(
    "Secrets in files (Trivy)",
    ...["fs", "--scanners", "secret", "--skip-dirs", "node_modules", "."],
  ),
  ...companyScanners,
];

/** Scanners of the pushed image, for `npm run scan -- image`. `imageRef` contains the digest. */
export const imageScanners = (imageRef: string): readonly Scanner[] => [
  byTrivy("Image (Trivy)", "image", "--scanners", "vuln", "--ignore-unfixed", imageRef),
];

/**
 * Reads the ids of the findings that someone has reviewed and accepted, from the file
 * {@link acceptedFile}. Trivy reads the same file. Each entry of `vulnerabilities` has an `id` and
 * a `statement` (the reason), and can have `expired_at` (the date until which the finding is
 * accepted). The id is the id of a CVE or, for an npm package, the id of a GitHub advisory
 * (GHSA-...).
 */
export function acceptedFindings(root: string, now = new Date()): ReadonlySet<string> {
  const file = join(root, acceptedFile);
  if (!existsSync(file)) return new Set();
  const { vulnerabilities = [] } = parse(readFileSync(file, "utf8")) as {
    vulnerabilities?: readonly { readonly id: string; readonly expired_at?: string }[];
  };
  return new Set(
    vulnerabilities
      .filter(({ expired_at: until }) => until === undefined || new Date(until) > now)
      .map(({ id }) => id),
  );
}

interface NpmAudit {
  readonly message?: string;
  readonly vulnerabilities?: Readonly<
    Record<string, { readonly via: readonly (string | Advisory)[] }>
  >;
}
interface Advisory {
  readonly name: string;
  readonly severity: string;
  readonly title: string;
  readonly url: string;
}

/**
 * Reads the report of `npm audit`. npm ends with exit code 1 if the audit has findings, and also if
 * the registry does not answer. Only the report shows which of these two cases has occurred.
 */
function readNpmAudit({ output, stdout }: Ended, accepted: ReadonlySet<string>): Outcome {
  let report: NpmAudit;
  try {
    report = JSON.parse(stdout) as NpmAudit;
  } catch {
    return { because: lastLine(output), state: "unavailable" };
  }
  if (report.vulnerabilities === undefined) {
    return { because: report.message ?? lastLine(output), state: "unavailable" };
  }
  const found = Object.values(report.vulnerabilities)
    .flatMap(({ via }) => via.filter((one) => typeof one !== "string"))
    .filter(({ severity: level }) => level === "high" || level === "critical")
    .filter(({ url }) => !accepted.has(url.split("/").at(-1) ?? ""))
    .map((one) => `${one.severity}: ${one.name}: ${one.title} (${one.url})`);
  return found.length === 0
    ? { state: "clean" }
    : { state: "found", what: [...new Set(found)].join("\n") };
}

export function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim() ?? "";
}
