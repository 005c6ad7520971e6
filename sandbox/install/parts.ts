import { arch } from "node:os";
import { UserError } from "../../lib/errors";

/** The machine's architecture, by the name that Go and Kubernetes use. */
export const goarch: "amd64" | "arm64" = (() => {
  const names: Partial<Record<string, "amd64" | "arm64">> = { x64: "amd64", arm64: "arm64" };
  const name = names[arch()];
  if (name !== undefined) return name;
  throw new UserError(`the sandbox needs an amd64 or arm64 machine, but this is ${arch()}`);
})();

/** One official file. It is used only if it matches the checksum of its makers. */
export interface Download {
  readonly url: string;
  /** A file with one SHA-256, or with lines of `<SHA-256>  <file name>`. */
  readonly checksums: string;
  /** Executables: path inside the archive -> name here. If the file is not an archive: its name. */
  readonly take: Readonly<Record<string, string>> | string;
}

/** One `go build` of a published module; its go.mod and go.sum are in modules/<module>. */
export interface Build {
  readonly module: string;
  /** Package to build; `.` is the main package in modules/<module>. */
  readonly package: string;
  readonly output: string;
  /** Variables that the makers set when they build a release. */
  readonly set?: Readonly<Record<string, string>>;
  /** Other names by which the same file is started. */
  readonly alsoAs?: readonly string[];
  /** File of a module, and what replaces it, to leave out what the sandbox never needs. */
  readonly instead?: Readonly<Record<"module" | "of" | "take", string>>;
  /** Files that must be made before the build. */
  readonly prepare?: "kubernetes-provider-schema";
  /** Scripts of the module that must be next to the executable. */
  readonly scripts?: {
    readonly module: string;
    readonly from: string;
    readonly names: readonly string[];
  };
}

/** Something that the sandbox runs and Debian does not package. */
export interface Part {
  readonly name: string;
  readonly title: string;
  readonly version: string;
  /** Executables that make the part complete. */
  readonly files: readonly string[];
  /** Absent if the makers publish no binary with a checksum. */
  readonly downloads?: readonly Download[];
  readonly builds: readonly Build[];
}

// These versions belong together. The engine is the one that the Kubernetes provider's module
// requires, and the packages in package.json are pinned to both. 1.34 is the last Kubernetes that
// starts on cgroup v1.
export const versions = {
  pulumi: "3.215.0", // renovate: github-releases pulumi/pulumi
  kubernetesProvider: "4.25.0", // renovate: github-releases pulumi/pulumi-kubernetes
  dockerBuildProvider: "0.0.22", // renovate: github-releases pulumi/pulumi-docker-build
  kubernetes: "1.34.4", // renovate: github-releases kubernetes/kubernetes
  buildkit: "0.25.0", // renovate: github-releases moby/buildkit
  traefik: "3.6.0", // renovate: github-releases traefik/traefik
  coredns: "1.15.0", // renovate: github-releases coredns/coredns
  metricsServer: "0.9.0", // renovate: github-releases kubernetes-sigs/metrics-server
  localPathProvisioner: "0.0.30", // renovate: github-releases rancher/local-path-provisioner
  networkPolicies: "0.8.0", // renovate: github-releases kubernetes-sigs/kube-network-policies
  kubeScore: "1.20.0", // renovate: github-releases zegl/kube-score
} as const;

const github = "https://github.com";
const kubernetesComponents = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-proxy",
  "kube-scheduler",
  "kubectl",
  "kubelet",
] as const;
const engineScripts = ["pulumi-analyzer-policy", "pulumi-resource-pulumi-nodejs"] as const;

