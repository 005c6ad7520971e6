/** Form of IANA time zone names, such as `UTC`, `Etc/GMT+3` and `America/Port_of_Spain`. */
const zoneForm =
  /^(?:UTC|GMT|[CEMW]ET|[EHM]ST|EST5EDT|CST6CDT|MST7MDT|PST8PDT|Etc\/GMT(?:0|[+-][0-9]{1,2})|(?:[A-Z][a-z]+|US)(?:[_/-](?:[A-Z][a-z]+|[A-Z]{2,3}|of|es|au))*)$/;

const listed = Intl.supportedValuesOf("timeZone");
const spelled = new Map(listed.map((name) => [name.toLowerCase(), name]));

/**
 * Whether the cluster accepts this name of a time zone. The cluster looks for a file with this
 * name, so upper and lower case must be correct. JavaScript ignores case, and accepts offsets and
 * abbreviations that IANA does not have.
 */
export function isTimeZone(name: string): boolean {
  const known = spelled.get(name.toLowerCase());
  if (known !== undefined) return known === name;
  if (!zoneForm.test(name)) return false;
  try {
    // JavaScript's list has only one name for each zone. Names such as Etc/UTC and Asia/Kolkata are
    // missing.
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
