import { pod, privatePeers, reviewNamespace } from "../components/conventions/defaults";
import { reviewHostPattern } from "../components/conventions/ci-roles";
import { company } from "../config/company";
import { service } from "../config/service";
import { environments } from "../environments";
import * as forms from "./forms";
import { text } from "./forms";
import { databaseSettings } from "./database";
import { namespaceOf } from "./identity";
import { type Surroundings, type ValuesOf, setting } from "./setting";

/**
 * Returns a default that is `review` for review stacks, and `others` for all other stacks. Staging
 * and production can set another value in their stack settings files.
 */
function reviewOnly<const Value, const Other>(review: Value, others: Other) {
  return ({ environment }: Surroundings) => (environment === "review" ? review : others);
}

/**
 * Every key of a stack's configuration (`<service>:<key>`), in alphabetical order. A key's value
 * comes from the stack's configuration, otherwise from the environment variable `env`, otherwise
 * from the default.
 */
export const table = {
  baseImageRef: setting({
    ...forms.imageRef,
    description: "Image that replaces the Dockerfile's stage `base`.",
    env: "SANDBOX_BASE_IMAGE",
  }),
  branch: setting({
    ...text("the name of a branch, without spaces", /^\S+$/),
    default: ({ gitBranch }) => gitBranch,
    description:
      "Branch of the release. CI sets this value, because CI checks out a commit without a branch.",
    env: "RELEASE_BRANCH",
    ownOfCanary: true,
  }),
  builder: setting({
    ...text("the name of a buildx builder", /^[A-Za-z0-9][A-Za-z0-9_.-]*$/),
    description: "Builder of the image. Without this setting, buildx chooses a builder.",
    env: "BUILDX_BUILDER",
  }),
  callersAuthenticatedBy: setting({
    ...text("a line of at most 200 characters", /^\S[^\r\n]{0,199}$/),
    description:
      "What authenticates callers before their requests reach the service, such as an API gateway. Without this setting, the policy pack refuses an internet-facing load balancer.",
  }),
  canaryDatabaseSecretName: setting({
    ...forms.secretName,
    description:
      "Secret with a database user for canaries only, with the same keys as databaseSecretName. Without this setting, a canary uses databaseSecretName.",
  }),
  clusterUid: setting({
    ...text("the UID of the cluster's namespace kube-system", /^[0-9a-f-]{36}$/),
    description:
      "UID of the only cluster that the stack may change. Without this setting, the stack may change any cluster.",
    env: "SANDBOX_CLUSTER_UID",
  }),
  context: setting({
    ...forms.contextName,
    description:
      "Context of the ambient kubeconfig. Without this setting, the stack uses the current context.",
  }),
  ...databaseSettings,
  datadogAgentTo: setting({
    ...forms.peers,
    default: () => privatePeers,
    description:
      "Addresses of Datadog's agent, to which the pods of a canary, local or review stack may connect.",
    env: "SANDBOX_DATADOG_AGENT_TO",
  }),
  dnsTo: setting({
    ...forms.peers,
    default: () => company.clusterDnsCidrs.map((cidr) => ({ ipBlock: { cidr } })),
    description:
      "Addresses of the cluster's DNS, in addition to the DNS pods. The pods of a canary, local or review stack may connect to port 53 of these addresses.",
  }),
  domain: setting({
    ...forms.domain,
    default: {
      canary: undefined,
      local: "localhost",
      prod: undefined,
      review: company.reviewDomain,
      staging: undefined,
    },
    description: "Value of `{domain}` in hostPattern.",
    env: "SANDBOX_DOMAIN",
  }),
  egressTo: setting({
    ...forms.rules,
    default: () => [],
    description:
      "Destinations that the pods of a canary, local or review stack may connect to, in addition to the database, DNS and Datadog's agent.",
  }),
  eksCluster: setting({
    ...forms.orNone(forms.eksCluster),
    default: reviewOnly(company.reviewCluster, "none"),
    description: "EKS cluster of the stack. With `none`, the stack uses the ambient kubeconfig.",
    env: "SANDBOX_EKS_CLUSTER",
  }),
  exportOutput: setting({
    ...forms.s3Uri,
    description:
      "Bucket and prefix that the jobs with the command `export` write to, such as `s3://bucket/prefix`. Without this setting, the jobs write to their logs.",
  }),
  exportRoleArn: setting({
    ...forms.roleArn,
    description:
      "IAM role (IRSA) of the jobs with the command `export`; needs exportOutput. Without this setting, the jobs use the service's ServiceAccount.",
  }),
  hostPattern: setting({
    ...text(
      "a host name that may contain {slug} and {domain}",
      /^(?:[a-z0-9.-]|\{slug\}|\{domain\})+$/,
    ),
    default: {
      canary: `${service}.{domain}`,
      local: `${service}.{domain}`,
      prod: `${service}.{domain}`,
      review: reviewHostPattern,
      staging: `${service}.{slug}.{domain}`,
    },
    description: `Public host. A wildcard certificate for *.{domain} does not cover ${service}.{slug}.{domain}.`,
  }),
  imageRef: setting({
    ...forms.imageRef,
    description:
      "Image to deploy. With this setting, Pulumi builds no image. Without it, prod and prod-canary keep the image that they run.",
    env: "RELEASE_IMAGE_REF",
    ownOfCanary: true,
  }),
  imageRepository: setting({
    ...text(
      "a registry and a path without tag or digest",
      /^[a-z0-9][a-z0-9.-]*(?::[0-9]+)?(?:\/[a-z0-9._-]+)+$/,
    ),
    default: ({ env, environment }) => {
      const registry = env["SANDBOX_REGISTRY"] ?? "";
      if (registry !== "") return `${registry}/${service}`;
      if (environment === "local") return undefined;
      // The code of any branch can push images to the image repository of review stacks. So this
      // repository must not contain production's tags or layers.
      const { imageRepository } = company;
      return environments[environment].perBranch ? `${imageRepository}-review` : imageRepository;
    },
    description:
      "Repository to which the build pushes the image. If SANDBOX_REGISTRY is set, the default is in that registry.",
  }),
  ingressClassName: setting({
    ...forms.ingressClass,
    description:
      "IngressClass of the Ingress. Without this setting, the cluster's default class applies.",
    env: "SANDBOX_INGRESS_CLASS",
  }),
  ingressFrom: setting({
    ...forms.peers,
    default: {
      canary: [],
      // The cluster of stack `local` usually runs on the developer's machine, and no one else can
      // connect to it.
      local: privatePeers,
      prod: [],
      review: [...company.reviewIngressFrom],
      staging: [],
    },
    description:
      "Addresses that requests to a local or review stack come from, such as a load balancer's subnets.",
    env: "SANDBOX_INGRESS_FROM",
  }),
  ingressGroupName: setting({
    ...text(
      "a name of at most 63 characters (lower case letters, digits, hyphens, dots) that starts and ends with a letter or digit",
      /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/,
    ),
    default: reviewOnly(`${service}-review`, undefined),
    description:
      "Group of Ingresses that share one load balancer. If ingressPreset is `none`, this setting has no effect. Review stacks have a separate group.",
  }),
  ingressPreset: setting({
    ...forms.oneOf("eks-alb", "none"),
    default: ({ environment }) => (environment === "local" ? "none" : "eks-alb"),
    description: "Ingress controller whose annotations the Ingress gets.",
    env: "SANDBOX_INGRESS_PRESET",
  }),
  ingressScheme: setting({
    ...forms.oneOf("internal", "internet-facing"),
    default: () => "internal" as const,
    description:
      "Scheme of the load balancer. If ingressPreset is `none`, this setting has no effect.",
  }),
  namespace: setting({
    ...forms.dnsLabel,
    default: ({ environment, slug }) => namespaceOf(environment, slug),
    description: "Namespace of the stack.",
  }),
  platforms: setting({
    ...forms.wordsOf(
      "a list of linux/amd64, linux/arm64 or both",
      forms.oneOf("linux/amd64", "linux/arm64"),
      1,
    ),
    default: {
      canary: undefined,
      local: undefined,
      prod: undefined,
      review: [...company.imagePlatforms],
      staging: [...company.imagePlatforms],
    },
    description:
      "Platforms for which BuildKit builds the image. Without this setting, BuildKit builds for the builder's platform.",
    env: "SANDBOX_PLATFORMS",
  }),
  publicPort: setting({
    ...forms.port,
    description: "Port of the public URL, if it is not the scheme's default.",
    env: "SANDBOX_INGRESS_PORT",
  }),
  quickRollout: setting({
    ...forms.bool,
    default: { canary: false, local: true, prod: false, review: true, staging: false },
    description:
      "Whether a rollout waits less: 8 s less for each new pod, and 10 s less for an old pod. Behind an AWS load balancer, some requests can fail during a rollout.",
  }),
  quickStart: setting({
    ...forms.bool,
    default: { canary: false, local: true, prod: false, review: true, staging: false },
    description:
      "Whether the service's JVM compiles with C1 only: pods start in half the CPU time, and answer more slowly under load.",
  }),
  quota: setting({
    ...forms.quota,
    default: () => reviewNamespace.quota,
    description: "ResourceQuota: the sum that the pods of a local or review stack may request.",
  }),
  registries: setting({
    ...forms.wordsOf(
      "a list of registries, or of repositories in them",
      text(
        "a registry, or a repository in one",
        /^[a-z0-9][a-z0-9.-]*(?::[0-9]+)?(?:\/[a-z0-9._-]+)*$/,
      ),
    ),
    default: ({ environment }) => (environment === "local" ? [] : [...company.registries]),
    description:
      "Registries that images may come from, in addition to the repositories of the image and of the ephemeral database. The policy pack rejects any other registry.",
    env: "SANDBOX_REGISTRY",
  }),
  releaseCommit: setting({
    ...text(
      "a commit of 40 hex digits, optionally with -dirty.<hash>, or unknown",
      /^(?:unknown|[0-9a-f]{40}(?:-dirty\.[0-9a-f]{7})?)$/,
    ),
    description: "Commit of imageRef, if it is not the commit that is checked out.",
    env: "RELEASE_COMMIT",
    ownOfCanary: true,
  }),
  releaseReason: setting({
    ...text("a line of at most 200 characters", /^[^\r\n]{1,200}$/),
    description: "Why imageRef is not the promoted image. The stack's outputs show this reason.",
    env: "RELEASE_REASON",
    ownOfCanary: true,
  }),
  replicas: setting({
    ...forms.integer(0, 100),
    default: { canary: 1, local: 2, prod: 3, review: 1, staging: 2 },
    description: "Pods of the web service.",
    env: "RELEASE_REPLICAS",
    ownOfCanary: true,
  }),
  requests: setting({
    ...forms.requests,
    default: () => pod.requests,
    description: "CPU and memory that each web pod and each job requests.",
    env: "SANDBOX_REQUESTS",
  }),
  tls: setting({
    ...forms.bool,
    default: ({ environment }) => environment !== "local",
    description: "Whether the public URL is https.",
    env: "SANDBOX_TLS",
  }),
  waitForIngress: setting({
    ...forms.bool,
    default: () => true,
    description:
      "Whether an update waits until the Ingress has an address. In a cluster without an ingress controller, the Ingress never has one, and the update fails after 10 minutes.",
    env: "SANDBOX_WAIT_FOR_INGRESS",
  }),
} as const;

/** The settings' values, by key. */
export type Values = ValuesOf<typeof table>;
