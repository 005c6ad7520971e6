/** Fields of one object: the one at `path`, and everything below it. */
export interface Field {
  /** Kind of the object, such as `Deployment`. */
  readonly kind: string;
  /**
   * Path as Pulumi writes it, such as `spec.template.spec.containers[*].env[name=PORT]` or
   * `metadata.labels["app.kubernetes.io/name"]`: `[*]` is any element of a list, `[name=X]` the one
   * that has this name. Empty: the object itself, which the arg makes or takes away.
   */
  readonly path: string;
}

/** Fields by arg; `overrides` by each of its specs, such as `overrides.podSpec`. */
export type FieldsOfArgs = Readonly<Record<string, readonly Field[]>>;

/** Fields of objects of one kind. */
export function of(kind: string, ...paths: readonly string[]): readonly Field[] {
  return paths.map((path) => ({ kind, path }));
}

/** The same fields of objects of several kinds. */
export function all(kinds: readonly string[], ...paths: readonly string[]): readonly Field[] {
  return kinds.flatMap((kind) => of(kind, ...paths));
}

/** Each path after each of the prefixes. */
export function under(prefixes: readonly string[], ...paths: readonly string[]): readonly string[] {
  return prefixes.flatMap((prefix) => paths.map((path) => `${prefix}.${path}`));
}

export function named(list: string, ...names: readonly string[]): readonly string[] {
  return names.map((name) => `${list}[name=${name}]`);
}

const selecting = ["instance", "name"].map((key) => `["app.kubernetes.io/${key}"]`);
/** Labels that the identity decides, of every object. */
export const identityLabels = [
  ...["app", "protected_branch", "service"].map((key) => `metadata.labels.${key}`),
  ...[...selecting, '["app.kubernetes.io/part-of"]'].map((key) => `metadata.labels${key}`),
];
/** The same for what carries the release too. */
export const workloadIdentityLabels = [
  ...identityLabels,
  ...["env", "service"].map((key) => `metadata.labels["tags.datadoghq.com/${key}"]`),
];
/** Labels that the release decides. */
export const releaseLabels = [
  ...["branch", "commit_id", "version"].map((key) => `metadata.labels.${key}`),
  'metadata.labels["tags.datadoghq.com/version"]',
];
