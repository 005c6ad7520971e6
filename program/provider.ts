import * as k8s from "@pulumi/kubernetes";
import { withoutAmbientKubeconfig } from "../components/conventions/ambient-kubeconfig";
import type { Settings } from "../settings";

/** The only Kubernetes provider. Without a kubeconfig and a context it uses the ambient ones. */
export function kubernetesProvider(
  { context }: Settings,
  kubeconfig: string | undefined,
): k8s.Provider {
  const args = {
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  };
  return withoutAmbientKubeconfig(() => new k8s.Provider("kubernetes", args));
}
