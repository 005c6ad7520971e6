import { type Connection, doors } from "../../components/conventions/connections";

/** The table of connections as a probe saw it, and what follows from it. */

/** One row that was tried, or why it was not. */
export interface Row extends Connection {
  /** What came of it, as connect.pl says it; undefined when it was not tried. */
  readonly seen: string | undefined;
  readonly why?: string;
}

export type Verdict = "FAIL" | "ok" | "unknown";

/** A refusal comes from the host itself, so a connection got there. */
const got = (seen: string): boolean => seen === "open" || seen === "refused";

const reached = ({ seen }: Row): boolean => seen !== undefined && got(seen);

export function verdict({ allowed, seen, to }: Row): Verdict {
  if (seen === undefined) return "unknown";
  if (got(seen)) return allowed ? "ok" : "FAIL";
  // A listener that never answers cannot be told from a wall. A DNS server answers.
  const mute = doors[to].protocol === "UDP" && doors[to].party !== "DNS" && seen === "silent";
  return allowed ? (mute ? "unknown" : "FAIL") : "ok";
}

/** Rows in which pods get to the node they run on, which Kubernetes leaves to the cluster. */
const toNode = (row: Row): boolean => doors[row.to].party === "Datadog agent";

/**
 * Rows about the node, left out where the cluster's policies do not reach there: where every pod
 * gets to the kubelet, also those for which everything else is closed.
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
 * Whether nothing that should be closed was: then the cluster has no agent that enforces policies.
 */
export function isUnenforced(rows: readonly Row[]): boolean {
  const closed = rows.filter((row) => !row.allowed && row.seen !== undefined);
  return closed.length > 0 && closed.every(reached);
}

/** The table as lines for a terminal. */
export function lines(rows: readonly Row[]): readonly string[] {
  const head = ["from", "to", "expected", "seen", ""];
  const cells = rows.map((row) => {
    const mark = { FAIL: "FAIL", ok: "ok", unknown: "?" }[verdict(row)];
    return [row.from, row.to, row.allowed ? "open" : "closed", row.seen ?? "not tried", mark];
  });
  const widths = head.map((text, column) =>
    Math.max(text.length, ...cells.map((cell) => cell[column]?.length ?? 0)),
  );
  return [head, ...cells].map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** How many rows are as expected, and why some were not tried: lines for the end. */
export function summary(rows: readonly Row[]): readonly string[] {
  const count = (wanted: Verdict) => rows.filter((row) => verdict(row) === wanted).length;
  const reasons = new Set(rows.flatMap(({ why }) => (why === undefined ? [] : [why])));
  const counts = `${String(rows.length)} connections: ${String(count("ok"))} as expected, ${String(count("FAIL"))} not, ${String(count("unknown"))} not known`;
  return [
    `${counts}${reasons.size === 0 ? "" : ` (${[...reasons].join("; ")})`}`,
    ...(isUnenforced(rows)
      ? ["This cluster enforces no NetworkPolicies: every connection got through."]
      : []),
  ];
}
