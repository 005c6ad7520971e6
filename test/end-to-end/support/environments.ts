import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import {
  type ClusterCiRoleName,
  clusterGroup,
  reviewGroup,
  reviewUser,
} from "../../../components/conventions/ci-roles";
import { net } from "../../../sandbox/layout";
import { environment } from "../../../sandbox/environment";
import type { Moto } from "../aws/moto";
import { startMoto } from "../aws/moto";
import { PrivateRegistry } from "../aws/private-registry";
import { Clone } from "./clone";
import { kubectl, type Run, type RunOptions } from "./commands";
import { databases, fillSecret, startDatabases } from "./databases";
import { PlatformStack } from "../aws/platform-stack";

type Config = Readonly<Record<string, unknown>>;

/**
 * The job whose permissions a command has: the purpose of the job's IAM role or, for a job of a
 * review stack, the branch.
 */
export type Who = ClusterCiRoleName | { readonly branch: string };

/**
 * Domain of staging and production. Stack `local` uses the same ingress controller, so stack
 * `local` must have another domain.
 */
const domain = "rehearsal.localhost";

/**
 * Values that replace the values of the committed stack settings files. The comments below give the
 * reasons.
 */
const overridden = {
  platform: {
    // The sandbox has only one cluster. This cluster contains all environments.
    clusters: [{ environments: ["review", "staging", "prod"], name: "sandbox" }],
    reviewDomain: "localhost",
    // The address at which a Datadog agent of the sandbox would listen.
    reviewEgressCidrs: [`${net.nodeAddress}/32`],
    reviewIngressCidrs: [`${net.outsideAddress}/32`],
    reviewIngressClassName: "traefik",
  },
  // `quickStart` is true, because the machine of the sandbox may have only two cores, and starts
  // many pods. `quickRollout` is true in staging, because only production's updates must show that
  // its own values lose no request.
  prod: {
    databaseHost: databases.prod.host,
    // The PostgreSQL database that replaces RDS has no certificate.
    databaseSslMode: "disable",
    // The database is a pod. The addresses of pods in the sandbox are not private addresses, so the
    // default value does not allow connections to these pods.
    databaseTo: [
      {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": databases.namespace } },
      },
    ],
    domain,
    eksCluster: "none",
    quickStart: true,
  },
  staging: {
    databaseHost: databases.staging.host,
    databaseSslMode: "disable",
    domain,
    eksCluster: "none",
    quickRollout: true,
    quickStart: true,
  },
};

/**
 * Change to staging's settings that removes the key `imageRepository`, because SANDBOX_REGISTRY
 * names the registry of the images.
 */
const openRegistry = { imageRepository: undefined };

/**
 * Fixture: the platform, staging and production on the sandbox. The settings come from the
 * committed stack settings files, except for the keys that `make` prints. In the cluster, each
 * command has only the permissions of one job. moto replaces AWS, and PostgreSQL pods outside of
 * the stacks replace RDS.
 */
export class Environments {
  readonly #kubeconfigs = mkdtempSync(join(tmpdir(), "services-orders-kubeconfigs-"));
  /** What all commands have printed so far. */
  readonly printed: string[] = [];

  private constructor(
    readonly clone: Clone,
    readonly moto: Moto,
    readonly platform: PlatformStack,
    readonly secretValue: string,
    /** The stand-in for ECR. Undefined if the images are in the sandbox's registry. */
    readonly registry: PrivateRegistry | undefined,
  ) {}

  /**
   * Creates the fixture and starts moto. `prepare` then deploys the platform.
   *
   * @param secretValue password of production's database
   * @param images where the images are: in a stand-in for ECR, or in the sandbox's open registry
   */
  static async make(secretValue: string, images: "ECR" | "open" = "open"): Promise<Environments> {
    const moto = await startMoto(environment()["PATH"] ?? "");
    const registry = images === "ECR" ? await PrivateRegistry.start(moto) : undefined;
    const clone = await Clone.make(registry?.env);
    const staging = { ...overridden.staging, ...(registry === undefined ? openRegistry : {}) };
    fit(clone, "staging", staging);
    fit(clone, "prod", overridden.prod);
    await clone.commit("Environments on the sandbox");
    await clone.push("main");
    const vpc = ["--resources-vpc-config", "subnetIds=subnet-1,subnet-2"];
    const role = ["--role-arn", "arn:aws:iam::123456789012:role/cluster"];
    await moto.aws("eks", "create-cluster", "--name", "sandbox", ...role, ...vpc);
    // A killed test run may have left its namespaces.
    await deleteNamespaces();
    const platform = new PlatformStack(moto, overridden.platform);
    await platform.init();
    for (const [file, keys] of Object.entries({ ...overridden, staging })) {
      console.log(`      overridden in ${file}: ${Object.keys(keys).join(", ")}`);
    }
    console.log("      secrets provider: a passphrase instead of KMS; requests: 20m CPU, 384Mi");
    return new Environments(clone, moto, platform, secretValue, registry);
  }

