const day = 24 * 60;

/** One of the five fields of a schedule. */
export interface ScheduleField {
  readonly max: number;
  readonly min: number;
  readonly name: string;
  /**
   * Words that can replace numbers. The first word means `min`. A schedule may contain these words
   * in upper or lower case.
   */
  readonly words: readonly string[];
}

/**
 * The five fields in their order, with the values that Kubernetes' parser accepts. Sunday is 0, not
 * 7.
 */
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

/**
 * Returns the number in a text, or the number that a word such as `MON` means. NaN for other text.
 */
function numberOf(text: string, { min, words }: ScheduleField): number {
  const index = words.indexOf(text.toUpperCase());
  return index >= 0 ? min + index : /^\d+$/.test(text) ? Number(text) : NaN;
}

/** Returns the values of one field of a schedule. Undefined if the field is malformed. */
function fieldValues(text: string, field: ScheduleField): ReadonlySet<number> | undefined {
  const { max, min } = field;
  const values = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^(?:[*?]|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(part);
    if (match === null) return undefined;
    const [, from, to, step] = match;
    const first = from === undefined ? min : numberOf(from, field);
    // `5/10` means "every 10, from 5". A single number, such as `5`, means only this number.
    const last =
      to !== undefined
        ? numberOf(to, field)
        : from !== undefined && step === undefined
          ? first
          : max;
    // A step above the number of the field's values is malformed: `*/90` does not run a job every
    // 90 minutes.
    const every = step === undefined ? 1 : Number(step);
    if (!(first >= min && first <= last && last <= max)) return undefined;
    if (every < 1 || every > max - min + 1) return undefined;
    for (let value = first; value <= last; value += every) values.add(value);
  }
  return values;
}

/**
 * Returns the values of each field. For a malformed field, the value is `undefined`. Returns
 * undefined if the schedule does not have five fields.
 */
function parsed(schedule: string): readonly (ReadonlySet<number> | undefined)[] | undefined {
  const texts = schedule.split(" ");
  if (texts.length !== scheduleFields.length) return undefined;
  return scheduleFields.map((field, i) => fieldValues(texts[i] ?? "", field));
}

/**
 * Returns the malformed fields: fields that the cluster refuses, and fields whose step is too
 * large. Undefined if the schedule does not have five fields.
 *
 * The function accepts a date that does not exist, such as `0 0 31 2 *`. With such a schedule, the
 * job never runs.
 */
export function wrongFields(schedule: string): readonly ScheduleField[] | undefined {
  const all = parsed(schedule);
  return all && scheduleFields.filter((_, i) => all[i] === undefined);
}

/**
 * Returns the allowed values of each of the five fields, such as the minutes 0 and 30. Undefined if
 * the schedule is malformed.
 */
export function scheduleValues(schedule: string): readonly ReadonlySet<number>[] | undefined {
  const all = parsed(schedule)?.filter((values) => values !== undefined);
  return all?.length === scheduleFields.length ? all : undefined;
}

/**
 * Whether a schedule restricts both the days of the month and the days of the week. With such a
 * schedule, Kubernetes runs the job on each day that matches at least one of the two fields:
 * `0 3 1-7 * MON` runs on the first seven days of the month and on every Monday. People rarely want
 * such a schedule. A field with `*` or `?` restricts nothing, except if its step is above 1 (such
 * as "every second day").
 */
export function restrictsBothDays(schedule: string): boolean {
  const [, , ofMonth, , ofWeek] = schedule.split(" ");
  return [ofMonth, ofWeek].every(
    (field) => field !== undefined && !field.split(",").some((part) => /^[*?](?:\/1)?$/.test(part)),
  );
}

/**
 * Returns the shortest time between two runs of a schedule, in seconds. Undefined if the schedule
 * is malformed.
 *
 * The function uses only the minutes and hours, because the other fields can only increase the time
 * between two runs.
 */
export function shortestPeriodSeconds(schedule: string): number | undefined {
  const [minutes, hours, ...rest] = parsed(schedule) ?? [];
  if (minutes === undefined || hours === undefined || rest.includes(undefined)) return undefined;
  const runs = [...hours].flatMap((hour) => [...minutes].map((minute) => hour * 60 + minute));
  runs.sort((a, b) => a - b);
  const gaps = runs.map((run, i) => (runs[i + 1] ?? (runs[0] ?? 0) + day) - run);
  return Math.min(...gaps) * 60;
}
