/** One scanner of `npm run scan`. */
export interface CompanyScanner {
  readonly title: string;
  /** Program and arguments. It does not run in a shell. */
  readonly command: readonly [string, ...string[]];
  /** Exit codes that mean "found something". 0 means "clean", any other code "the scan failed". */
  readonly findings?: readonly number[];
}

/**
 * The company's own scanners. Each is a command that runs in the repository. If it exits with one
 * of its `findings`, the pipeline stops. A scanner that is a CircleCI orb goes into circleci.ts.
 *
 * @example
 * { title: "Acme", command: ["acme-scan", "--fail-on", "high", "."], findings: [1] }
 */
export const companyScanners: readonly CompanyScanner[] = [];
