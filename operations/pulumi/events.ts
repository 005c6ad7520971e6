/** What the engine tells about a preview, as its event log has it: only what is read here. */

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

/** What the engine would do with one resource; a replacement is several of them. */
export interface Step {
  readonly detailedDiff?: Readonly<Record<string, { readonly diffKind: string }>> | null;
  /** Fields that make it a replacement. */
  readonly keys?: readonly string[] | null;
  readonly new?: State | null;
  readonly old?: State | null;
  readonly op: string;
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

/** An error of the engine or the policies. */
export interface Fault {
  readonly message: string;
  /** Resource that it is about; empty where it is about none. */
  readonly urn: string;
}

export interface Events {
  /** Whether the engine came to the end of the program and of the state. */
  readonly complete: boolean;
  readonly errors: readonly Fault[];
  /** Violations of mandatory policies; each of them stops the preview. */
  readonly refused: readonly Fault[];
  readonly steps: readonly Step[];
  /** Violations of policies that only advise. */
  readonly warned: readonly Fault[];
}

/** Colours in the engine's own notation (`<{%reset%}>`) and those of terminals. */
const colours = /<\{%.*?%\}>|\u001b\[[0-9;]*m/g;

/** Text as it reads without a terminal. */
export function plain(text: string): string {
  return text.replace(colours, "");
}

/** Most lines that are kept of what a program said. */
const mostLines = 30;

/**
 * What Pulumi says of its errors, in what it printed: its own summary of them, or else its last
 * lines.
 */
export function lastWords(printed: string): string {
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
    // The last line of an engine that was killed.
    return {};
  }
}

const told = /^\{"sequence":\d+,"timestamp":\d+,"(?:diagnostic|policy|resourcePre|summary)Event"/;

/**
 * Whether a line is worth parsing: most lines are for Pulumi's developers, or repeat what is known.
 */
function isRead(line: string): boolean {
  return told.test(line) && !line.includes('"severity":"debug"');
}

/** Reads the engine's event log: one JSON object in each line. */
export function readEvents(log: string): Events {
  const events = log.split("\n").filter(isRead).map(parse);
  const policies = events.flatMap(({ policyEvent }) => (policyEvent ? [policyEvent] : []));
  const fault = ({ message, policyName, resourceUrn = "" }: (typeof policies)[number]) => ({
    message: plain(`${policyName}: ${message}`).trim(),
    urn: resourceUrn,
  });
  return {
    complete: events.some(({ summaryEvent }) => summaryEvent !== undefined),
    errors: events.flatMap(({ diagnosticEvent: said }) =>
      said?.severity === "error" && said.ephemeral !== true
        ? [{ message: plain(said.message).trim(), urn: said.urn ?? "" }]
        : [],
    ),
    refused: policies.filter((one) => one.enforcementLevel === "mandatory").map(fault),
    steps: events.flatMap(({ resourcePreEvent }) =>
      resourcePreEvent ? [resourcePreEvent.metadata] : [],
    ),
    warned: policies.filter((one) => one.enforcementLevel !== "mandatory").map(fault),
  };
}
