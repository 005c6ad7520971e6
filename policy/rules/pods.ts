import { type Declared, at, elements } from "./declared";

export interface Located {
  readonly path: string;
  readonly value: unknown;
}

const templatePaths: Readonly<Record<string, readonly string[]>> = {
  CronJob: ["spec", "jobTemplate", "spec", "template", "spec"],
  DaemonSet: ["spec", "template", "spec"],
  Deployment: ["spec", "template", "spec"],
  Job: ["spec", "template", "spec"],
  Pod: ["spec"],
  PodTemplate: ["template", "spec"],
  ReplicaSet: ["spec", "template", "spec"],
  ReplicationController: ["spec", "template", "spec"],
  StatefulSet: ["spec", "template", "spec"],
};

/** The pod spec that an object runs, if it runs pods. */
export function podSpec({ kind, props, type }: Declared): Located | undefined {
  const path = type.startsWith("kubernetes:") ? templatePaths[kind] : undefined;
  return path === undefined ? undefined : { path: path.join("."), value: at(props, ...path) };
}

/** Every container of an object's pods: init containers and sidecars too. */
export function containers(object: Declared): readonly Located[] {
  const spec = podSpec(object);
  if (spec === undefined) return [];
  return ["initContainers", "containers", "ephemeralContainers"].flatMap((key) =>
    elements(spec.value, spec.path, key),
  );
}
