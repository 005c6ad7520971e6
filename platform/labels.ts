import { service } from "../config/service";

/**
 * Labels of the objects that the platform creates in a cluster. Namespaces do not have these
 * labels, but the labels of their stack. After an update was killed, `npm run platform` adopts such
 * an object only if the object has these labels.
 */
export const platformLabels = {
  "app.kubernetes.io/instance": `${service}-platform`,
  "app.kubernetes.io/managed-by": "pulumi",
  "app.kubernetes.io/part-of": service,
};
