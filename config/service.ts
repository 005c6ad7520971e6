/**
 * Name of the service that this repository ships. Deployment, Service, image and Pulumi project
 * have this name, and every other name begins with this name.
 */
export const service = "services-orders";

/** Directory of the service's database migrations. */
export const migrationsDirectory = "service/src/main/resources/db/migration";
