import {
  pod,
  postgres,
  privateAddresses,
  reviewNamespace,
} from "../components/conventions/defaults";
import { imageRefForm } from "../components/conventions/validation";
import type { Requests } from "../components/conventions/quantities";
import type { Quota } from "../components/conventions/quota";
import { company } from "../config/company";
import { environments } from "../environments";
import { namespaceOf } from "./identity";
import * as forms from "./values";
import type { EksCluster, NetworkPeer, NetworkRule, Platform } from "./values";
import { byEnvironment, orNone, reviewOnly, row } from "./row";

const { bool, dnsLabel, integer, oneOf, text } = forms;
const none = () => undefined;

const digest = "an image as repository@sha256:<64 hex digits>";

const imageRef = { allowed: digest, parse: text(imageRefForm) };

const peers = {
  allowed: 'a list of NetworkPolicyPeers, as [{"ipBlock": {"cidr": "10.0.0.0/20"}}]',
  parse: forms.peers,
};
const anyPrivateAddress: NetworkPeer[] = privateAddresses.map((cidr) => ({ ipBlock: { cidr } }));

/** Public image of the throw-away database: PostgreSQL 17, all platforms. */
const publicPostgres =
  "postgres@sha256:d74eeac9a635390a49bc21bd49fccd973de707e2a53a76ac49b552b8712ec46f";

/**
 * Every key of a stack's configuration (`services-orders:<key>`), in alphabetical order.
 * The value is taken from config, else from `env`, else it is the default of the stack's environment.
 */
