import { duration } from "./time";

/**
 * How often a long step reports that it still runs: rarely enough for a CI log, often enough for a
 * person.
 */
const HEARTBEAT_MS = 10_000;

/** What a step is doing now; shown by its next heartbeat. */
export type Report = (detail: string) => void;

/**
 * Reports the progress of a long command: step i of n, its title, and its time. Prints plain lines,
 * so a terminal, a file and a CI log show the same.
 */
export class Steps {
  readonly #total: number;
  #done = 0;

  constructor(total: number) {
    this.#total = total;
  }

  /** Runs one step. If it fails, prints after how long, and rethrows the error. */
  async step<T>(title: string, work: (report: Report) => Promise<T> | T): Promise<T> {
    this.#done += 1;
    const place = `[${String(this.#done)}/${String(this.#total)}]`;
    const started = Date.now();
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
        console.log(`${place}   done in ${duration(took)}`);
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
