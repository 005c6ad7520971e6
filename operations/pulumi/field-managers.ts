/**
 * The field manager that Pulumi's provider generates for each object that it creates.
 * If Pulumi was killed while it created an object, only the cluster knows that object's manager.
 */
export const drawnManager = /^pulumi-kubernetes-[0-9a-f]+$/;

/** Fields of one object that someone else has set. */
interface Conflict {
  readonly fields: readonly string[];
  /** The manager, as the cluster names it. Its API version and a time may follow. */
  readonly manager: string;
}

/** The provider then takes fields over from other managers. */
export const forcing = { PULUMI_K8S_ENABLE_PATCH_FORCE: "true" } as const;
const force = Object.entries(forcing).flat().join("=");

/** The cluster's message: one conflict is one line, several are a list for each manager. */
const begins = /conflicts? with "([^"]+)"([^:\n]*):/;

/**
 * Explains why an update failed: fields that another manager owns. One line for each manager.
 */
export function fieldConflicts(said: string): readonly string[] {
  return [
    ...new Set(
      said
        .split(/(?=conflicts? with ")/)
        .flatMap(conflictOf)
        .map(explained),
    ),
  ];
}

function conflictOf(part: string): readonly Conflict[] {
  const [line, manager] = begins.exec(part) ?? [];
  if (line === undefined || manager === undefined || !part.startsWith(line)) return [];
  const [first = "", ...more] = part.slice(line.length).split("\n");
  const end = more.findIndex((one) => !/^\s*- \./.test(one));
  const listed = more.slice(0, end === -1 ? more.length : end);
  const fields = [first, ...listed].map((one) => one.replace(/^\s*-?\s*/, "").trim());
  return [{ fields: fields.filter((field) => field.startsWith(".")), manager }];
}

function explained({ fields, manager }: Conflict): string {
  const which = fields.join(", ");
  if (drawnManager.test(manager)) {
    return (
      `A killed update of Pulumi, or another stack, created the object and owns ${which} (field manager "${manager}"). ` +
      `If no other stack has the object, run the same command again, and put ${force} in front of it.`
    );
  }
  return (
    `"${manager}" has changed ${which} in the cluster, and Pulumi does not overwrite this change. Either write its value into the program, ` +
    `or overwrite it: run the same command once, and put ${force} in front of it.`
  );
}
