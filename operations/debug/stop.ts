/** The person has pressed Ctrl-C, or another process has asked this process to end. */
export class Stopped extends Error {}

const signals = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/**
 * Keeps this process alive after Ctrl-C, so that the caller can clean up. From the construction to
 * the call of `done`, the signals SIGHUP, SIGINT and SIGTERM do not end this process.
 */
export class Stop {
  readonly #aborted = new AbortController();
  readonly #stopped: Promise<never>;
  #onSignal: () => void = () => undefined;

  constructor() {
    this.#stopped = new Promise((_, reject) => {
      this.#onSignal = () => {
        this.#aborted.abort();
        reject(new Stopped());
      };
    });
    // Without this handler, a signal before the first call of `unless` would end this process.
    this.#stopped.catch(() => undefined);
    for (const signal of signals) process.on(signal, this.#onSignal);
  }

  /** Aborted when the work must end: after a signal, and after the call of `done`. */
  get aborted(): AbortSignal {
    return this.#aborted.signal;
  }

  /**
   * Returns the result of `work`.
   *
   * @throws Stopped if this process receives a signal. `work` may still run after this error, so
   * the code of `work` must read `aborted`.
   */
  async unless<T>(work: Promise<T>): Promise<T> {
    // After a signal, no code waits for `work`, so an error of `work` must not end this process.
    work.catch(() => undefined);
    return Promise.race([this.#stopped, work]);
  }

  /** Lets the signals end this process again. */
  done(): void {
    this.#aborted.abort();
    for (const signal of signals) process.off(signal, this.#onSignal);
  }
}
