import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseAllDocuments } from "yaml";

/** A Kubernetes object of a golden manifest. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests read manifests by path
export type Manifest = any;

const directory = join(import.meta.dirname, "..", "..", "golden");

/** Names of the golden manifests. */
export const goldens: readonly string[] = readdirSync(directory)
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => basename(file, ".yaml"))
  .sort();

/** Returns the Kubernetes objects of a golden manifest, in the form that the API server accepts. */
export function objectsOf(golden: string): readonly Manifest[] {
  const text = readFileSync(join(directory, `${golden}.yaml`), "utf8");
  return parseAllDocuments(text)
    .map((document): Manifest => document.toJS())
    .filter(({ apiVersion }) => apiVersion !== undefined)
    .map((object: Manifest) => {
      // In a golden manifest, an object has no name if Pulumi generates the name. Here, the API
      // server generates the name instead.
      if (object.metadata.name === undefined) object.metadata.generateName = "golden-";
      // Removes a Secret's data, because a golden manifest contains placeholders instead of the
      // random values.
      if (object.kind === "Secret") delete object.data;
      return object;
    });
}

/** Returns the pod that an object creates. Undefined if the object creates no pod. */
export function podOf(object: Manifest): Manifest {
  const { spec = {} } = object;
  const template = spec.jobTemplate?.spec.template ?? spec.template;
  if (template === undefined) return undefined;
  const claims = (spec.volumeClaimTemplates ?? []).map((claim: Manifest) => ({
    name: claim.metadata.name,
    persistentVolumeClaim: { claimName: claim.metadata.name },
  }));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...template.metadata,
      generateName: "golden-",
      namespace: object.metadata.namespace,
    },
    spec: { ...template.spec, volumes: [...(template.spec.volumes ?? []), ...claims] },
  };
}
