import { environments } from "../environments";
import type { Settings } from "../settings";
import type { ClusterFacts, ReadCluster } from "./cluster";
import { eksKubeconfig } from "./eks";
import { refuseForeign } from "./ownership";

/**
 * Checks the cluster and the stack's namespace before the program creates any resource. Returns the
 * facts about the cluster, and its kubeconfig if the cluster is on EKS.
 *
 * @throws pulumi.RunError if the cluster does not answer, if it is the wrong cluster, or if the
 * namespace does not belong to the stack.
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