function providerDownload(name: string, version: string): Download {
  const releases = `${github}/pulumi/pulumi-${name}/releases/download/v${version}`;
  const file = `pulumi-resource-${name}`;
  return {
    url: `${releases}/${file}-v${version}-linux-${goarch}.tar.gz`,
    checksums: `${releases}/pulumi-${name}_${version}_checksums.txt`,
    take: { [file]: file },
  };
}

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
  {
    name: "coredns",
    title: "CoreDNS (cluster DNS)",
    version: versions.coredns,
    files: ["coredns"],
    downloads: [
      {
        url: `${github}/coredns/coredns/releases/download/v${versions.coredns}/coredns_${versions.coredns}_linux_${goarch}.tgz`,
        checksums: `${github}/coredns/coredns/releases/download/v${versions.coredns}/coredns_${versions.coredns}_linux_${goarch}.tgz.sha256`,
        take: { coredns: "coredns" },
      },
    ],
    builds: [{ module: "coredns", package: ".", output: "coredns" }],
  },
  {
    name: "buildkit",
    title: "BuildKit (image builder)",
    version: versions.buildkit,
    files: ["buildkitd", "buildctl"],
    builds: [
      {
        module: "buildkit",
        package: "github.com/moby/buildkit/cmd/buildkitd",
        output: "buildkitd",
      },
      { module: "buildkit", package: "github.com/moby/buildkit/cmd/buildctl", output: "buildctl" },
    ],
  },
  {
    name: "traefik",
    title: "Traefik (ingress controller)",
    version: versions.traefik,
    files: ["traefik"],
    downloads: [
      {
        url: `${github}/traefik/traefik/releases/download/v${versions.traefik}/traefik_v${versions.traefik}_linux_${goarch}.tar.gz`,
        checksums: `${github}/traefik/traefik/releases/download/v${versions.traefik}/traefik_v${versions.traefik}_checksums.txt`,
        take: { traefik: "traefik" },
      },
    ],
    builds: [
      {
        module: "traefik",
        package: "github.com/traefik/traefik/v3/cmd/traefik",
        output: "traefik",
        instead: {
          module: "github.com/go-acme/lego/v4",
          of: "providers/dns/zz_gen_dns_providers.go",
          take: "without-dns-providers.go",
        },
      },
    ],
  },
  {
    name: "pulumi",
    title: "Pulumi (engine and Node.js language host)",
    version: versions.pulumi,
    files: ["pulumi", "pulumi-language-nodejs", ...engineScripts],
    downloads: [
      {
        url: `https://get.pulumi.com/releases/sdk/pulumi-v${versions.pulumi}-linux-${goarch === "amd64" ? "x64" : goarch}.tar.gz`,
        checksums: `${github}/pulumi/pulumi/releases/download/v${versions.pulumi}/pulumi-${versions.pulumi}-checksums.txt`,
        take: Object.fromEntries(
          ["pulumi", "pulumi-language-nodejs", ...engineScripts].map((file) => [
            `pulumi/${file}`,
            file,
          ]),
        ),
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
        // The last version of the SDK's module with the language host. It fits this engine.
        module: "language-host",
        package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
        output: "pulumi-language-nodejs",
      },
    ],
  },
  {
    name: "resource-kubernetes",
    title: "Pulumi's Kubernetes provider",
    version: versions.kubernetesProvider,
    files: ["pulumi-resource-kubernetes"],
    downloads: [providerDownload("kubernetes", versions.kubernetesProvider)],
    builds: [
      {
        module: "pulumi",
        package: ".",
        output: "pulumi-resource-kubernetes",
        set: {
          "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version":
            versions.kubernetesProvider,
        },
        prepare: "kubernetes-provider-schema",
      },
    ],
  },
  {
    name: "resource-docker-build",
    title: "Pulumi's Docker Build provider",
    version: versions.dockerBuildProvider,
    files: ["pulumi-resource-docker-build"],
    downloads: [providerDownload("docker-build", versions.dockerBuildProvider)],
    builds: [
      {
        module: "docker-build",
        package: "github.com/pulumi/pulumi-docker-build/provider/cmd/pulumi-resource-docker-build",
        output: "pulumi-resource-docker-build",
        set: {
          "github.com/pulumi/pulumi-docker-build/provider.Version": versions.dockerBuildProvider,
        },
      },
    ],
  },
  {
    name: "metrics-server",
    title: "metrics-server",
    version: versions.metricsServer,
    files: ["metrics-server"],
    builds: [
      {
        module: "metrics-server",
        package: "sigs.k8s.io/metrics-server/cmd/metrics-server",
        output: "metrics-server",
      },
    ],
  },
  {
    name: "local-path-provisioner",
    title: "local-path-provisioner (storage class)",
    version: versions.localPathProvisioner,
    files: ["local-path-provisioner"],
    builds: [
      {
        module: "local-path-provisioner",
        package: "github.com/rancher/local-path-provisioner",
        output: "local-path-provisioner",
        set: { "main.VERSION": `v${versions.localPathProvisioner}` },
      },
    ],
  },
  {
    name: "kube-network-policies",
    title: "kube-network-policies (NetworkPolicy agent)",
    version: versions.networkPolicies,
    files: ["kube-network-policies"],
    builds: [{ module: "kube-network-policies", package: ".", output: "kube-network-policies" }],
  },
];

/** Checks manifests. The sandbox does not run it: the tests that need it obtain it. */
export const kubeScore: Part = {
  name: "kube-score",
  title: "kube-score (checks of manifests)",
  version: versions.kubeScore,
  files: ["kube-score"],
  downloads: [
    {
      url: `${github}/zegl/kube-score/releases/download/v${versions.kubeScore}/kube-score_${versions.kubeScore}_linux_${goarch}.tar.gz`,
      checksums: `${github}/zegl/kube-score/releases/download/v${versions.kubeScore}/checksums.txt`,
      take: { "kube-score": "kube-score" },
    },
  ],
  builds: [
    {
      module: "kube-score",
      package: "github.com/zegl/kube-score/cmd/kube-score",
      output: "kube-score",
      set: { "main.version": versions.kubeScore },
    },
  ],
};
