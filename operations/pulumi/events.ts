import { UserError } from "../../lib/errors";

/**
 * The types in this file describe the event log of Pulumi's engine, with only the fields that this
 * project reads.
 */

export type Json =
  boolean | number | string | null | readonly Json[] | { readonly [key: string]: Json };

/** A resource before or after a step. */
export interface State {
  readonly id?: string;
  readonly inputs?: Readonly<Record<string, Json>>;
  readonly parent?: string;
  readonly protect?: boolean;
  readonly type: string;
  readonly urn: string;
}

/** One step of the engine for one resource. A replacement consists of several steps. */
export interface Step {
  readonly detailedDiff?: Readonly<Record<string, { readonly diffKind: string }>> | null;
  /** Fields that cause a replacement. */
  readonly keys?: readonly string[] | null;
  readonly new?: State | null;
  readonly old?: State | null;
  readonly op: string;
  /** URN and id of the resource's provider, with `::` between them. */
  readonly provider?: string;
  readonly type: string;
  readonly urn: string;
}

interface Event {
  readonly diagnosticEvent?: {
    readonly ephemeral?: boolean;
    readonly message: string;
    readonly severity: string;
    readonly urn?: string;
  };
  readonly policyEvent?: {
    readonly enforcementLevel: string;
    readonly message: string;
    readonly policyName: string;
    readonly resourceUrn?: string;
  };
  readonly resourcePreEvent?: { readonly metadata: Step };
  readonly summaryEvent?: object;
}

/** An error, or a violation of a policy, from the engine's event log. */
export interface Diagnostic {
  readonly message: string;
  /** URN of the resource that the message is about. Empty if the message is about no resource. */
  readonly urn: string;
}

export interface Events {
  /** Whether the engine finished: it processed the whole program and the whole state. */
  readonly complete: boolean;
  readonly errors: readonly Diagnostic[];
  /** Violations of mandatory policies. A violation makes the preview or the update fail. */
  readonly violations: readonly Diagnostic[];
  readonly steps: readonly Step[];
  /** Violations of advisory policies. */
  readonly warnings: readonly Diagnostic[];
}

/** Matches colours in the engine's notation (`<{%reset%}>`) and colour codes of terminals. */
const colours = /<\{%.*?%\}>|\u001b\[[0-9;]*m/g;

/** Removes the colours from Pulumi's output. */
export function plain(text: string): string {
  return text.replace(colours, "");
}

/** Largest number of lines that `errorsIn` returns. */
const mostLines = 30;

/**
 * Returns the errors in Pulumi's output: the section `Diagnostics:` or, if there is no such
 * section, the last lines.
 */
export function errorsIn(printed: string): string {
  const lines = plain(printed)
    .split("\n")
    .filter((line) => line.trim() !== "");
  const from = lines.findLastIndex((line) => /^Diagnostics:/.test(line)) + 1;
  const rest = lines.slice(from);
  const end = from === 0 ? -1 : rest.findIndex((line) => /^\S/.test(line));
  return (end === -1 ? rest : rest.slice(0, end)).slice(-mostLines).join("\n");
}

function parse(line: string): Event {
  try {
    return JSON.parse(line) as Event;
  } catch {
    // If the engine was killed, the last line may be incomplete.
    return {};
  }
}

const told = /^\{"sequence":\d+,"timestamp":\d+,"(?:diagnostic|policy|resourcePre|summary)Event"/;

/**
 * Whether a line of the event log has an event that `readEvents` needs. To save time, `readEvents`
 * parses no other lines. Most of the other lines are debug messages, or repeat an event of an
 * earlier line.
 */
function isRead(line: string): boolean {
  return told.test(line) && !line.includes('"severity":"debug"');
}

/** Parses the engine's event log. Each line of the log has one JSON object. */
export function readEvents(log: string): Events {
  const events = log.split("\n").filter(isRead).map(parse);
  const policies = events.flatMap(({ policyEvent }) => (policyEvent ? [policyEvent] : []));
  const violationsOf = (isMandatory: boolean): readonly Diagnostic[] =>
    policies
      .filter((one) => (one.enforcementLevel === "mandatory") === isMandatory)
      .map(({ message, policyName, resourceUrn = "" }) => ({
        message: plain(`${policyName}: ${message}`).trim(),
        urn: resourceUrn,
      }));
  return {
    complete: events.some(({ summaryEvent }) => summaryEvent !== undefined),
    errors: events.flatMap(({ diagnosticEvent: said }) =>
      said?.severity === "error" && said.ephemeral !== true
        ? [{ message: plain(said.message).trim(), urn: said.urn ?? "" }]
        : [],
    ),
    steps: events.flatMap(({ resourcePreEvent }) =>
      resourcePreEvent ? [resourcePreEvent.metadata] : [],
    ),
    violations: violationsOf(true),
    warnings: violationsOf(false),
  };
}

/** The error that `change` in run-pulumi.ts throws if Pulumi fails. */
export class UpdateError extends UserError {
  /** Errors and policy violations that Pulumi reported, without secrets. */
  readonly causes: readonly string[];

  constructor(message: string, causes: readonly string[]) {
    super(message);
    this.causes = causes;
  }
}
