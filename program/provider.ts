import * as k8s from "@pulumi/kubernetes";
import { withoutAmbientKubeconfig } from "../components/conventions/ambient-kubeconfig";
import { defined } from "../components/conventions/with-defaults";
import type { Settings } from "../settings";

/**
 * Creates the only Kubernetes provider of the program. If `kubeconfig` is undefined, the provider
 * uses the ambient kubeconfig (`KUBECONFIG` or `~/.kube/config`). If the settings contain no
 * context, the provider uses the current context of the kubeconfig.
 */
export function kubernetesProvider(
  { context }: Settings,
  kubeconfig: string | undefined,
): k8s.Provider {
  const args = defined({ context, kubeconfig });
  return withoutAmbientKubeconfig(() => new k8s.Provider("kubernetes", args));
}
