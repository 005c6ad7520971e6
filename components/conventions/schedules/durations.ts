/**
 * A duration in the format of the service's command line: a whole number of seconds, minutes, hours
 * or days, such as `90m`, `48h` or `7d`. The number has at most 5 digits and no sign. TypeScript
 * does not check these two rules, but {@link isDuration} checks them.
 */
export type Duration = `${bigint}${"d" | "h" | "m" | "s"}`;

/** Options of the service's command line that accept only a duration. */
export const durationOptions: readonly string[] = ["--older-than", "--wait"];

/**
 * Whether the service accepts a text as a duration. The rule is the same as in the service's class
 * `Durations`. A test checks both rules with the same list of examples.
 */
export function isDuration(text: string | undefined): boolean {
  return text !== undefined && /^[0-9]{1,5}[smhd]$/.test(text);
}
