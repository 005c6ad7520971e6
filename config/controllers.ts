/**
 * Field managers of controllers: programs that change objects as their work. A change by any other
 * tool is drift. Add the controllers that your clusters run. An object shows the name:
 * `kubectl get deployment NAME --show-managed-fields -o yaml`.
 */
export const controllers: readonly string[] = [
  "cloud-controller-manager",
  "cluster-autoscaler",
  // The AWS Load Balancer Controller.
  "controller",
  "karpenter",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "traefik",
];
