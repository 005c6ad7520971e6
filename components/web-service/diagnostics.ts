import { pod } from "../conventions/defaults";
import { diagnostics } from "../conventions/one-off/diagnostics";
import { memoryBytes } from "../conventions/quantities";
import type { ExtraVolume, ExtraVolumeMount } from "../pods/args";
import type { EnvVar } from "../pods/database";
import type { WebServiceInputs } from "./normalize";

const mebi = 2 ** 20;
/** Space for the names and fields of classes, and for stack traces, in a heap dump. */
const classesMebibytes = 32;

/**
 * Returns the size of the volume for diagnostics, in MiB. A reference has 8 bytes in a heap dump,
 * and usually 4 bytes in the heap. So the objects in a heap dump need at most twice as much space
 * as in the heap.
 */
function volumeMebibytes({ memoryLimit, requests }: WebServiceInputs): number {
  const memory = (memoryBytes(memoryLimit ?? requests.memory) ?? 0) / mebi;
  return Math.ceil((2 * memory * pod.maxRamPercentage) / 100) + classesMebibytes;
}

/** Returns the environment variables with the directory, the port and the size limits for dumps. */
export function diagnosticsEnv(web: WebServiceInputs): EnvVar[] {
  const { directory, port, variables } = diagnostics;
  return [
    { name: variables.directory, value: directory },
    {
      name: variables.podBytes,
      // If the container has no limit, the value is the allocatable disk space of the node.
      valueFrom: { resourceFieldRef: { resource: "limits.ephemeral-storage" } },
    },
    { name: variables.port, value: String(port) },
    { name: variables.volumeBytes, value: String(volumeMebibytes(web) * mebi) },
  ];
}

export const diagnosticsMount: ExtraVolumeMount = {
  mountPath: diagnostics.directory,
  name: diagnostics.volume,
};

/** Returns the volume for dumps. Kubernetes reserves no disk space for this volume. */
export function diagnosticsVolume(web: WebServiceInputs): ExtraVolume {
  return {
    emptyDir: { sizeLimit: `${String(volumeMebibytes(web))}Mi` },
    name: diagnostics.volume,
  };
}
