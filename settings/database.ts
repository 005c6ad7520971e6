import { postgres, privatePeers, sslModes } from "../components/conventions/defaults";
import { service } from "../config/service";
import { environments } from "../environments";
import * as forms from "./forms";
import { text } from "./forms";
import { setting } from "./setting";

/** Public image of the ephemeral database: PostgreSQL 17, all platforms. */
const publicPostgres =
  "postgres@sha256:d74eeac9a635390a49bc21bd49fccd973de707e2a53a76ac49b552b8712ec46f";

/** Settings of the database, in alphabetical order. */
export const databaseSettings = {
  databaseConnections: setting({
    ...forms.integer(1, 100_000),
    default: ({ environment }) =>
      environments[environment].data === "own" ? postgres.connections : undefined,
    description:
      "Connections that the database allows this service. If all pods of a rollout need more, the preview fails. Without this setting, the preview does not check the connections.",
  }),
  databaseHost: setting({
    ...text("a host name", /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/),
    description: "Host of the database, if the stack does not create a database.",
  }),
  databaseImageRef: setting({
    ...forms.imageRef,
    default: () => publicPostgres,
    description: "Image of the ephemeral PostgreSQL database.",
    env: "SANDBOX_POSTGRES_IMAGE",
  }),
  databaseName: setting({
    ...text("the name of a database", /^[a-z_][a-z0-9_]{0,62}$/),
    default: () => postgres.databaseName,
    description: "Name of the database on databaseHost.",
  }),
  databasePort: setting({
    ...forms.port,
    default: () => postgres.port,
    description: "Port of databaseHost.",
  }),
  databaseSecretName: setting({
    ...forms.secretName,
    default: () => `${service}-database`,
    description:
      "Secret with the keys `username` and `password` for databaseHost. To verify the server, the Secret also needs the key `ca.crt`. Create the Secret before the first update of the stack.",
  }),
  databaseSslMode: setting({
    ...forms.oneOf(...sslModes),
    default: () => "verify-full" as const,
    description:
      "PostgreSQL's `sslmode` for databaseHost. The modes `verify-ca` and `verify-full` need the key `ca.crt` in databaseSecretName.",
  }),
  databaseTo: setting({
    ...forms.peers,
    default: () => privatePeers,
    description:
      "Addresses of databaseHost, such as the subnets of RDS. A canary's pods connect to databasePort at these addresses only.",
  }),
} as const;
