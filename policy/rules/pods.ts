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

/** Returns the pod spec of an object. Undefined if objects of this kind have no pod spec. */
export function podSpec({ kind, props, type }: Declared): Located | undefined {
  const path = type.startsWith("kubernetes:") ? templatePaths[kind] : undefined;
  return path === undefined ? undefined : { path: path.join("."), value: at(props, ...path) };
}

/** Returns every container in an object's pod spec, including init containers and sidecars. */
export function containers(object: Declared): readonly Located[] {
  const spec = podSpec(object);
  if (spec === undefined) return [];
  return ["initContainers", "containers", "ephemeralContainers"].flatMap((key) =>
    elements(spec.value, spec.path, key),
  );
}
