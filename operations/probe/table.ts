import { columns } from "../../lib/table";
import { type Connection, doors } from "../../components/conventions/connections";

/** The functions in this file format a probe's results as a table, and evaluate the results. */

/** One connection with its result, or with the reason why the probe did not try the connection. */
export interface Row extends Connection {
  /** Result, in the words of connect.pl. Undefined if the probe did not try the connection. */
  readonly seen: string | undefined;
  readonly why?: string;
}

export type Verdict = "FAIL" | "ok" | "unknown";

/**
 * Whether a connection reached its destination. A refused connection also reached its destination,
 * because the destination itself refuses the connection.
 */
const got = (seen: string): boolean => seen === "open" || seen === "refused";

const reached = ({ seen }: Row): boolean => seen !== undefined && got(seen);

export function verdict({ allowed, seen, to }: Row): Verdict {
  if (seen === undefined) return "unknown";
  if (got(seen)) return allowed ? "ok" : "FAIL";
  // A UDP packet without a response has two possible reasons: the program at the destination never
  // answers, or a policy blocks the packet. DNS servers always answer.
  const mute = doors[to].protocol === "UDP" && doors[to].party !== "DNS" && seen === "silent";
  return allowed ? (mute ? "unknown" : "FAIL") : "ok";
}

/**
 * Whether a row is about a pod's connection to its own node. In Kubernetes, the network plugin
 * determines whether network policies apply to these connections.
 */
const toNode = (row: Row): boolean => doors[row.to].party === "Datadog agent";

/**
 * Marks the forbidden connections to the node as not tried if two results show that the cluster
 * always lets pods reach their node: every pod reached the kubelet, and network policies blocked at
 * least one other forbidden connection.
 */
export function withoutOpenNode(rows: readonly Row[]): readonly Row[] {
  const kubelet = rows.filter(({ seen, to }) => to === "node, kubelet" && seen !== undefined);
  const closed = rows.filter((row) => !row.allowed && !toNode(row) && row.seen !== undefined);
  const open = kubelet.length > 0 && kubelet.every(reached) && !closed.every(reached);
  if (!open) return rows;
  const why = "this cluster always lets pods reach the node they run on";
  return rows.map((row) => (toNode(row) && !row.allowed ? { ...row, seen: undefined, why } : row));
}

/**
 * Whether every forbidden connection succeeded. In this case, the cluster has no agent that
 * enforces network policies.
 */
export function isUnenforced(rows: readonly Row[]): boolean {
  const closed = rows.filter((row) => !row.allowed && row.seen !== undefined);
  return closed.length > 0 && closed.every(reached);
}

/** Returns the table of the results as lines for a terminal. */
export function lines(rows: readonly Row[]): readonly string[] {
  const head = ["from", "to", "expected", "seen", ""];
  const cells = rows.map((row) => {
    const mark = { FAIL: "FAIL", ok: "ok", unknown: "?" }[verdict(row)];
    return [row.from, row.to, row.allowed ? "open" : "closed", row.seen ?? "not tried", mark];
  });
  return columns([head, ...cells]);
}

/**
 * Returns the last lines: how many results are as expected, and why the probe did not try some
 * connections. If the cluster does not enforce network policies, adds a line about this fact.
 */
export function summary(rows: readonly Row[]): readonly string[] {
  const count = (wanted: Verdict) => rows.filter((row) => verdict(row) === wanted).length;
  const reasons = new Set(rows.flatMap(({ why }) => (why === undefined ? [] : [why])));
  const counts = `${String(rows.length)} connections: ${String(count("ok"))} as expected, ${String(count("FAIL"))} not as expected, ${String(count("unknown"))} unknown`;
  return [
    `${counts}${reasons.size === 0 ? "" : ` (${[...reasons].join("; ")})`}`,
    ...(isUnenforced(rows)
      ? ["This cluster does not enforce NetworkPolicies: every forbidden connection succeeded."]
      : []),
  ];
}
