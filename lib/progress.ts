import { cpuOfEndedChildren } from "./processes";
import { duration } from "./time";

/**
 * Interval at which a long step reports that it still runs, in milliseconds. With a longer
 * interval, a person who waits could believe that the step hangs. With a shorter interval, a CI log
 * would have too many lines.
 */
const HEARTBEAT_MS = 10_000;

/**
 * Duration in milliseconds from which a step also prints the CPU time of the programs that it ran.
 * With this time, a person sees whether a long step waited or computed.
 */
const SAY_CPU_MS = 60_000;

/**
 * Function that sets the text of the next heartbeat of a step. The text says what the step is doing
 * now.
 */
export type Report = (detail: string) => void;

/**
 * Reports the progress of a long command: the number and the title of each step, and the duration
 * of a step that takes a second or longer. This class prints plain lines, so a terminal, a file and
 * a CI log show the same text.
 */
export class Steps {
  readonly #total: number;
  readonly #cpuMs: () => number | undefined;
  #done = 0;

  /** @param cpuMs - returns the CPU time of the programs that have ended. Tests pass their own. */
  constructor(total: number, cpuMs = cpuOfEndedChildren) {
    this.#total = total;
    this.#cpuMs = cpuMs;
  }

  /** Runs one step. If `work` fails, prints the step's duration and throws the error again. */
  async step<T>(title: string, work: (report: Report) => Promise<T> | T): Promise<T> {
    this.#done += 1;
    const place = `[${String(this.#done)}/${String(this.#total)}]`;
    const started = Date.now();
    const cpuBefore = this.#cpuMs();
    let detail = "";
    console.log(`${place} ${title}`);
    const heartbeat = setInterval(() => {
      console.log(
        `${place}   ... ${duration(Date.now() - started)}${detail === "" ? "" : `: ${detail}`}`,
      );
    }, HEARTBEAT_MS);
    try {
      const result = await work((text) => {
        detail = text;
      });
      const took = Date.now() - started;
      if (took >= 1000) {
        const cpu = took >= SAY_CPU_MS ? cpuText(cpuBefore, this.#cpuMs()) : "";
        console.log(`${place}   done in ${duration(took)}${cpu}`);
      }
      return result;
    } catch (error) {
      console.log(`${place}   failed after ${duration(Date.now() - started)}`);
      throw error;
    } finally {
      clearInterval(heartbeat);
    }
  }
}

const cpuText = (before: number | undefined, after: number | undefined): string =>
  before === undefined || after === undefined ? "" : ` (${duration(after - before)} of CPU time)`;
