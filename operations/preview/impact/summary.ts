import { traitsOf } from "../../../environments";
import { type Change, changesOf, isInternal } from "../changes/changes";
import { immutableAnswer, protectedAnswer } from "./consequences";
import { valueAt } from "../changes/differences";
import { words, worseFirst } from "./impact";
import type { Events, Diagnostic } from "../../pulumi/events";
import { titleIn } from "../../pulumi/urn";
import { type ReleaseLine, releaseOf } from "./release";
import { type Group, groupsOf, replacementOf, type Row } from "./rows";

/** `danger`: a person must check the changes. `error`: the preview failed. */
export type Verdict = "changes" | "danger" | "error" | "nothing";

/** The result of a preview. The output contains this result as text, Markdown or JSON. */
export interface Summary {
  readonly errors: readonly string[];
  readonly groups: readonly Group[];
  /** The worst impact of the changes, as one line. */
  readonly headline: string;
  /** Lines that the summary shows in addition to the changes. */
  readonly notes: readonly string[];
  readonly release?: ReleaseLine;
  readonly stack: string;
  readonly verdict: Verdict;
  readonly version: 1;
}

/**
 * Returns the errors about changes that the cluster rejects because a field is immutable. The
 * Kubernetes provider tries each change with a dry run. An error about an immutable field ends the
 * preview, but an update would replace the object.
 */
function rejectedByCluster(events: Events, changes: readonly Change[]): ReadonlySet<Diagnostic> {
  const urns = new Set(changes.map(({ urn }) => urn));
  return new Set(
    events.errors.filter(({ message, urn }) => urns.has(urn) && immutableAnswer.test(message)),
  );
}

/**
 * Returns the errors about replacements and deletions that Pulumi refuses because the resource has
 * the option `protect`. The result of `changesOf` does not always contain the protected object: if
 * the replacement of one object requires the replacement of a protected object, the preview ends
 * before it reports either object.
 */
function rejectedByPulumi({ errors }: Events): ReadonlySet<Diagnostic> {
  return new Set(errors.filter(({ message }) => protectedAnswer.test(message)));
}

/** Returns the URN of the protected object. The error itself may belong to another object. */
const protectedUrn = ({ message, urn }: Diagnostic): string =>
  /"(urn:[^"]+)"/.exec(message)?.[1] ?? urn;

/** Matches the error of the program if no one has promoted a release to production yet. */
const runsNothing = /\bruns no image yet\b/;

/**
 * Whether an error is the engine's last line, which says that the command failed, but does not say
 * why.
 */
const isEcho = ({ message }: Diagnostic): boolean => /^(?:preview|update) failed$/.test(message);

/**
 * Returns warnings about objects that belong both to a new resource and to a resource that Pulumi
 * deletes. When Pulumi deletes the old resource, Pulumi also deletes the object in the cluster.
 */
function takenOver(changes: readonly Change[]): readonly string[] {
  const key = ({ inputs, kind, name }: Change) =>
    JSON.stringify([kind, name, valueAt(inputs, "metadata.namespace")]);
  const created = new Map(
    changes.filter(({ operation }) => operation === "create").map((one) => [key(one), one]),
  );
  return changes
    .filter((one) => one.operation === "delete" && created.has(key(one)))
    .map(
      ({ kind, name }) =>
        `DANGER: a new resource takes over ${kind} ${name}. Pulumi then deletes ${name} with the old ` +
        "resource, so it is missing until the next update. If you renamed a resource in the code, " +
        "add an alias.",
    );
}

/** Returns notes about deleted components that someone has probably renamed in the code. */
function renamed(changes: readonly Change[]): readonly string[] {
  const owners = [
    ...new Map(changes.map(({ owner }) => [`${owner.type} ${owner.name}`, owner])).values(),
  ];
  return owners.flatMap((gone) => {
    const successor = replacementOf(gone, owners);
    return successor === undefined
      ? []
      : [
          `Was ${gone.name} renamed to ${successor.name}? A new name is a new object: Pulumi creates the new one, then deletes the old one.`,
        ];
  });
}

function headlineOf(
  rows: readonly Row[],
  verdict: Verdict,
  guarded: ReadonlySet<Diagnostic>,
  release?: ReleaseLine,
): string {
  if (verdict === "error") return "the preview failed";
  if (verdict === "nothing") return "nothing changes";
  const [refused] = guarded;
  if (refused !== undefined && !rows.some(({ dangerous }) => dangerous)) {
    return `DANGER: ${titleIn(protectedUrn(refused))} would be deleted or replaced, and is protected`;
  }
  const [worst] = [...rows].sort(worseFirst);
  const released = release?.effects.map(({ says }) => says) ?? [];
  const fromRelease = released.find((says) => says !== words.nothing);
  const quiet = worst === undefined || worst.effect === "nothing";
  const says = quiet ? (fromRelease ?? "no running process changes") : worst.says;
  return verdict === "danger" ? `DANGER: ${says}` : says;
}

/**
 * Summarizes a preview for the people who run the service. This function is pure.
 *
 * @param additional notes that do not come from the engine's events
 */
export function summaryOf(
  stack: string,
  events: Events,
  exitCode: number,
  additional: readonly string[] = [],
): Summary {
  const promoted = traitsOf(stack)?.image === "promoted";
  if (promoted && events.errors.some(({ message }) => runsNothing.test(message))) {
    const headline = "production runs nothing yet: npm run promote";
    return { errors: [], groups: [], headline, notes: [], stack, verdict: "nothing", version: 1 };
  }
  const changes = changesOf(events).filter((change) => !isInternal(change));
  const unchangeable = rejectedByCluster(events, changes);
  const guarded = rejectedByPulumi(events);
  const known = new Set([...unchangeable, ...guarded]);
  const errors = [
    ...events.violations.map(({ message }) => `policy ${message}`),
    ...events.errors
      .filter((diagnostic) => !known.has(diagnostic) && !isEcho(diagnostic))
      .map(({ message, urn }) => (urn === "" ? message : `${titleIn(urn)}: ${message}`)),
  ];
  if (errors.length === 0 && exitCode !== 0 && known.size === 0) {
    errors.push("Pulumi gave no reason: read its output");
  }
  const groups = groupsOf(changes);
  const release = releaseOf(changes);
  const lost = takenOver(changes);
  const rows = groups.flatMap((group) => group.rows);
  const danger = lost.length > 0 || known.size > 0 || rows.some((row) => row.dangerous);
  const verdict: Verdict =
    errors.length > 0 ? "error" : danger ? "danger" : changes.length > 0 ? "changes" : "nothing";
  const notes = [
    ...lost,
    ...[...unchangeable].map(
      ({ urn }) =>
        `A changed field of ${titleIn(urn)} is immutable in Kubernetes, so the preview failed at this object. The summary does not show the changes after this failure.`,
    ),
    ...[...new Set([...guarded].map(protectedUrn))].map(
      (urn) =>
        `${titleIn(urn)} is protected, so Pulumi refuses to replace or delete it. If you want to replace or delete it, remove its protection first.`,
    ),
    ...renamed(changes),
    ...events.warnings.map(({ message }) => `policy ${message}`),
    ...additional,
  ];
  return {
    errors,
    groups,
    headline: headlineOf(rows, verdict, guarded, release),
    notes,
    ...(release === undefined ? {} : { release }),
    stack,
    verdict,
    version: 1,
  };
}
