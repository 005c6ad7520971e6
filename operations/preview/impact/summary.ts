import { traitsOf } from "../../../environments";
import { type Change, changesOf, isInternal } from "../changes/changes";
import { immutableAnswer, protectedAnswer } from "./consequences";
import { byWeight, words } from "./impact";
import type { Events, Fault } from "../../pulumi/events";
import { type ReleaseLine, releaseOf } from "./release";
import { type Group, groupsOf, heirOf, type Row } from "./rows";

/** Nothing changes; something does; someone should look twice; or the preview failed. */
export type Verdict = "changes" | "danger" | "error" | "nothing";

/** A preview as a person reads it, and as `--format json` has it. */
export interface Summary {
  readonly errors: readonly string[];
  readonly groups: readonly Group[];
  /** The whole in one line. */
  readonly headline: string;
  /** What is worth knowing in addition to the changes. */
  readonly notes: readonly string[];
  readonly release?: ReleaseLine;
  readonly stack: string;
  readonly verdict: Verdict;
  readonly version: 1;
}

const nameOf = (urn: string): string => {
  const [, , type = "", ...name] = urn.split("::");
  const kind = type.split(/[:$]/).at(-1) ?? "";
  return `${kind} ${name.join("::")}`.trim();
};

/**
 * Changes that the cluster does not let be tried, because the field may not change. The provider
 * asks it all the same, and the preview ends there; what it would have been is a replacement.
 */
function refusedByCluster(events: Events, changes: readonly Change[]): ReadonlySet<Fault> {
  const urns = new Set(changes.map(({ urn }) => urn));
  return new Set(
    events.errors.filter(({ message, urn }) => urns.has(urn) && immutableAnswer.test(message)),
  );
}

/**
 * Replacements and deletions that Pulumi refuses, because the program protects the object. They may
 * be missing in the changes: if one is part of the replacement of another object, the preview ends
 * before it reports either.
 */
function refusedByPulumi({ errors }: Events): ReadonlySet<Fault> {
  return new Set(errors.filter(({ message }) => protectedAnswer.test(message)));
}

/** The protected object; the engine may have been at another one. */
const protectedUrn = ({ message, urn }: Fault): string => /"(urn:[^"]+)"/.exec(message)?.[1] ?? urn;

/**
 * What the program says of a production that was made and never deployed: there is nothing to
 * compare with.
 */
const runsNothing = /\bruns no image yet\b/;

/** The engine's own last line says only that it failed. */
const isEcho = ({ message }: Fault): boolean => /^(?:preview|update) failed$/.test(message);

/** A deleted object that another resource has just taken over: it is deleted all the same. */
function takenOver(changes: readonly Change[]): readonly string[] {
  const key = ({ inputs, kind, name }: Change) =>
    JSON.stringify([
      kind,
      name,
      (inputs["metadata"] as { namespace?: unknown } | undefined)?.namespace,
    ]);
  const created = new Map(
    changes.filter(({ operation }) => operation === "create").map((one) => [key(one), one]),
  );
  return changes
    .filter((one) => one.operation === "delete" && created.has(key(one)))
    .map(
      ({ kind, name }) =>
        `DANGER: ${kind} ${name} is taken over by another resource and then deleted, so it is gone ` +
        "until the next update. Was something renamed in the code? Then give it an alias.",
    );
}

/** Components that were perhaps only renamed. */
function renamed(changes: readonly Change[]): readonly string[] {
  const owners = [
    ...new Map(changes.map(({ owner }) => [`${owner.type} ${owner.name}`, owner])).values(),
  ];
  return owners.flatMap((gone) => {
    const heir = heirOf(gone, owners);
    return heir === undefined
      ? []
      : [
          `${gone.name} renamed to ${heir.name}? A new name is a new object: first the new one is made, then the old one is deleted.`,
        ];
  });
}

function headlineOf(
  rows: readonly Row[],
  verdict: Verdict,
  guarded: ReadonlySet<Fault>,
  release?: ReleaseLine,
): string {
  if (verdict === "error") return "the preview failed";
  if (verdict === "nothing") return "nothing changes";
  const [refused] = guarded;
  if (refused !== undefined && !rows.some(({ dangerous }) => dangerous)) {
    return `DANGER: ${nameOf(protectedUrn(refused))} is to go, and is protected`;
  }
  const [worst] = [...rows].sort(
    (a, b) =>
      Number(b.dangerous) - Number(a.dangerous) ||
      byWeight.indexOf(b.effect) - byWeight.indexOf(a.effect),
  );
  const released = release?.effects.map(({ says }) => says) ?? [];
  const fromRelease = released.find((says) => says !== words.nothing);
  const quiet = worst === undefined || worst.effect === "nothing";
  const says = quiet ? (fromRelease ?? "nothing that runs changes") : worst.says;
  return verdict === "danger" ? `DANGER: ${says}` : says;
}

/**
 * The summary of a preview, for the people who run the service. Pure.
 *
 * @param additional what is worth knowing but not in an event
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
  const unchangeable = refusedByCluster(events, changes);
  const guarded = refusedByPulumi(events);
  const known = new Set([...unchangeable, ...guarded]);
  const errors = [
    ...events.refused.map(({ message }) => `policy ${message}`),
    ...events.errors
      .filter((fault) => !known.has(fault) && !isEcho(fault))
      .map(({ message, urn }) => (urn === "" ? message : `${nameOf(urn)}: ${message}`)),
  ];
  if (errors.length === 0 && exitCode !== 0 && known.size === 0) {
    errors.push("Pulumi gave no reason: read what it printed");
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
        `Kubernetes does not allow a change of that field of ${nameOf(urn)}, so the preview ended there and what depends on it is not shown.`,
    ),
    ...[...new Set([...guarded].map(protectedUrn))].map(
      (urn) =>
        `${nameOf(urn)} is protected, so Pulumi refuses to replace or to delete it: if that is what you want, take its protection away first.`,
    ),
    ...renamed(changes),
    ...events.warned.map(({ message }) => `policy ${message}`),
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
