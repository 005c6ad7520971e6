import * as k8s from "@pulumi/kubernetes";
import { withoutAmbientKubeconfig } from "../components/conventions/ambient-kubeconfig";
import { defined } from "../components/conventions/with-defaults";
import type { Settings } from "../settings";

/** The only Kubernetes provider. Without a kubeconfig and a context it uses the ambient ones. */
export function kubernetesProvider(
  { context }: Settings,
  kubeconfig: string | undefined,
): k8s.Provider {
  const args = defined({ context, kubeconfig });
  return withoutAmbientKubeconfig(() => new k8s.Provider("kubernetes", args));
}
