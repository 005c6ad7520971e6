import type { Step } from "./model";

/**
 * The company's own security scanner, where it comes as an orb: its name and full version, and its step. A scanner that is
 * a command needs no slot here: it is one entry in operations/scanners.ts.
 *
 * @example
 * export const companyScan = {
 *   orbs: { scanner: "acme/scanner@1.2.3" },
 *   steps: [{ "scanner/scan": { severity: "high" } }],
 * };
 */
export const companyScan: {
  readonly orbs: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
} = { orbs: {}, steps: [] };
