/** How often a limit counts. */
const TICK_MS = 100;

/**
 * A signal that aborts after so many milliseconds in which this process ran.
 *
 * A machine that stands still for seconds (a busy virtual machine does) is not a service that does
 * not answer. After such a break Node.js runs its timers before it reads what has arrived, so a
 * plain timeout would give up on answers that are already there.
 */
export function limit(milliseconds: number): { readonly signal: AbortSignal; end(): void } {
  const abort = new AbortController();
  let left = Math.ceil(milliseconds / TICK_MS);
  const ticks = setInterval(() => {
    left -= 1;
    if (left > 0) return;
    clearInterval(ticks);
    abort.abort();
  }, TICK_MS);
  return {
    signal: abort.signal,
    end: () => {
      clearInterval(ticks);
    },
  };
}
