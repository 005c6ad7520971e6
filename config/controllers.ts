/**
 * Field managers of controllers: programs whose normal work is to change objects. A change by a
 * tool that is not in this list, and that is not Pulumi, is drift. Add the controllers that your
 * clusters run. To see the field managers of an object, run
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