  /** Deploys the platform, and creates what the stacks need: databases and their Secrets. */
  async prepare(): Promise<void> {
    await this.platform.run("up");
    await startDatabases(this.secretValue);
    await fillSecret("services-orders-staging", "staging");
    await fillSecret("services-orders", this.secretValue);
  }

  /** Runs one of the project's commands with the permissions of a job. */
  async run(
    who: Who,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    when?: RunOptions["when"],
  ): Promise<Run> {
    const run = await this.clone.npm(args, { ...this.rightsOf(who), ...env }, when);
    this.printed.push(run.output);
    return run;
  }

  /** Runs `pulumi` itself with the permissions of a job, and returns the output. */
  async pulumi(who: Who, ...args: string[]): Promise<string> {
    const output = await this.clone.pulumi(args, this.clone.directory, this.rightsOf(who));
    this.printed.push(output);
    return output;
  }

  /**
   * Writes a kubeconfig that impersonates a job, with the user and the group that EKS would give to
   * the job. Returns the environment variable KUBECONFIG.
   */
  rightsOf(who: Who): { readonly KUBECONFIG: string } {
    const [name, as, group] =
      typeof who === "string"
        ? [who, `${clusterGroup(who)}:rehearsal`, clusterGroup(who)]
        : ["review", reviewUser(who.branch), reviewGroup(String(this.#projectId))];
    const config = parse(readFileSync(environment()["KUBECONFIG"] ?? "", "utf8")) as {
      users: { user: object }[];
    };
    const users = config.users.map((entry) => ({
      ...entry,
      user: { ...entry.user, as, "as-groups": [group, "system:authenticated"] },
    }));
    const file = join(this.#kubeconfigs, `${name}-${Buffer.from(as).toString("hex").slice(-40)}`);
    writeFileSync(file, stringify({ ...config, users }), { mode: 0o600 });
    return { KUBECONFIG: file };
  }

  get #projectId(): unknown {
    return this.platform.config["services-orders-platform:circleciProjectId"];
  }

  /**
   * Removes all environments. The project's commands refuse to remove protected resources, so this
   * method uses kubectl and `pulumi` itself.
   */
  async remove(): Promise<void> {
    await deleteNamespaces();
    await this.platform.remove();
    await this.registry?.stop();
    await this.moto.stop();
    this.clone.remove();
    rmSync(this.#kubeconfigs, { force: true, recursive: true });
  }
}

/**
 * Deletes the namespaces of production, of staging, of the databases, and of the review stacks
 * whose slug begins with `env-`. Ignores namespaces that do not exist.
 */
async function deleteNamespaces(): Promise<void> {
  const there = (await kubectl(["get", "namespaces", "-o", "name"])).split("\n");
  const reviews = there.filter((name) => name.startsWith("namespace/services-orders-review-env-"));
  const own = ["services-orders", "services-orders-staging", databases.namespace];
  const namespaces = [...own.map((name) => `namespace/${name}`), ...reviews];
  await kubectl(["delete", ...namespaces, "--ignore-not-found", "--timeout=180s"]);
}

/**
 * Changes keys of a stack's settings file in the clone. Removes a key whose value is `undefined`.
 */
function fit(clone: Clone, stack: string, keys: Config): void {
  const file = join(clone.directory, `Pulumi.${stack}.yaml`);
  const { config } = parse(readFileSync(file, "utf8")) as { config: Config };
  const named = Object.entries(keys).map(([key, value]) => [`services-orders:${key}`, value]);
  const whole = { ...config, ...(Object.fromEntries(named) as Config) };
  // The written file does not name a KMS key, so Pulumi encrypts with the sandbox's passphrase.
  writeFileSync(file, stringify({ config: JSON.parse(JSON.stringify(whole)) as Config }));
}
