/**
 * Name of the service that this repository deploys. The Deployment, the Service, the image and the
 * Pulumi project have this name. The names of most other objects begin with this name.
 */
export const service = "services-orders";

/** Directory of the service's database migrations. */
export const migrationsDirectory = "service/src/main/resources/db/migration";

/** The Java program in the image that sends the output of a command to `npm run run`. */
export const outputServer = {
  jar: "/app/services-orders.jar",
  mainClass: "com.example.orders.output.OutputServer",
} as const;
