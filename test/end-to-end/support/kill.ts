import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { project } from "../../../lib/project";

/** A moment in a command that makes no update: when it has printed this text. */
export interface Printed {
  readonly says: string;
}

/** A moment in an update, by the engine's own events. */
export interface Moment {
  /** What the engine does with the resource. */
  readonly op: "create" | "create-replacement" | "delete" | "delete-replaced" | "update";
  /** End of the resource's type and name, such as `StatefulSet::postgres`. */
  readonly resource: string;
  /**
   * When the step begins, when the provider first reports on it (it waits for the cluster), or when
   * the step has ended.
   */
  readonly when: "after" | "before" | "during";
}

/** The last one gives the command time to get further, so other kills of a moment come before. */
export const kills = {
  "SIGKILL to the process group": "group",
  "SIGKILL to the engine": "engine",
  "every process": "machine",
  "SIGTERM, SIGKILL 10 s later": "canceled",
} as const;
export type Kill = (typeof kills)[keyof typeof kills];

/** A kill that is tried. */
export type Row = (Moment | Printed) & { readonly kill: Kill };

interface Command {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs one of the project's commands, and kills it at a moment, which must come. */
export async function killAt(command: Command, row: Row): Promise<void> {
  // Every event log is somewhere in the directory for temporary files.
  const temporary = mkdtempSync(join(tmpdir(), "services-orders-kill-"));
  const entry = join(command.cwd, "cli", "entry.mjs");
  const child = spawn(process.execPath, [entry, ...command.args], {
    cwd: command.cwd,
    detached: true,
    env: {
      ...process.env,
      ...command.env,
      TMPDIR: temporary,
      // Compiling the program again would take three seconds of each run.
      TS_NODE_CACHE_DIRECTORY: join(tmpdir(), "ts-node"),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const listen = (chunk: Buffer): void => void (output += chunk.toString("utf8"));
  child.stdout.on("data", listen);
  child.stderr.on("data", listen);
  let code: number | null | undefined;
  // Not "close": what outlives the command may hold its output open.
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

/** Moments with every kind of kill. */
export const each = (...moments: readonly Moment[]): readonly Row[] =>
  moments.flatMap((moment) => Object.values(kills).map((kill) => ({ ...moment, kill })));

/** The line of docs/kills.md for a row whose command ended well at the end. */
export function recovered(command: string, circumstance: string, row: Row): string {
  const how = Object.entries(kills).find(([, value]) => value === row.kill)?.[0] ?? row.kill;
  return `- \`${command}\`, ${circumstance}: ${titleOf(row)}; ${how}; recovered.`;
}

export const titleOf = (moment: Moment | Printed): string =>
  "says" in moment
    ? `after "${moment.says}"`
    : `${moment.when} ${moment.op} of \`${moment.resource}\``;

/** Writes what was tried below a heading of docs/kills.md, in the place of what is there. */
export function writeDown(heading: string, lines: readonly string[]): void {
  const file = join(project, "docs", "kills.md");
  const text = readFileSync(file, "utf8");
  const start = text.indexOf(`## ${heading}\n`);
  if (start === -1) throw new Error(`${file} has no heading "${heading}"`);
  const next = text.indexOf("\n## ", start);
  const rest = next === -1 ? "" : text.slice(next);
  const section = [`## ${heading}`, "", ...new Set(lines), ""].join("\n");
  writeFileSync(file, `${text.slice(0, start)}${section}${rest}`);
}

/** Processes of killed commands. Pulumi's plugins outlive an engine that is killed. */
const struckProcesses: number[] = [];

/** Ends what killed commands have left. Until then it may disturb the next command, as in life. */
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
    // It has ended.
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
    /** Whether it is of a preview. */
    readonly planning?: boolean;
  };
}

/** What the engine has told so far, of updates and removals; previews are not listened to. */
class Events {
  readonly #begun = new Set<string>();
  readonly #directory: string;
  /** Bytes that were read of each log, up to the end of its last whole line. */
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
      // Asked a hundred times a second, while the update runs.
      if (sizeOf(log) === this.#sizes.get(log)) return [];
      const bytes = contentOf(log);
      this.#sizes.set(log, bytes.length);
      const from = this.#read.get(log) ?? 0;
      // The last line may not be whole yet.
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

/** The log may not be there yet, or be removed by a command that ends. */
function contentOf(log: string): Buffer {
  try {
    return readFileSync(log);
  } catch {
    return Buffer.alloc(0);
  }
}
