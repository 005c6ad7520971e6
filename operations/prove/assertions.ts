import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { project } from "../../lib/project";

/** An external service about which this project makes assumptions, such as how its API answers. */
export type Service = "aws" | "circleci" | "eks";

/** Result of the check of an assertion. "open" means that some facts for the check are missing. */
export type Verdict =
  | { readonly result: "proven" }
  | { readonly result: "differs"; readonly detail: string }
  | { readonly result: "open"; readonly detail: string };

/**
 * One assumption about an external service. `Seen` is the type of the facts that the check needs.
 * The project's tests use a stand-in (a simulation of the service), and check the same assertion
 * with the stand-in. So for this assumption, the stand-in behaves like the real service.
 */
export interface Assertion<Seen> {
  /**
   * Id of the assertion. The id must not change, because the file {@link recordFile} contains it.
   */
  readonly id: string;
  /** The assumption, as a sentence. */
  readonly says: string;
  readonly check: (seen: Seen) => Verdict;
}

export const proven: Verdict = { result: "proven" };
export const differs = (detail: string): Verdict => ({ detail, result: "differs" });
export const open = (detail: string): Verdict => ({ detail, result: "open" });

/** Returns "proven" if the two values are equal. Otherwise returns "differs" with both values. */
export function equal(got: unknown, wanted: unknown): Verdict {
  const text = (value: unknown) => (value === undefined ? "nothing" : JSON.stringify(value));
  const [is, should] = [text(got), text(wanted)];
  return is === should ? proven : differs(`got ${is}, expected ${should}`);
}

export interface Outcome {
  readonly id: string;
  readonly says: string;
  readonly result: Verdict["result"];
  readonly detail?: string;
}

/**
 * Content of the file {@link recordFile}: the date and the outcomes of the last `npm run prove` for
 * each service.
 */
export type Record = Readonly<
  Partial<{ [S in Service]: { readonly date: string; readonly outcomes: readonly Outcome[] } }>
>;

/** File with the outcomes of `npm run prove`. The file is committed. */
export const recordFile = join(project, "config", "proofs.json");

export function outcomesOf<Seen>(
  assertions: readonly Assertion<Seen>[],
  seen: Seen,
): readonly Outcome[] {
  return assertions.map(({ check, id, says }) => ({ id, says, ...check(seen) }));
}

export function readRecord(file = recordFile): Record {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record) : {};
}

/** Replaces the part about one service in the file. */
export function record(
  service: Service,
  outcomes: readonly Outcome[],
  file = recordFile,
  date = new Date(),
): void {
  const all = {
    ...readRecord(file),
    [service]: { date: date.toISOString().slice(0, 10), outcomes },
  };
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
}

/** Returns the exit code: 0 if everything is proven, 3 if something differs or is open. */
export const exitCode = (outcomes: readonly Outcome[]): 0 | 3 =>
  outcomes.every(({ result }) => result === "proven") ? 0 : 3;

/** Returns the outcomes as lines of text for a person. */
export function lines(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.map(({ detail, result, says }) => {
    const why = detail === undefined ? "" : `\n         ${detail}`;
    return `${result.padEnd(8)} ${says}${why}`;
  });
}
