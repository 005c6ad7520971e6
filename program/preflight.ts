import { environments } from "../environments";
import type { Settings } from "../settings";
import type { ClusterFacts, ReadCluster } from "./cluster";
import { eksKubeconfig } from "./eks";
import { refuseForeign } from "./ownership";

/**
 * Reads the cluster before the program creates any resource.
 *
 * @throws pulumi.RunError if it is the wrong cluster, or if the namespace does not belong to the
 * stack.
 */
export async function preflight(
  settings: Settings,
  readCluster: ReadCluster,
): Promise<{ readonly cluster: ClusterFacts; readonly kubeconfig: string | undefined }> {
  const { eksCluster, environment } = settings;
  const { clusterIdentity } = environments[environment];
  const kubeconfig = eksCluster && (await eksKubeconfig(eksCluster, clusterIdentity));
  const cluster = await readCluster({ ...settings, kubeconfig });
  refuseForeign(settings, cluster);
  return { cluster, kubeconfig };
}
