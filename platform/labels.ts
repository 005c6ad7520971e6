import { service } from "../config/service";

/**
 * Labels of the objects that the platform creates in a cluster. Namespaces have the labels of their
 * stack instead. After someone has killed an update, `npm run platform` adopts an existing object
 * only if the object has these labels.
 */
export const platformLabels = {
  "app.kubernetes.io/instance": `${service}-platform`,
  "app.kubernetes.io/managed-by": "pulumi",
  "app.kubernetes.io/part-of": service,
};
