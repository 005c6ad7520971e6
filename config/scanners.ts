/** One scanner of `npm run scan`. */
export interface CompanyScanner {
  readonly title: string;
  /** Program and arguments. The command does not run in a shell. */
  readonly command: readonly [string, ...string[]];
  /**
   * Exit codes that mean that the scanner found something. Exit code 0 means that it found nothing.
   * Any other code means that the scan failed.
   */
  readonly findings?: readonly number[];
}

/**
 * The company's own scanners. Each scanner is a command that runs in the repository. The pipeline
 * stops if a command exits with one of the codes in `findings`, or if a scan fails. If a scanner is
 * a CircleCI orb, add it to circleci.ts, not to this file.
 *
 * @example
 * { title: "Acme", command: ["acme-scan", "--fail-on", "high", "."], findings: [1] }
 */
export const companyScanners: readonly CompanyScanner[] = [];
