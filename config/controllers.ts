/**
 * Field managers of controllers: programs whose task is to change objects. If neither Pulumi nor a
 * controller in this list makes a change, the change is drift. Add the controllers that your
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
