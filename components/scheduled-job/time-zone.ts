/** IANA names: words with a capital, abbreviations after an area, a few lower-case words. */
const zoneForm =
  /^(?:UTC|GMT|[CEMW]ET|[EHM]ST|EST5EDT|CST6CDT|MST7MDT|PST8PDT|Etc\/GMT(?:0|[+-][0-9]{1,2})|(?:[A-Z][a-z]+|US)(?:[_/-](?:[A-Z][a-z]+|[A-Z]{2,3}|of|es|au))*)$/;

const listed = Intl.supportedValuesOf("timeZone");
const spelled = new Map(listed.map((name) => [name.toLowerCase(), name]));

/**
 * Whether the cluster knows a time zone by this name. It looks for a file, so that capitals count.
 * JavaScript ignores capitals, and accepts offsets and abbreviations that IANA does not have.
 */
export function isTimeZone(name: string): boolean {
  const known = spelled.get(name.toLowerCase());
  if (known !== undefined) return known === name;
  if (!zoneForm.test(name)) return false;
  try {
    // The list lacks other names of the same zones, such as Etc/UTC and Asia/Kolkata.
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
