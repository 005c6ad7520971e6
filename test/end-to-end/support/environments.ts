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
import { Clone } from "./clone";
import { kubectl, type Run, type RunOptions } from "./commands";
import { databases, fillSecret, startDatabases } from "./databases";
import { PlatformStack } from "../aws/platform-stack";

type Config = Readonly<Record<string, unknown>>;

/** The job that does something: with the role of a purpose, or with that of a branch. */
export type Who = ClusterCiRoleName | { readonly branch: string };

/** Domain of staging and production: stack `local` has its host on the same ingress controller. */
const domain = "rehearsal.localhost";

/** Keys of the committed files that say otherwise here, and why. */
const overridden = {
  platform: {
    // The sandbox is one cluster with everything in it.
    clusters: [{ environments: ["review", "staging", "prod"], name: "sandbox" }],
    reviewDomain: "localhost",
    // Where the sandbox would have the agent of Datadog.
    reviewEgressCidrs: [`${net.nodeAddress}/32`],
    reviewIngressCidrs: [`${net.outsideAddress}/32`],
    reviewIngressClassName: "traefik",
  },
  // The sandbox has two cores, and starts many pods.
  prod: {
    databaseHost: databases.prod.host,
    // The stand-in of RDS has no certificate.
    databaseSslMode: "disable",
    domain,
    eksCluster: "none",
    quickStart: true,
  },
  staging: {
    databaseHost: databases.staging.host,
    databaseSslMode: "disable",
    domain,
    eksCluster: "none",
    // Taken out: SANDBOX_REGISTRY says where images are pushed.
    imageRepository: undefined,
    quickStart: true,
  },
};

/**
 * Fixture: the platform, staging and production on the sandbox, as the committed files say, except
 * for what is printed. Each command runs with its role's cluster rights.
 * AWS is moto; RDS is a PostgreSQL outside of the stacks.
 */
export class Environments {
  readonly #kubeconfigs = mkdtempSync(join(tmpdir(), "services-orders-kubeconfigs-"));
  /** Everything that commands have printed. */
  readonly printed: string[] = [];

  private constructor(
    readonly clone: Clone,
    readonly moto: Moto,
    readonly platform: PlatformStack,
    readonly secretValue: string,
  ) {}

  /** @param secretValue password of production's database */
  static async make(secretValue: string): Promise<Environments> {
    const clone = await Clone.make();
    fit(clone, "staging", overridden.staging);
    fit(clone, "prod", overridden.prod);
    await clone.commit("Environments on the sandbox");
    await clone.push("main");
    const moto = await startMoto(environment()["PATH"] ?? "");
    const vpc = ["--resources-vpc-config", "subnetIds=subnet-1,subnet-2"];
    const role = ["--role-arn", "arn:aws:iam::123456789012:role/cluster"];
    await moto.aws("eks", "create-cluster", "--name", "sandbox", ...role, ...vpc);
    const platform = new PlatformStack(moto, overridden.platform);
    await platform.init();
    for (const [file, keys] of Object.entries(overridden)) {
      console.log(`      overridden in ${file}: ${Object.keys(keys).join(", ")}`);
    }
    console.log("      secrets provider: a passphrase instead of KMS; requests: 20m CPU, 384Mi");
    return new Environments(clone, moto, platform, secretValue);
  }

  /** The platform, and what is there before the stacks: databases and their Secrets. */
  async prepare(): Promise<void> {
    await this.platform.run("up");
    await startDatabases(this.secretValue);
    await fillSecret("services-orders-staging", "staging");
    await fillSecret("services-orders", this.secretValue);
  }

  /** Runs one of the project's commands with the rights of a role. */
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

  /** Plain `pulumi` with the rights of a role. */
  async pulumi(who: Who, ...args: string[]): Promise<string> {
    const output = await this.clone.pulumi(args, this.clone.directory, this.rightsOf(who));
    this.printed.push(output);
    return output;
  }

  /** A kubeconfig that impersonates: the API server knows the job as EKS would name it. */
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

  /** Removes everything, also what is protected: our own commands cannot remove that. */
  async remove(): Promise<void> {
    const there = (await kubectl(["get", "namespaces", "-o", "name"])).split("\n");
    const reviews = there.filter((name) =>
      name.startsWith("namespace/services-orders-review-env-"),
    );
    const own = ["services-orders", "services-orders-staging", databases.namespace];
    const namespaces = [...own.map((name) => `namespace/${name}`), ...reviews];
    await kubectl(["delete", ...namespaces, "--ignore-not-found", "--timeout=180s"]);
    await this.platform.remove();
    await this.moto.stop();
    this.clone.remove();
    rmSync(this.#kubeconfigs, { force: true, recursive: true });
  }
}

/** Changes keys of a committed file in the clone. Undefined takes a key out. */
function fit(clone: Clone, stack: string, keys: Config): void {
  const file = join(clone.directory, `Pulumi.${stack}.yaml`);
  const { config } = parse(readFileSync(file, "utf8")) as { config: Config };
  const named = Object.entries(keys).map(([key, value]) => [`services-orders:${key}`, value]);
  const whole = { ...config, ...(Object.fromEntries(named) as Config) };
  // Without its line for KMS, the stack is encrypted by the sandbox's passphrase.
  writeFileSync(file, stringify({ config: JSON.parse(JSON.stringify(whole)) as Config }));
}
