import { variables } from "../engine";
import { type EngineRun, runEngine } from "./engine";
import type { Plan } from "./plan";
import type { Summary } from "./summary";

/** What a preview has shown. */
export interface Previewed {
  /** Whether the engine came to its end; where it did not, `up` may change more than was shown. */
  readonly complete: boolean;
  readonly plan: Plan;
  /** Pulumi's own output, without secrets. */
  readonly printed: string;
  /** Takes secrets out of a text that is to be shown or sent. */
  readonly safe: (text: string) => string;
  readonly summary: Summary;
  /** The summary for a terminal. */
  readonly text: string;
}

/** What reads the events. */
async function readers() {
  const [changes, events, plan, summary, text, values] = await Promise.all([
    import("./changes"),
    import("./events"),
    import("./plan"),
    import("./summary"),
    import("./text"),
    import("./values"),
  ]);
  return { ...changes, ...events, ...plan, ...summary, ...text, ...values };
}

/**
 * Runs the engine once and reads what it told. The person has seen Pulumi's own diff then.
 * For who applies a change set next: keep `plan`, and hold what is applied to it by `larger`.
 */
export async function look(run: EngineRun): Promise<Previewed> {
  // The engine takes a second and more: time enough to load what reads its events.
  const [{ exitCode, log, printed }, read] = await Promise.all([runEngine(run), readers()]);
  const events = read.readEvents(log);
  const secrets = [
    ...read.secretsOf(variables(run.engine)),
    ...read.sensitiveValues(read.changesOf(events)),
  ];
  const safe = (text: string): string => read.masked(text, secrets);
  const summary = read.summaryOf(run.stack, events, exitCode);
  return {
    complete: exitCode === 0,
    plan: read.planOf(run.stack, events),
    printed: safe(printed),
    safe,
    summary,
    text: safe(read.textOf(summary)),
  };
}
