import * as pulumi from "@pulumi/pulumi";
import { reviewNamespace } from "../components/conventions/defaults";
import { isDnsLabel } from "../components/conventions/names";
import { service } from "../components/conventions/stacks";

/** What may live in a cluster. */
const environments = ["review", "staging", "prod"] as const;
export type Environment = (typeof environments)[number];

/** Who CircleCI's tokens are trusted for. */
export interface CircleCi {
  readonly organizationId: string;
  readonly projectId: string;
  /** `github.com/<organization>/<repository>`, as in the claim `vcs-origin`. */
  readonly vcsOrigin: string;
}

/** What review stacks may have at most. A branch can ask for less, never for more. */
export interface ReviewLimits {
  readonly cpu: string;
  readonly domain: string;
  /** Networks that the code of every branch may reach, beside its database, DNS and Datadog. */
  readonly egressCidrs: readonly string[];
  readonly ingressClassName: string;
  /** Networks that requests come from: the subnets of the load balancer. */
  readonly ingressCidrs: readonly string[];
  /** Namespaces that requests come from: where the ingress controller is pods. */
  readonly ingressNamespaces: readonly string[];
  readonly memory: string;
  readonly pods: number;
}

/** One EKS cluster of the account. */
export interface ClusterSettings {
  /** Context of the kubeconfig, of an administrator of the cluster. None takes the current one. */
  readonly context?: string;
  readonly environments: readonly Environment[];
  readonly name: string;
}

