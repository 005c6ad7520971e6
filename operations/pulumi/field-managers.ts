/**
 * Matches the name that Pulumi's provider generates as field manager for each object. If Pulumi was
 * killed while it created an object, the cluster has the name, but the stack's state does not.
 */
export const drawnManager = /^pulumi-kubernetes-[0-9a-f]+$/;

/** Fields of an object that another field manager owns. */
interface Conflict {
  readonly fields: readonly string[];
  /** Name of the field manager, without the API version and the time in the message. */
  readonly manager: string;
}

/** Environment variable with which Pulumi's provider overwrites fields of other field managers. */
export const forcing = { PULUMI_K8S_ENABLE_PATCH_FORCE: "true" } as const;
const force = Object.entries(forcing).flat().join("=");

/** Matches the start of a conflict in the cluster's message. A list of fields may follow. */
const begins = /conflicts? with "([^"]+)"([^:\n]*):/;

/**
 * Explains the field manager conflicts in an error message, and what to do: one text for each
 * conflict. Empty if the message contains no conflict.
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
