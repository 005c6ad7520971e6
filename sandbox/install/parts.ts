import { arch } from "node:os";
import { UserError } from "../../lib/errors";

/** Name that Go and Kubernetes use for the architecture of this machine. */
export const goarch: "amd64" | "arm64" = (() => {
  const names: Partial<Record<string, "amd64" | "arm64">> = { x64: "amd64", arm64: "arm64" };
  const name = names[arch()];
  if (name !== undefined) return name;
  throw new UserError(`the sandbox needs an amd64 or arm64 machine, but this machine is ${arch()}`);
})();

/** A file that the publisher of a part offers, and that must have the published checksum. */
export interface Download {
  readonly url: string;
  /** URL of a file with one SHA-256, or with lines of the form `<SHA-256>  <file name>`. */
  readonly checksums: string;
  /**
   * For an archive: the path of each executable in the archive, with the name of the executable in
   * the part. For a single executable: the name of the executable in the part.
   */
  readonly take: Readonly<Record<string, string>> | string;
}

/** One `go build` of a Go package. The go.mod and go.sum for the build are in modules/<module>. */
export interface Build {
  readonly module: string;
  /** Go package to build. `.` is the main package in modules/<module>. */
  readonly package: string;
  readonly output: string;
  /** Go variables that the publisher sets in the build of a release, such as the version. */
  readonly set?: Readonly<Record<string, string>>;
  /** Names of symbolic links to the executable, if the executable contains several programs. */
  readonly alsoAs?: readonly string[];
  /**
   * Replaces one file of a published module during the build, to leave out code that the sandbox
   * does not need. `module` is the published module, and `of` is the file to replace. `take` is the
   * new file, in the directory of the build's go.mod.
   */
  readonly instead?: Readonly<Record<"module" | "of" | "take", string>>;
  /** Files that the sandbox must create before the build. */
  readonly prepare?: "kubernetes-provider-schema";
  /**
   * Scripts that the sandbox copies into the directory of the executable. `from` is a directory of
   * the published module `module` or, without `module`, of the build's own module.
   */
  readonly scripts?: {
    readonly module?: string;
    readonly from: string;
    readonly names: readonly string[];
  };
}

/** Programs that the sandbox downloads or builds, because Debian has no packages for them. */
export interface Part {
  readonly name: string;
  readonly title: string;
  readonly version: string;
  /** Names of all executables of the part. */
  readonly files: readonly string[];
  /** Files that the publisher offers. Undefined if no executable has a published checksum. */
  readonly downloads?: readonly Download[];
  readonly builds: readonly Build[];
}

// Some of these versions depend on each other. The Go module of Pulumi's Kubernetes provider
// requires the version of Pulumi's engine in `pulumi`. In package.json, the npm packages of Pulumi
// must have the same versions as the engine and the providers. Kubernetes 1.34 is the last version
// that starts on cgroup v1 by default, and the only version that the tests have run on cgroup v1.
export const versions = {
  pulumi: "3.215.0", // renovate: github-releases pulumi/pulumi
  kubernetesProvider: "4.25.0", // renovate: github-releases pulumi/pulumi-kubernetes
  dockerBuildProvider: "0.0.22", // renovate: github-releases pulumi/pulumi-docker-build
  kubernetes: "1.34.4", // renovate: github-releases kubernetes/kubernetes
  buildkit: "0.25.0", // renovate: github-releases moby/buildkit
  traefik: "3.6.0", // renovate: github-releases traefik/traefik
  coredns: "1.14.1", // renovate: github-releases coredns/coredns
  metricsServer: "0.8.0", // renovate: github-releases kubernetes-sigs/metrics-server
  localPathProvisioner: "0.0.30", // renovate: github-releases rancher/local-path-provisioner
  networkPolicies: "0.8.0", // renovate: github-releases kubernetes-sigs/kube-network-policies
  kubeScore: "1.20.0", // renovate: github-releases zegl/kube-score
  helm: "3.19.5", // renovate: github-releases helm/helm
  versitygw: "1.7.0", // renovate: github-releases versity/versitygw
} as const;

/** Returns the description of a file of a GitHub release. */
export function githubDownload(
  repository: string,
  version: string,
  file: string,
  take: Download["take"],
  checksums = `${file}.sha256`,
): Download {
  const release = `https://github.com/${repository}/releases/download/v${version}`;
  return { url: `${release}/${file}`, checksums: `${release}/${checksums}`, take };
}

/**
 * Returns the description of a part with one program. By default, the sandbox builds the program
 * from the directory in modules/ that has the name of the part.
 */
export function programPart(
  name: string,
  title: string,
  version: string,
  build: Partial<Build>,
  ...downloads: readonly Download[]
): Part {
  return {
    name,
    title,
    version,
    files: [name],
    ...(downloads.length === 0 ? {} : { downloads }),
    builds: [{ module: name, package: ".", output: name, ...build }],
  };
}

/** Returns the description of a part with a Pulumi provider. */
function providerPart(name: string, title: string, version: string, build: Build): Part {
  const program = `pulumi-resource-${name}`;
  return {
    name: `resource-${name}`,
    title,
    version,
    files: [program],
    downloads: [
      githubDownload(
        `pulumi/pulumi-${name}`,
        version,
        `${program}-v${version}-linux-${goarch}.tar.gz`,
        { [program]: program },
        `pulumi-${name}_${version}_checksums.txt`,
      ),
    ],
    builds: [build],
  };
}

