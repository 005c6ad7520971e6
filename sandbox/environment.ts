import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile, replaceLink } from "../lib/replace";
import { program } from "./install/download-or-build";
import { imageRef } from "./install/images";
import { kubectlEnvironment, net, options, paths, registryName } from "./layout";
import { goarch, versions } from "./install/parts";

/**
 * Creates Pulumi's directories: a directory with links to the provider plugins, and a directory for
 * the states of the stacks. This function also writes a buildx configuration with the address of
 * BuildKit. Pulumi's Docker Build provider reads this configuration.
 */
export function prepareEngine(): void {
  for (const [name, version] of [
    ["kubernetes", versions.kubernetesProvider],
    ["docker-build", versions.dockerBuildProvider],
  ] as const) {
    const directory = join(paths.pulumiHome, "plugins", `resource-${name}-v${version}`);
    mkdirSync(directory, { recursive: true });
    const link = join(directory, `pulumi-resource-${name}`);
    replaceLink(link, program(`resource-${name}`));
  }
  mkdirSync(paths.pulumiState, { recursive: true });
  const instances = join(paths.buildx, "instances");
  mkdirSync(instances, { recursive: true });
  const Endpoint = `unix://${paths.buildkitSocket}`;
  const unset = { Platforms: null, DriverOpts: null, Flags: null, Files: null };
  const Nodes = [{ Name: "sandbox0", Endpoint, ...unset }];
  const builder = { Name: "sandbox", Driver: "remote", Nodes, Dynamic: false };
  replaceFile(join(instances, "sandbox"), JSON.stringify(builder));
}

/** Environment variables of stack `local` that are the same in every cluster. */
export const ofStackLocal = {
  // A passphrase would protect nothing: anyone who can read the state can also read the credentials
  // of the cluster, because both are files of the developer. All developers have the same empty
  // passphrase, so every developer can use the committed Pulumi.local.yaml.
  PULUMI_CONFIG_PASSPHRASE: "",
  PULUMI_SKIP_UPDATE_CHECK: "true",
  // These values replace the company's values for review stacks, because a developer's cluster does
  // not run in AWS and has no TLS certificate.
  SANDBOX_DOMAIN: "localhost",
  SANDBOX_EKS_CLUSTER: "none",
  SANDBOX_INGRESS_PRESET: "none",
  SANDBOX_SECRETS_PROVIDER: "passphrase",
  SANDBOX_TLS: "false",
} as const;

/**
 * Returns the environment variables that make `pulumi` and `kubectl` in a shell use the sandbox.
 */
export function environment(): Record<string, string> {
  const chosen = options();
  const parts = chosen.kubeconfig === undefined ? ["pulumi", "kubernetes"] : ["pulumi"];
  const bin = parts.map((part) => dirname(program(part)));
  return {
    ...ofStackLocal,
    PATH: [...bin, process.env["PATH"] ?? ""].join(":"),
    KUBECONFIG:
      chosen.context === undefined
        ? (chosen.kubeconfig ?? paths.kubeconfig)
        : paths.givenKubeconfig,
    PULUMI_HOME: paths.pulumiHome,
    PULUMI_BACKEND_URL: `file://${paths.pulumiState}`,
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    BUILDX_CONFIG: paths.buildx,
    BUILDX_BUILDER: "sandbox",
    SANDBOX_REGISTRY: registryName(chosen),
    SANDBOX_BASE_IMAGE: imageRef("jre"),
    SANDBOX_POSTGRES_IMAGE: imageRef("postgres"),
    SANDBOX_PLATFORMS: `linux/${goarch}`,
    ...(chosen.kubeconfig === undefined
      ? {
          ...kubectlEnvironment(),
          SANDBOX_DATADOG_AGENT_TO: JSON.stringify([
            { ipBlock: { cidr: `${net.nodeAddress}/32` } },
          ]),
          SANDBOX_INGRESS_FROM: JSON.stringify([{ ipBlock: { cidr: `${net.outsideAddress}/32` } }]),
          SANDBOX_INGRESS_PORT: String(chosen.ingressPort),
        }
      : {}),
  };
}
