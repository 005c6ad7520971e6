import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { project } from "../../../lib/project";

/** The moment at which a command has printed the text `says`. */
export interface Printed {
  readonly says: string;
}

/** A moment in an update. The test recognizes the moment in the engine's events. */
export interface Moment {
  /** The engine's operation on the resource. */
  readonly op: "create" | "create-replacement" | "delete" | "delete-replaced" | "update";
  /** The end of the resource's URN: type and name, such as `StatefulSet::postgres`. */
  readonly resource: string;
  /**
   * `before`: the step begins. `during`: the provider waits for the cluster, and has sent its first
   * message about the resource. `after`: the step has ended.
   */
  readonly when: "after" | "before" | "during";
}

/**
 * The kinds of kills, by their text in docs/kills.md. `canceled` must be last: this kind lets the
 * command continue for up to 10 s. During this time, the command may complete the step, so the next
 * run does not always reach the same moment.
 */
export const kills = {
  "SIGKILL to the process group": "group",
  "SIGKILL to the engine": "engine",
  "every process": "machine",
  "SIGTERM, SIGKILL 10 s later": "canceled",
} as const;
export type Kill = (typeof kills)[keyof typeof kills];

/** A kill in a test: its moment and its kind. */
export type Row = (Moment | Printed) & { readonly kill: Kill };

interface Command {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Runs one of the project's commands, and kills it at the moment of the row. Fails if the command
 * ends before this moment.
 */
export async function killAt(command: Command, row: Row): Promise<void> {
  // The command writes all event logs below TMPDIR, where the test finds them.
  const temporary = mkdtempSync(join(tmpdir(), "services-orders-kill-"));
  const entry = join(command.cwd, "cli", "entry.mjs");
  const child = spawn(process.execPath, [entry, ...command.args], {
    cwd: command.cwd,
    detached: true,
    env: {
      ...process.env,
      ...command.env,
      TMPDIR: temporary,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const listen = (chunk: Buffer): void => void (output += chunk.toString("utf8"));
  child.stdout.on("data", listen);
  child.stderr.on("data", listen);
  let code: number | null | undefined;
  // Waits for the event "exit" and not for "close". Some child processes run longer than the
  // command, and Node.js emits "close" only after these processes have closed the command's output.
  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (exit) => {
      code = exit;
      resolve();
    });
  });
  const events = new Events(temporary);
  let struck = false;
  while (code === undefined && !struck) {
    struck = "says" in row ? output.includes(row.says) : events.have(row);
    if (!struck) await sleep(10);
  }
  if (struck) await strike(child.pid ?? 0, row.kill, () => code !== undefined);
  await ended;
  rmSync(temporary, { force: true, recursive: true });
  const end = output.slice(-4000);
  assert.ok(struck, `the command ended before that moment:\n${end}`);
  assert.notEqual(code, 0, end);
}

/** Returns a row for each moment and each kind of kill. */
export const each = (...moments: readonly Moment[]): readonly Row[] =>
  moments.flatMap((moment) => Object.values(kills).map((kill) => ({ ...moment, kill })));

/** Returns the line for docs/kills.md about a row whose command succeeded after the kill. */
export function recovered(command: string, circumstance: string, row: Row): string {
  const how = Object.entries(kills).find(([, value]) => value === row.kill)?.[0] ?? row.kill;
  return [command, circumstance, titleOf(row), how].join(" | ");
}

export const titleOf = (moment: Moment | Printed): string =>
  "says" in moment ? `after "${moment.says}"` : `${moment.when} ${moment.op} ${moment.resource}`;

/** Writes lines into docs/kills.md. The lines replace the text below a heading. */
export function writeDown(heading: string, lines: readonly string[]): void {
  const file = join(project, "docs", "kills.md");
  const text = readFileSync(file, "utf8");
  const start = text.indexOf(`## ${heading}\n`);
  if (start === -1) throw new Error(`${file} has no heading "${heading}"`);
  const next = text.indexOf("\n## ", start);
  const rest = next === -1 ? "" : text.slice(next);
  const section = [`## ${heading}`, "", "```text", ...new Set(lines), "```", ""].join("\n");
  writeFileSync(file, `${text.slice(0, start)}${section}${rest}`);
}

/**
 * Process ids of the killed commands and their children. Some of these processes still run, because
 * Pulumi's plugins continue to run after a kill of the engine.
 */
const struckProcesses: number[] = [];

/**
 * Ends the processes that still run after the kill of their command. Call this function only at the
 * end of the tests. Until then, these processes must continue to run, so that they can affect the
 * next command as on a user's machine.
 */
export function endLeftovers(): void {
  for (const pid of struckProcesses.splice(0)) {
    if (/^(?:node|pulumi|sh)/.test(nameOf(pid) ?? "")) send(pid, "SIGKILL");
  }
}

async function strike(pid: number, kill: Kill, isOver: () => boolean): Promise<void> {
  const all = [pid, ...descendants(pid)];
  struckProcesses.push(...all);
  if (kill === "engine") {
    for (const one of all.filter((each) => nameOf(each) === "pulumi")) send(one, "SIGKILL");
    return;
  }
  if (kill === "canceled") {
    send(-pid, "SIGTERM");
    for (let waited = 0; waited < 100 && !isOver(); waited += 1) await sleep(100);
  }
  send(-pid, "SIGKILL");
  if (kill === "machine") for (const one of all) send(one, "SIGKILL");
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // The process has already ended.
  }
}

