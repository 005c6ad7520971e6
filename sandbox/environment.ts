import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile, replaceLink } from "../lib/replace";
import { program } from "./install/download-or-build";
import { imageRef } from "./install/images";
import { kubectlEnvironment, net, options, paths, registryName } from "./layout";
import { versions } from "./install/parts";

/**
 * Prepares Pulumi's directories: links to the provider plugins, and the state. It also writes the
 * buildx configuration in which Pulumi's Docker Build provider finds BuildKit.
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

/** Environment variables with which `pulumi` and `kubectl` in a shell use the sandbox. */
export function environment(): Record<string, string> {
  const chosen = options();
  const parts = chosen.kubeconfig === undefined ? ["pulumi", "kubernetes"] : ["pulumi"];
  const bin = parts.map((part) => dirname(program(part)));
  return {
    PATH: [...bin, process.env["PATH"] ?? ""].join(":"),
    KUBECONFIG:
      chosen.context === undefined
        ? (chosen.kubeconfig ?? paths.kubeconfig)
        : paths.givenKubeconfig,
    PULUMI_HOME: paths.pulumiHome,
    PULUMI_BACKEND_URL: `file://${paths.pulumiState}`,
    // A passphrase would protect nothing: the state is in the same directory as the cluster with
    // its secrets, and only root can read this directory. With an empty passphrase, everyone can
    // use the same Pulumi.local.yaml.
    PULUMI_CONFIG_PASSPHRASE: "",
    // The editor and `npm run check` check the types, so Pulumi does not check them again.
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    BUILDX_CONFIG: paths.buildx,
    BUILDX_BUILDER: "sandbox",
    SANDBOX_REGISTRY: registryName(chosen),
    SANDBOX_BASE_IMAGE: imageRef("jre"),
    SANDBOX_POSTGRES_IMAGE: imageRef("postgres"),
    // These replace the company's values for review stacks: the sandbox has no AWS and no
    // certificate.
    SANDBOX_DOMAIN: "localhost",
    SANDBOX_EKS_CLUSTER: "none",
    SANDBOX_INGRESS_PRESET: "none",
    SANDBOX_SECRETS_PROVIDER: "passphrase",
    SANDBOX_TLS: "false",
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