/** All of the account that one stack of the platform is for. */
export interface PlatformSettings {
  readonly circleci: CircleCi;
  readonly clusters: readonly ClusterSettings[];
  /** Namespaces of staging and production. */
  readonly namespaces: Readonly<Record<Exclude<Environment, "review">, string>>;
  /** Account of production, where it is another one: its cluster pulls from these repositories. */
  readonly productionAccountId: string | undefined;
  readonly review: ReviewLimits;
  /** Bucket of the state, which exists before everything else. */
  readonly stateBucket: string;
  /** KMS key of the state of each environment in the account. */
  readonly stateKeyArns: Readonly<Partial<Record<Environment, string>>>;
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const cidr = /^\d{1,3}(?:\.\d{1,3}){3}\/\d{1,2}$/;
const keyArn = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[0-9a-f-]{36}$/;
const quantity = /^[0-9]+(?:\.[0-9]+)?(?:m|Ki|Mi|Gi)?$/;

/** Every environment of the account. */
export function environmentsOf({ clusters }: PlatformSettings): readonly Environment[] {
  return clusters.flatMap(({ environments }) => environments);
}

function isCluster({ environments: some, name }: ClusterSettings): boolean {
  return (
    /^[A-Za-z0-9][\w-]{0,99}$/.test(name) &&
    some.length > 0 &&
    some.every((environment) => environments.includes(environment))
  );
}

/** Everything that is wrong with the settings, one line each; empty when they are good. */
export function settingsFaults(settings: PlatformSettings): readonly string[] {
  const { circleci, review } = settings;
  const here = environmentsOf(settings);
  const keys = here.map((environment) => settings.stateKeyArns[environment] ?? "");
  const rules: readonly (readonly [string, unknown, boolean, string])[] = [
    [
      "circleciOrganizationId",
      circleci.organizationId,
      uuid.test(circleci.organizationId),
      "a UUID",
    ],
    ["circleciProjectId", circleci.projectId, uuid.test(circleci.projectId), "a UUID"],
    // Wildcards of IAM would trust other repositories and branches too.
    [
      "vcsOrigin",
      circleci.vcsOrigin,
      /^[a-z0-9.-]+(?:\/[\w.-]+){2}$/.test(circleci.vcsOrigin),
      "as github.com/organization/repository",
    ],
    [
      "clusters",
      settings.clusters,
      settings.clusters.length > 0 && settings.clusters.every(isCluster),
      `a list of objects of name and environments (${environments.join(", ")})`,
    ],
    ["clusters", here, new Set(here).size === here.length, "clusters with each environment once"],
    [
      "stateKeyArns",
      settings.stateKeyArns,
      keys.every((key) => keyArn.test(key)) && new Set(keys).size === here.length,
      "the ARN of a KMS key, not of an alias, for each environment, and one of its own",
    ],
    [
      "stateBucket",
      settings.stateBucket,
      /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(settings.stateBucket),
      "the name of an S3 bucket",
    ],
    [
      "productionAccountId",
      settings.productionAccountId,
      settings.productionAccountId === undefined || /^\d{12}$/.test(settings.productionAccountId),
      "12 digits",
    ],
    [
      "prodNamespace",
      settings.namespaces.prod,
      isDnsLabel(settings.namespaces.prod),
      "a DNS label",
    ],
    [
      "stagingNamespace",
      settings.namespaces.staging,
      isDnsLabel(settings.namespaces.staging) &&
        settings.namespaces.staging !== settings.namespaces.prod,
      "a DNS label of its own",
    ],
    [
      "reviewDomain",
      review.domain,
      /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(review.domain),
      "a domain in lower case",
    ],
    [
      "reviewIngressClassName",
      review.ingressClassName,
      /^[a-z0-9][a-z0-9.-]*$/.test(review.ingressClassName),
      "the name of an IngressClass",
    ],
    [
      "reviewIngressCidrs",
      review.ingressCidrs,
      review.ingressCidrs.every((text) => cidr.test(text)),
      "a list of networks, as 10.0.0.0/20",
    ],
    [
      "reviewEgressCidrs",
      review.egressCidrs,
      review.egressCidrs.every((text) => cidr.test(text)),
      "a list of networks, as 203.0.113.7/32",
    ],
    [
      "reviewIngressNamespaces",
      review.ingressNamespaces,
      review.ingressNamespaces.every((name) => isDnsLabel(name)),
      "a list of namespaces",
    ],
    ["reviewCpu", review.cpu, quantity.test(review.cpu), "a CPU quantity"],
    ["reviewMemory", review.memory, quantity.test(review.memory), "a memory quantity"],
    [
      "reviewPods",
      review.pods,
      Number.isInteger(review.pods) && review.pods > 0,
      "a whole number above 0",
    ],
  ];
  return rules
    .filter(([, , good]) => !good)
    .map(([key, got, , rule]) => `${key} must be ${rule}, got ${JSON.stringify(got)}`);
}

/**
 * Reads the stack's config. Only `index.ts` calls it.
 *
 * @throws pulumi.RunError with every fault at once.
 */
export function readSettings(config = new pulumi.Config()): PlatformSettings {
  const list = (key: string): readonly string[] => config.getObject<string[]>(key) ?? [];
  const settings: PlatformSettings = {
    circleci: {
      organizationId: config.require("circleciOrganizationId"),
      projectId: config.require("circleciProjectId"),
      vcsOrigin: config.require("vcsOrigin"),
    },
    clusters: config.requireObject<ClusterSettings[]>("clusters"),
    namespaces: {
      prod: config.get("prodNamespace") ?? service,
      staging: config.get("stagingNamespace") ?? `${service}-staging`,
    },
    productionAccountId: config.get("productionAccountId"),
    review: {
      cpu: config.get("reviewCpu") ?? reviewNamespace.quota.cpu,
      domain: config.require("reviewDomain"),
      egressCidrs: list("reviewEgressCidrs"),
      ingressCidrs: list("reviewIngressCidrs"),
      ingressClassName: config.get("reviewIngressClassName") ?? "alb",
      ingressNamespaces: list("reviewIngressNamespaces"),
      memory: config.get("reviewMemory") ?? reviewNamespace.quota.memory,
      pods: config.getNumber("reviewPods") ?? reviewNamespace.quota.pods,
    },
    stateBucket: config.require("stateBucket"),
    stateKeyArns: config.requireObject<PlatformSettings["stateKeyArns"]>("stateKeyArns"),
  };
  const faults = settingsFaults(settings);
  if (faults.length > 0)
    throw new pulumi.RunError(`Settings of the platform:\n${faults.join("\n")}`);
  return settings;
}
