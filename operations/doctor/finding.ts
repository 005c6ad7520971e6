import type { Settings } from "../../settings";
import type { Cluster } from "../clients/kubectl";
import { isForbidden } from "../clients/kubectl";
import { reasonOf } from "../../lib/command";
import { columns } from "../../lib/table";

/** Result of a check. The text says what is right, or what is wrong and what to do. */
export interface Finding {
  /** False if the stacks do not need what the check looks for. The check then sends no request. */
  readonly needed?: false;
  readonly status: "ok" | "unknown" | "wrong";
  readonly text: string;
}

/** Names of the checks whose results the command `npm run prove -- eks` records. */
export const checks = {
  certificate: "certificate",
  clusterDns: "cluster DNS",
  metadata: "instance metadata",
  platforms: "image platforms",
  policies: "network policies",
  readinessGates: "readiness gates",
} as const;

/** A finding with the name of its check. */
export interface Row extends Finding {
  readonly check: string;
}

/** Returns one line for each row. */
export function rowLines(rows: readonly Row[]): readonly string[] {
  return columns(rows.map(({ check, status, text }) => [status, check, text])).map(
    (line) => `  ${line}`,
  );
}

/** What a check needs: the cluster, the settings of the stacks, and the time that is left. */
export interface Patient {
  readonly cluster: Cluster;
  /**
   * Returns the time that is left for all checks together, in milliseconds. The result is at least
   * 1.
   */
  readonly left: () => number;
  readonly settings: Settings;
}

/** One question about a cluster. A check with more than one result returns more than one row. */
export type Check = (patient: Patient) => Promise<readonly Row[]>;

export const ok = (text: string): Finding => ({ status: "ok", text });
export const notNeeded = (why: string): Finding => ({
  needed: false,
  status: "ok",
  text: `not needed: ${why}`,
});
export const wrong = (text: string): Finding => ({ status: "wrong", text });
export const unknown = (text: string): Finding => ({ status: "unknown", text });

const asAdministrator = "Run the command with a context of an administrator: --context NAME";

/**
 * Returns the finding of a check whose request failed, for example because a permission is missing.
 *
 * @param what what the check tried to do, such as `list IngressClasses`
 * @param todo what to do if the role does not have the permission
 */
export function unanswered(error: unknown, what: string, todo = asAdministrator): Finding {
  if (isForbidden(error)) return unknown(`this role may not ${what}. ${todo}`);
  return unknown(`could not ${what}: ${reasonOf(error)}`);
}
