/** The date and the time that the clocks in a time zone show. */
export interface LocalTime {
  /** The first day of a month is 1. */
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  /** January is 1. */
  readonly month: number;
  readonly second: number;
  /** Sunday is 0. */
  readonly weekday: number;
  readonly year: number;
}

/**
 * A quarter of an hour, in milliseconds. At present, the clocks of all time zones change only at
 * the start of a quarter of an hour.
 */
const quarter = 15 * 60_000;
/** A day, in milliseconds. In every time zone, the clocks change at most once a day. */
const day = 24 * 60 * 60_000;

/** A clock in one time zone. Times are milliseconds since 1970. */
export class ZonedClock {
  readonly #format: Intl.DateTimeFormat;
  readonly #offsets = new Map<number, number>();

  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
  }

  /** Returns the date and the time of day that the clock shows at `time`. */
  local(time: number): LocalTime {
    const shown = new Date(time + this.#offset(time));
    return {
      day: shown.getUTCDate(),
      hour: shown.getUTCHours(),
      minute: shown.getUTCMinutes(),
      month: shown.getUTCMonth() + 1,
      second: shown.getUTCSeconds(),
      weekday: shown.getUTCDay(),
      year: shown.getUTCFullYear(),
    };
  }

  /**
   * Returns the time at which the clock shows this date and time. Month 13 is January of the next
   * year. When the clocks change, the clock may show a date and time twice or never. In these
   * cases, this function returns the same time as Go's function `time.Date`. Kubernetes uses
   * `time.Date`.
   */
  time({ day, hour, minute, month, second, year }: Omit<LocalTime, "weekday">): number {
    const asUtc = Date.UTC(year, month - 1, day, hour, minute, second);
    return asUtc - this.#offset(asUtc - this.#offset(asUtc));
  }

  /** Returns how far the clock is ahead of UTC, in milliseconds. */
  #offset(time: number): number {
    const today = Math.floor(time / day) * day;
    const offset = this.#read(today);
    return offset === this.#read(today + day)
      ? offset
      : this.#read(Math.floor(time / quarter) * quarter);
  }

  /**
   * Returns the offset at a time, from the time zone data of Node.js. This lookup is slow, so the
   * clock stores each offset that it has read.
   */
  #read(time: number): number {
    const known = this.#offsets.get(time);
    if (known !== undefined) return known;
    const parts = this.#format.formatToParts(time);
    const offset = offsetIn(parts.find(({ type }) => type === "timeZoneName")?.value ?? "");
    this.#offsets.set(time, offset);
    return offset;
  }
}

/** Parses an offset such as `GMT-03:30`, or `GMT` for UTC. */
function offsetIn(text: string): number {
  const [, sign = "+", hours = "0", minutes = "0", seconds = "0"] =
    /^GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text) ?? [];
  const size = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
  return sign === "-" ? -size : size;
}
