/** One scanner of `npm run scan`. */
export interface CompanyScanner {
  readonly title: string;
  /** Program and arguments; never a shell. */
  readonly command: readonly [string, ...string[]];
  /** Exit codes that mean "found something", where 0 is "clean" and any other "could not look". */
  readonly findings?: readonly number[];
}

/**
 * The company's own scanners: each is a command that runs in the repository. It stops the pipeline
 * with one of its `findings`. A scanner that comes as a CircleCI orb goes into circleci.ts instead.
 *
 * @example
 * { title: "Acme", command: ["acme-scan", "--fail-on", "high", "."], findings: [1] }
 */
export const companyScanners: readonly CompanyScanner[] = [];