export const table = {
  baseImageRef: row<string | undefined>({
    ...imageRef,
    default: none,
    description: "Image that takes the place of the Dockerfile's stage `base`.",
    env: "SANDBOX_BASE_IMAGE",
  }),
  branch: row<string>({
    allowed: "the name of a branch, without spaces",
    default: ({ gitBranch }) => gitBranch,
    description:
      "Branch that is released. CI sets it, because it checks out a commit and no branch.",
    env: "RELEASE_BRANCH",
    parse: text(/^\S+$/),
  }),
  builder: row<string | undefined>({
    allowed: "the name of a buildx builder",
    default: none,
    description: "Builder of the image; none leaves the choice to buildx.",
    env: "BUILDX_BUILDER",
    parse: text(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/),
  }),
  clusterUid: row<string | undefined>({
    allowed: "the UID of the cluster's namespace kube-system",
    default: none,
    description: "The only cluster that the stack may change; none takes any.",
    parse: text(/^[0-9a-f-]{36}$/),
  }),
  context: row<string | undefined>({
    allowed: "the name of a context of the kubeconfig",
    default: none,
    description: "Context of the ambient kubeconfig; none takes its current one.",
    parse: text(/^\S+$/),
  }),
  databaseHost: row<string | undefined>({
    allowed: "a host name",
    default: none,
    description: "Host of the database, where the stack does not make one of its own.",
    parse: text(/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/),
  }),
  databaseImageRef: row<string>({
    ...imageRef,
    default: () => publicPostgres,
    description: "Image of the throw-away PostgreSQL.",
    env: "SANDBOX_POSTGRES_IMAGE",
  }),
  databaseName: row<string>({
    allowed: "the name of a database",
    default: () => postgres.databaseName,
    description: "Name of the database on databaseHost.",
    parse: text(/^[a-z_][a-z0-9_]{0,62}$/),
  }),
  databasePort: row<number>({
    allowed: "a port from 1 to 65535",
    default: () => postgres.port,
    description: "Port of databaseHost.",
    parse: integer(1, 65_535),
  }),
  databaseSecretName: row<string>({
    allowed: "the name of a Secret",
    default: () => "services-orders-database",
    description:
      "Secret with the keys `username` and `password` of databaseHost. It is there before the stack is.",
    parse: text(/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/),
  }),
  datadogAgentTo: row<NetworkPeer[]>({
    ...peers,
    default: () => anyPrivateAddress,
    description: "Where Datadog's agent is, for pods of a local or review stack.",
    env: "SANDBOX_DATADOG_AGENT_TO",
  }),
  domain: byEnvironment<string | undefined>(
    { ...reviewOnly(company.reviewDomain, undefined), local: "localhost" },
    {
      allowed: "a domain in lower case",
      description: "`{domain}` in hostPattern.",
      env: "SANDBOX_DOMAIN",
      parse: text(/^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/),
    },
  ),
  egressTo: row<NetworkRule[]>({
    allowed: "a list of NetworkPolicyEgressRules, each with `to`, and `ports` by number if any",
    default: () => [],
    description:
      "What pods of a local or review stack may reach beside database, DNS and Datadog's agent.",
    parse: forms.rules,
  }),
  eksCluster: byEnvironment<EksCluster | "none">(reviewOnly(company.reviewCluster, "none"), {
    allowed: 'none, or an object as {"name": "staging", "region": "eu-central-1"}',
    description: "EKS cluster of the stack; none takes the ambient kubeconfig.",
    env: "SANDBOX_EKS_CLUSTER",
    parse: orNone(forms.eksCluster),
  }),
  hostPattern: byEnvironment<string>(
    {
      canary: "services-orders.{domain}",
      local: "services-orders.{domain}",
      prod: "services-orders.{domain}",
      review: "services-orders.{slug}.{domain}",
      staging: "services-orders.{slug}.{domain}",
    },
    {
      allowed: "a host name that may contain {slug} and {domain}",
      description:
        "Public host. A wildcard certificate for *.{domain} does not cover services-orders.{slug}.{domain}.",
      parse: text(/^(?:[a-z0-9.-]|\{slug\}|\{domain\})+$/),
    },
  ),
  imageRef: row<string | undefined>({
    ...imageRef,
    default: none,
    description:
      "Image to deploy; no image is built then. prod and prod-canary keep the one they run, unless it is set.",
    env: "RELEASE_IMAGE_REF",
  }),
  imageRepository: row<string | undefined>({
    allowed: "a registry and a path without tag or digest",
    default: ({ env, environment }) => {
      const registry = env["SANDBOX_REGISTRY"] ?? "";
      if (registry !== "") return `${registry}/services-orders`;
      if (environment === "local") return undefined;
      // The code of any branch pushes there: production's tags and layers are out of its reach.
      return environments[environment].perBranch
        ? `${company.imageRepository}-review`
        : company.imageRepository;
    },
    description:
      "Repository that the image is pushed to. Where SANDBOX_REGISTRY is set: one of that registry.",
    parse: text(/^[a-z0-9][a-z0-9.-]*(?::[0-9]+)?(?:\/[a-z0-9._-]+)+$/),
  }),
  ingressClassName: row<string | undefined>({
    allowed: "the name of an IngressClass",
    default: none,
    description: "Class of the Ingress; none takes the cluster's default.",
    parse: text(/^[a-z0-9][a-z0-9.-]*$/),
  }),
  ingressFrom: byEnvironment<NetworkPeer[]>(
    {
      ...reviewOnly([...company.reviewIngressFrom], []),
      // A cluster of a developer's own: nobody but them reaches it.
      local: anyPrivateAddress,
    },
    {
      allowed: 'a list of NetworkPolicyPeers, as [{"ipBlock": {"cidr": "10.0.0.0/20"}}]',
      description:
        "Where requests to a local or review stack come from: a load balancer's addresses are not pods.",
      env: "SANDBOX_INGRESS_FROM",
      parse: forms.peers,
    },
  ),
  ingressGroupName: byEnvironment<string | undefined>(
    reviewOnly("services-orders-review", undefined),
    {
      allowed: "lower case letters, digits, hyphens and dots, at most 63",
      description:
        "Ingresses that share one load balancer, with ingressPreset. Review stacks have a group of their own.",
      parse: text(/^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/),
    },
  ),
  ingressPreset: byEnvironment<"eks-alb" | "none">(
    { canary: "eks-alb", local: "none", prod: "eks-alb", review: "eks-alb", staging: "eks-alb" },
    {
      allowed: "eks-alb or none",
      description: "Kind of ingress controller, whose annotations the Ingress gets.",
      env: "SANDBOX_INGRESS_PRESET",
      parse: oneOf("eks-alb", "none"),
    },
  ),
  ingressScheme: byEnvironment<"internal" | "internet-facing">(
    {
      canary: "internal",
      local: "internal",
      prod: "internal",
      review: "internal",
      staging: "internal",
    },
    {
      allowed: "internal or internet-facing",
      description: "Who reaches the load balancer, with ingressPreset.",
      parse: oneOf("internal", "internet-facing"),
    },
  ),
  namespace: row<string>({
    allowed: "a DNS label",
    default: ({ environment, slug }) => namespaceOf(environment, slug),
    description: "Namespace of the stack.",
    parse: dnsLabel,
  }),
  platforms: row<readonly Platform[] | undefined>({
    allowed: "a list of linux/amd64 and linux/arm64",
    default: none,
    description: "Platforms the image is built for; none takes the builder's own.",
    parse: forms.platforms,
  }),
  publicPort: row<number | undefined>({
    allowed: "a port from 1 to 65535",
    default: none,
    description: "Port of the public URL, where it is not the scheme's own.",
    env: "SANDBOX_INGRESS_PORT",
    parse: integer(1, 65_535),
  }),
  quota: row<Quota>({
    allowed: 'an object as {"cpu": "2", "memory": "4Gi", "pods": 10}',
    default: () => reviewNamespace.quota,
    description: "What the pods of a local or review stack may ask for together.",
    parse: forms.quota,
  }),
  registries: row<readonly string[]>({
    allowed: "a list of registries, or of repositories in them",
    default: ({ environment }) => (environment === "local" ? [] : company.registries),
    description:
      "Registries that images may come from, beside the repositories of the image and of the throw-away database. The policy pack stops any other.",
    env: "SANDBOX_REGISTRY",
    parse: forms.registries,
  }),
  releaseCommit: row<string | undefined>({
    allowed: "a commit of 40 hex digits, or one with -dirty.<hash>",
    default: none,
    description: "Commit that imageRef was built from, where it is not the one that is here.",
    env: "RELEASE_COMMIT",
    parse: text(/^(?:unknown|[0-9a-f]{40}(?:-dirty\.[0-9a-f]{7})?)$/),
  }),
  releaseReason: row<string | undefined>({
    allowed: "a line of at most 200 characters",
    default: none,
    description: "Why imageRef is not the promoted one; it stands in the stack's outputs.",
    env: "RELEASE_REASON",
    parse: text(/^[^\r\n]{1,200}$/),
  }),
  replicas: byEnvironment<number>(
    { canary: 1, local: 2, prod: 3, review: 1, staging: 2 },
    {
      allowed: "a whole number from 0 to 100",
      description: "Pods of the web service.",
      env: "RELEASE_REPLICAS",
      parse: integer(0, 100),
    },
  ),
  requests: row<Requests>({
    allowed: 'an object of cpu and memory, as {"cpu": "250m", "memory": "512Mi"}',
    default: () => pod.requests,
    description: "CPU and memory that each web pod and each job is promised.",
    env: "SANDBOX_REQUESTS",
    parse: forms.requests,
  }),
  tls: byEnvironment<boolean>(
    { canary: true, local: false, prod: true, review: true, staging: true },
    {
      allowed: "true or false",
      description: "Whether the public URL is https.",
      env: "SANDBOX_TLS",
      parse: bool,
    },
  ),
} as const;

/** The settings' values, by key. */
export type Values = {
  readonly [Key in keyof typeof table]: ReturnType<(typeof table)[Key]["default"]>;
};
