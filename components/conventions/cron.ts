const day = 24 * 60;

/** The numbers that one field of a schedule stands for, or undefined where it is malformed. */
function fieldValues(field: string, min: number, max: number): ReadonlySet<number> | undefined {
  const values = new Set<number>();
  for (const part of field.split(",")) {
    const match = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part);
    if (match === null) return undefined;
    const [, from, to, step] = match;
    const first = from === undefined ? min : Number(from);
    // `5/10` means "from 5 on, each 10"; a lone number is itself.
    const last =
      to !== undefined ? Number(to) : from !== undefined && step === undefined ? first : max;
    const every = step === undefined ? 1 : Number(step);
    if (first < min || last > max || first > last || every < 1) return undefined;
    for (let value = first; value <= last; value += every) values.add(value);
  }
  return values;
}

/**
 * Seconds between the two nearest runs of a schedule, or undefined where it is malformed.
 *
 * Looks at minutes and hours only. Days, months and weekdays can only make gaps longer, so the
 * result is never above the true one. They may be names (`MON`) and are left to Kubernetes.
 */
export function shortestPeriodSeconds(schedule: string): number | undefined {
  const fields = schedule.split(" ");
  const [minuteField, hourField, ...rest] = fields;
  if (minuteField === undefined || hourField === undefined || rest.length !== 3) return undefined;
  if (rest.some((field) => !/^[0-9A-Za-z*/,?-]+$/.test(field))) return undefined;
  const minutes = fieldValues(minuteField, 0, 59);
  const hours = fieldValues(hourField, 0, 23);
  if (minutes === undefined || hours === undefined) return undefined;
  const runs = [...hours].flatMap((hour) => [...minutes].map((minute) => hour * 60 + minute));
  runs.sort((a, b) => a - b);
  const gaps = runs.map((run, i) => (runs[i + 1] ?? (runs[0] ?? 0) + day) - run);
  return Math.min(...gaps) * 60;
}
