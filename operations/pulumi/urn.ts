// A URN has the form urn:pulumi:<stack>::<project>::<types of the parents>$<type>::<name>.

/** Type of a resource, such as `kubernetes:apps/v1:Deployment`. */
export function typeIn(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

/** Name of a resource in the Pulumi program. */
export function nameIn(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

/** Short type and name of a resource, such as `Deployment web`. */
export function titleIn(urn: string): string {
  return `${typeIn(urn).split(":").at(-1) ?? ""} ${nameIn(urn)}`.trim();
}
