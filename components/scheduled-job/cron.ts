const day = 24 * 60;

/** One of the five fields of a schedule, in their order. */
export interface ScheduleField {
  readonly max: number;
  readonly min: number;
  readonly name: string;
  /** Words for numbers, the first one for `min`; upper and lower case are the same. */
  readonly words: readonly string[];
}

/** What Kubernetes' parser takes: Sunday is 0 and never 7. */
export const scheduleFields: readonly ScheduleField[] = [
  { max: 59, min: 0, name: "minutes", words: [] },
  { max: 23, min: 0, name: "hours", words: [] },
  { max: 31, min: 1, name: "days of the month", words: [] },
  {
    max: 12,
    min: 1,
    name: "months",
    words: "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" "),
  },
  { max: 6, min: 0, name: "days of the week", words: "SUN MON TUE WED THU FRI SAT".split(" ") },
];

/** A number, or the word for one; NaN for what is neither. */
function numberOf(text: string, { min, words }: ScheduleField): number {
  const index = words.indexOf(text.toUpperCase());
  return index >= 0 ? min + index : /^\d+$/.test(text) ? Number(text) : NaN;
}

/** The numbers that one field of a schedule stands for, or undefined where it is malformed. */
function fieldValues(text: string, field: ScheduleField): ReadonlySet<number> | undefined {
  const { max, min } = field;
  const values = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^(?:[*?]|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(part);
    if (match === null) return undefined;
    const [, from, to, step] = match;
    const first = from === undefined ? min : numberOf(from, field);
    // `5/10` means "from 5 on, each 10"; a lone number is itself.
    const last =
      to !== undefined
        ? numberOf(to, field)
        : from !== undefined && step === undefined
          ? first
          : max;
    // A longer step than the field, as each 90 minutes, would not do what it says.
    const every = step === undefined ? 1 : Number(step);
    if (!(first >= min && first <= last && last <= max)) return undefined;
    if (every < 1 || every > max - min + 1) return undefined;
    for (let value = first; value <= last; value += every) values.add(value);
  }
  return values;
}

/** What each field stands for, undefined for a malformed one; undefined where there are not five. */
function parsed(schedule: string): readonly (ReadonlySet<number> | undefined)[] | undefined {
  const texts = schedule.split(" ");
  if (texts.length !== scheduleFields.length) return undefined;
  return scheduleFields.map((field, i) => fieldValues(texts[i] ?? "", field));
}

/**
 * The fields of a schedule that the cluster would not take or that would not do what they say;
 * undefined where there are not five of them.
 *
 * A date that never comes, as `0 0 31 2 *`, is none of its business: such a job never runs.
 */
export function wrongFields(schedule: string): readonly ScheduleField[] | undefined {
  const all = parsed(schedule);
  return all && scheduleFields.filter((_, i) => all[i] === undefined);
}

/**
 * Seconds between the two nearest runs of a schedule, or undefined where it is malformed.
 *
 * Looks at minutes and hours only. Days, months and weekdays can only make gaps longer, so the
 * result is never above the true one.
 */
export function shortestPeriodSeconds(schedule: string): number | undefined {
  const [minutes, hours, ...rest] = parsed(schedule) ?? [];
  if (minutes === undefined || hours === undefined || rest.includes(undefined)) return undefined;
  const runs = [...hours].flatMap((hour) => [...minutes].map((minute) => hour * 60 + minute));
  runs.sort((a, b) => a - b);
  const gaps = runs.map((run, i) => (runs[i + 1] ?? (runs[0] ?? 0) + day) - run);
  return Math.min(...gaps) * 60;
}
