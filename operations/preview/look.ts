import { changesOf } from "./changes";
import { type EngineRun, runEngine } from "./engine";
import { type Plan, planOf } from "./plan";
import { readEvents } from "./events";
import { type Summary, summaryOf } from "./summary";
import { masked, secretsOf, sensitiveValues } from "./values";

/** What a preview has shown. */
export interface Previewed {
  readonly plan: Plan;
  /** Pulumi's own output, without secrets. */
  readonly printed: string;
  /** Takes secrets out of a text that is to be shown or sent. */
  readonly safe: (text: string) => string;
  readonly summary: Summary;
}

/**
 * Runs the engine once and reads what it told. The person has seen Pulumi's own diff then.
 * For who applies a change set next: keep `plan`, and hold what is applied to it by `larger`.
 */
export async function look(run: EngineRun): Promise<Previewed> {
  const { exitCode, log, printed } = await runEngine(run);
  const events = readEvents(log);
  const secrets = [...secretsOf(run.env), ...sensitiveValues(changesOf(events))];
  const safe = (text: string): string => masked(text, secrets);
  return {
    plan: planOf(run.stack, events),
    printed: safe(printed),
    safe,
    summary: summaryOf(run.stack, events, exitCode),
  };
}
