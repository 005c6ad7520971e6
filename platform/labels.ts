import { service } from "../config/service";

/**
 * Labels of every object that the platform has in a cluster, except the namespaces, which have
 * their stack's labels. If someone kills an update, the next update adopts only objects that have
 * these labels.
 */
export const platformLabels = {
  "app.kubernetes.io/instance": `${service}-platform`,
  "app.kubernetes.io/managed-by": "pulumi",
  "app.kubernetes.io/part-of": service,
};
