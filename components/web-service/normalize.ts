import { migration, webService as defaults } from "../conventions/defaults";
import { withDefaults } from "../conventions/with-defaults";
import type { WebServiceArgs } from "./args";

/**
 * The args with all defaults. The code that creates the objects reads these args. Some checks also
 * need the caller's args, without the defaults.
 */
export type WebServiceInputs = ReturnType<typeof normalize>;

/** Whether health and metrics have a separate port. */
export function hasManagementPort({ managementPort, port }: WebServiceInputs): boolean {
  return managementPort !== port;
}

/**
 * Returns the args with all defaults, including defaults that depend on other args. Does not change
 * `args`.
 */
export function normalize(args: WebServiceArgs) {
  const { autoscaling, database, host, publicPort } = args;
  const web = withDefaults(args, defaults);
  const allHosts = [...(host === undefined ? [] : [{ host }]), ...(args.hosts ?? [])];
  const port = publicPort === undefined ? "" : `:${String(publicPort)}`;
  const [first] = allHosts;
  const url = first && `${web.tls ? "https" : "http"}://${first.host}${port}/`;
  const { appEndpoint = url } = args;
  const { migrationArgs = database === undefined ? [] : migration.args } = args;
  // With an autoscaler, `replicas` is the number of pods that a new Deployment starts with.
  const { replicas = autoscaling?.minReplicas ?? defaults.replicas } = args;
  return { ...web, allHosts, appEndpoint, migrationArgs, replicas, url };
}