function stat(
  pid: string | number,
): { readonly name: string; readonly parent: number } | undefined {
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
    const end = text.lastIndexOf(")");
    const [, parent = ""] = text.slice(end + 2).split(" ");
    return { name: text.slice(text.indexOf("(") + 1, end), parent: Number(parent) };
  } catch {
    return undefined;
  }
}

const nameOf = (pid: number): string | undefined => stat(pid)?.name;

function descendants(pid: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const parent = stat(entry)?.parent ?? 0;
    children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const below = (one: number): number[] =>
    (children.get(one) ?? []).flatMap((each) => [each, ...below(each)]);
  return below(pid);
}

interface Event {
  readonly diagnosticEvent?: { readonly urn?: string };
  readonly resOutputsEvent?: {
    readonly metadata: { readonly op: string; readonly urn: string };
    readonly planning?: boolean;
  };
  readonly resourcePreEvent?: {
    readonly metadata: { readonly op: string; readonly urn: string };
    /** Whether the event belongs to a preview. */
    readonly planning?: boolean;
  };
}

/** The engine's events so far, of updates and removals. Ignores events of previews. */
class Events {
  readonly #begun = new Set<string>();
  readonly #directory: string;
  /**
   * Number of bytes of each log that this class has read: up to the end of the last complete line.
   */
  readonly #read = new Map<string, number>();
  readonly #sizes = new Map<string, number>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  have(moment: Moment): boolean {
    return this.#news().some((event) => this.#is(event, moment));
  }

  #is(event: Event, { op, resource, when }: Moment): boolean {
    const about = ({ urn = "" }: { readonly urn?: string } = {}): boolean => urn.endsWith(resource);
    const { diagnosticEvent, resOutputsEvent, resourcePreEvent } = event;
    if (resOutputsEvent?.planning === true || resourcePreEvent?.planning === true) return false;
    const begins = resourcePreEvent?.metadata;
    if (begins?.op === op && about(begins)) {
      this.#begun.add(resource);
      return when === "before";
    }
    if (when === "during") return this.#begun.has(resource) && about(diagnosticEvent);
    const ends = resOutputsEvent?.metadata;
    return when === "after" && ends?.op === op && about(ends);
  }

  #news(): readonly Event[] {
    const logs = readdirSync(this.#directory)
      .filter((name) => name.startsWith("services-orders-pulumi-"))
      .map((name) => join(this.#directory, name, "events.json"));
    return logs.flatMap((log) => {
      // Skips a log whose size has not changed, because this code runs a hundred times per second.
      if (sizeOf(log) === this.#sizes.get(log)) return [];
      const bytes = contentOf(log);
      this.#sizes.set(log, bytes.length);
      const from = this.#read.get(log) ?? 0;
      // The last line may still be incomplete.
      const to = bytes.lastIndexOf("\n") + 1;
      this.#read.set(log, Math.max(from, to));
      return bytes
        .subarray(from, to)
        .toString("utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Event);
    });
  }
}

function sizeOf(log: string): number | undefined {
  return statSync(log, { throwIfNoEntry: false })?.size;
}

/**
 * Returns the content of a log. Empty if the log does not exist: either the command has not created
 * the log yet, or the command has ended and has removed the log.
 */
function contentOf(log: string): Buffer {
  try {
    return readFileSync(log);
  } catch {
    return Buffer.alloc(0);
  }
}