const kubernetesComponents = [
  ...["kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler"],
  ...["kubectl", "kubelet"],
];
const engineScripts = ["pulumi-analyzer-policy", "pulumi-resource-pulumi-nodejs"];
const engineFiles = ["pulumi", "pulumi-language-nodejs", ...engineScripts];

export const parts: readonly Part[] = [
  {
    name: "kubernetes",
    title: "Kubernetes",
    version: versions.kubernetes,
    files: kubernetesComponents,
    downloads: kubernetesComponents.map((component) => {
      const url = `https://dl.k8s.io/release/v${versions.kubernetes}/bin/linux/${goarch}/${component}`;
      return { url, checksums: `${url}.sha256`, take: component };
    }),
    builds: [
      {
        module: "kubernetes",
        package: ".",
        output: "kube",
        set: {
          "k8s.io/component-base/version.gitVersion": `v${versions.kubernetes}`,
          "k8s.io/component-base/version.gitMajor": "1",
          "k8s.io/component-base/version.gitMinor": "34",
        },
        alsoAs: kubernetesComponents,
      },
    ],
  },
  programPart(
    "coredns",
    "CoreDNS (cluster DNS)",
    versions.coredns,
    {},
    githubDownload(
      "coredns/coredns",
      versions.coredns,
      `coredns_${versions.coredns}_linux_${goarch}.tgz`,
      { coredns: "coredns" },
    ),
  ),
  {
    name: "buildkit",
    title: "BuildKit (image builder)",
    version: versions.buildkit,
    files: ["buildkitd", "buildctl"],
    builds: ["buildkitd", "buildctl"].map((output) => ({
      module: "buildkit",
      package: `github.com/moby/buildkit/cmd/${output}`,
      output,
    })),
  },
  programPart(
    "traefik",
    "Traefik (ingress controller)",
    versions.traefik,
    {
      package: "github.com/traefik/traefik/v3/cmd/traefik",
      instead: {
        module: "github.com/go-acme/lego/v4",
        of: "providers/dns/zz_gen_dns_providers.go",
        take: "without-dns-providers.go",
      },
    },
    githubDownload(
      "traefik/traefik",
      versions.traefik,
      `traefik_v${versions.traefik}_linux_${goarch}.tar.gz`,
      { traefik: "traefik" },
      `traefik_v${versions.traefik}_checksums.txt`,
    ),
  ),
  {
    name: "pulumi",
    title: "Pulumi (engine and Node.js language host)",
    version: versions.pulumi,
    files: engineFiles,
    downloads: [
      {
        url: `https://get.pulumi.com/releases/sdk/pulumi-v${versions.pulumi}-linux-${goarch === "amd64" ? "x64" : goarch}.tar.gz`,
        checksums: `https://github.com/pulumi/pulumi/releases/download/v${versions.pulumi}/pulumi-${versions.pulumi}-checksums.txt`,
        take: Object.fromEntries(engineFiles.map((file) => [`pulumi/${file}`, file])),
      },
    ],
    builds: [
      {
        module: "pulumi",
        package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        output: "pulumi",
        set: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": `v${versions.pulumi}` },
        scripts: {
          module: "github.com/pulumi/pulumi/sdk/v3",
          from: "nodejs/dist",
          names: engineScripts,
        },
      },
      {
        // This module requires the last version of Pulumi's SDK that contains the language host.
        // This older language host also works with the newer engine.
        module: "language-host",
        package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
        output: "nodejs-language-host",
        scripts: { from: ".", names: ["pulumi-language-nodejs"] },
      },
    ],
  },
  providerPart("kubernetes", "Pulumi's Kubernetes provider", versions.kubernetesProvider, {
    module: "pulumi",
    package: ".",
    output: "pulumi-resource-kubernetes",
    set: {
      "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version":
        versions.kubernetesProvider,
    },
    // Without this replacement, the Go compiler would spend most of the build on the types of all
    // kinds of Kubernetes objects.
    instead: {
      module: "github.com/pulumi/pulumi-kubernetes/sdk/v4",
      of: "go/kubernetes/yaml/v2/kinds.go",
      take: "kinds/untyped.go",
    },
    prepare: "kubernetes-provider-schema",
  }),
  providerPart("docker-build", "Pulumi's Docker Build provider", versions.dockerBuildProvider, {
    module: "docker-build",
    package: "github.com/pulumi/pulumi-docker-build/provider/cmd/pulumi-resource-docker-build",
    output: "pulumi-resource-docker-build",
    set: { "github.com/pulumi/pulumi-docker-build/provider.Version": versions.dockerBuildProvider },
  }),
  programPart("metrics-server", "metrics-server", versions.metricsServer, {
    package: "sigs.k8s.io/metrics-server/cmd/metrics-server",
  }),
  programPart(
    "local-path-provisioner",
    "local-path-provisioner (storage class)",
    versions.localPathProvisioner,
    {
      package: "github.com/rancher/local-path-provisioner",
      set: { "main.VERSION": `v${versions.localPathProvisioner}` },
    },
  ),
  programPart(
    "kube-network-policies",
    "kube-network-policies (NetworkPolicy agent)",
    versions.networkPolicies,
    {},
  ),
];
