import { service } from "../config/service";

/**
 * Labels of every object that the platform has in a cluster, except the namespaces, which carry
 * their stack's labels. After a killed update, the next one adopts only objects that have them.
 */
export const platformLabels = {
  "app.kubernetes.io/instance": `${service}-platform`,
  "app.kubernetes.io/managed-by": "pulumi",
  "app.kubernetes.io/part-of": service,
};
