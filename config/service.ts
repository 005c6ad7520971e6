/**
 * Name of the service that this repository ships. Deployment, Service, image and Pulumi project
 * have this name, and every other name begins with this name.
 */
export const service = "services-orders";
