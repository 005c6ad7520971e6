/**
 * Matches the field manager name that Pulumi's Kubernetes provider generates for each object. If
 * Pulumi was killed while it created an object, a field manager of the object in the cluster has
 * this name, but the stack's state does not contain the name.
 */
export const drawnManager = /^pulumi-kubernetes-[0-9a-f]+$/;

/** A conflict: another field manager owns these fields of an object. */
interface Conflict {
  readonly fields: readonly string[];
  /**
   * Name of the field manager, without the API version and the time that follow the name in the
   * message.
   */
  readonly manager: string;
}

/**
 * Environment variable that makes Pulumi's Kubernetes provider overwrite fields of other field
 * managers.
 */
export const forcing = { PULUMI_K8S_ENABLE_PATCH_FORCE: "true" } as const;
const force = Object.entries(forcing).flat().join("=");

/**
 * Matches the start of a conflict in the error message of the API server. A list of fields may
 * follow.
 */
const begins = /conflicts? with "([^"]+)"([^:\n]*):/;

/**
 * Returns one text for each conflict with a field manager in an error message. The text says what
 * the conflict is, and what to do. Empty if the message contains no conflict.
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
    `"${manager}" has changed ${which} in the cluster, and Pulumi does not overwrite this change. Either write the new value into the program, ` +
    `or overwrite the change: run the same command once, and put ${force} in front of it.`
  );
}
