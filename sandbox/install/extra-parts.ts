import { githubDownload, goarch, programPart, versions } from "./parts";

// Parts that the sandbox itself does not need. A test or a benchmark installs them.

/** The program kube-score, which checks manifests. Only a test uses this program. */
export const kubeScore = programPart(
  "kube-score",
  "kube-score (checks of manifests)",
  versions.kubeScore,
  {
    package: "github.com/zegl/kube-score/cmd/kube-score",
    set: { "main.version": versions.kubeScore },
  },
  githubDownload(
    "zegl/kube-score",
    versions.kubeScore,
    `kube-score_${versions.kubeScore}_linux_${goarch}.tar.gz`,
    { "kube-score": "kube-score" },
    "checksums.txt",
  ),
);

/**
 * The program Helm. Only a benchmark uses this program: the benchmark compares Pulumi with Helm.
 */
export const helm = programPart(
  "helm",
  "Helm (for a benchmark)",
  versions.helm,
  { package: "helm.sh/helm/v3/cmd/helm" },
  {
    url: `https://get.helm.sh/helm-v${versions.helm}-linux-${goarch}.tar.gz`,
    checksums: `https://get.helm.sh/helm-v${versions.helm}-linux-${goarch}.tar.gz.sha256sum`,
    take: { [`linux-${goarch}/helm`]: "helm" },
  },
);

/**
 * The program versitygw, an S3 server. Only a benchmark uses this program, in place of Amazon S3.
 */
export const versitygw = programPart(
  "versitygw",
  "versitygw (for a benchmark)",
  versions.versitygw,
  {
    package: "github.com/versity/versitygw/cmd/versitygw",
  },
);
