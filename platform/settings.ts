import * as pulumi from "@pulumi/pulumi";
import { reviewNamespace } from "../components/conventions/defaults";
import { deployProject } from "../config/circleci";
import { company } from "../config/company";
import { service } from "../config/service";
import { type CiEnvironment, ciEnvironments } from "../environments";
import type { Config } from "../settings/config";
import { runtimeConfig } from "../settings/running";
import * as forms from "../settings/forms";
import { optional, text } from "../settings/forms";
import { peopleForm, type PeopleRoles } from "./people";
import {
  type Surroundings,
  type ValuesOf,
  readTable,
  required,
  setting,
} from "../settings/setting";

/** An environment that a cluster may contain. */
export type Environment = CiEnvironment;

/** The CircleCI organization and projects whose tokens AWS and the clusters accept. */
export interface CircleCi {
  /**
   * Ids of users whose jobs may assume production's role. If the list is empty, the role's trust
   * policy does not check the user.
   */
  readonly approverIds: readonly string[];
  /** Id of the deploy project, whose jobs change staging and production, and remove stacks. */
  readonly deployProjectId: string | undefined;
  readonly organizationId: string;
  /** Id of the service's own project, whose jobs run the code of every branch. */
  readonly projectId: string;
  /** `github.com/<organization>/<repository>`, as in the claim `vcs-origin`. */
  readonly vcsOrigin: string;
}

/** Upper limits for review stacks. A branch can set lower limits, but not higher limits. */
export interface ReviewLimits {
  readonly cpu: string;
  /** DNS servers that do not run in pods. Review stacks may reach only port 53 of these servers. */
  readonly dnsCidrs: readonly string[];
  readonly domain: string;
  /**
   * Networks that the code of every branch may reach, in addition to the database of its review
   * stack, DNS and Datadog.
   */
  readonly egressCidrs: readonly string[];
  readonly ingressClassName: string;
  /** Networks from which requests to review stacks may come: the subnets of the load balancer. */
  readonly ingressCidrs: readonly string[];
  /** Namespaces of the ingress controller's pods, which may send requests to review stacks. */
  readonly ingressNamespaces: readonly string[];
  readonly memory: string;
  readonly pods: number;
}

/** One EKS cluster of the account. */
export interface ClusterSettings {
  /** Kubeconfig context of a cluster administrator. Default: the current context. */
  readonly context?: string;
  readonly environments: readonly Environment[];
  readonly name: string;
}

/** Settings of one stack of the platform, which manages one AWS account. */
export interface PlatformSettings {
  readonly circleci: CircleCi;
  readonly clusters: readonly ClusterSettings[];
  /** Namespaces of staging and production. */
  readonly namespaces: Readonly<Record<Exclude<Environment, "review">, string>>;
  readonly people: PeopleRoles;
  /**
   * AWS account of production, if production has a separate account. The nodes in production's
   * account pull images from the repositories of this stack's account.
   */
  readonly productionAccountId: string | undefined;
  readonly review: ReviewLimits;
  /** Bucket of the Pulumi states. The bucket must exist before the platform's first update. */
  readonly stateBucket: string;
  /** KMS key for the secrets in the Pulumi states, for each environment in the account. */
  readonly stateKeyArns: Readonly<Partial<Record<Environment, string>>>;
}

const project = `${service}-platform`;

const uuid = text("a UUID", /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const keyArn = text(
  "the ARN of a KMS key, not of an alias",
  /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[0-9a-f-]{36}$/,
);
const networks = forms.listOf("a list of networks, such as [10.0.0.0/20]", forms.cidr);
const namespaces = forms.listOf("a list of namespaces", forms.dnsLabel);
const cluster = forms.objectOf(
  `an object with name, environments (${ciEnvironments.join(", ")}) and, if needed, context`,
  {
    context: optional(forms.contextName),
    environments: forms.listOf(
      `a list of ${ciEnvironments.join(", ")}`,
      forms.oneOf(...ciEnvironments),
      1,
    ).schema,
    name: forms.clusterName.schema,
  },
);

/** Every key of the platform's configuration, in alphabetical order. */
export const table = {
  approverIds: setting({
    ...forms.listOf("a list of UUIDs", uuid),
    default: () => [],
    description: "CircleCI's ids of the users whose jobs may assume production's role.",
  }),
  circleciDeployProjectId: setting({
    ...uuid,
    description: "CircleCI's id of the deploy project. docs/trust.md describes this project.",
  }),
  circleciOrganizationId: required({
    ...uuid,
    description: "CircleCI: Organization Settings, Overview.",
  }),
  circleciProjectId: required({ ...uuid, description: "CircleCI: Project Settings, Overview." }),
  clusters: required({
    ...forms.listOf<ClusterSettings>("a list of at least one cluster", cluster, 1),
    description: "EKS clusters of the account, and the environments in each.",
  }),
  people: setting({
    ...peopleForm,
    default: () => ({}),
    description: "IAM roles of people: docs/bootstrap.md says what these people may do.",
  }),
  prodNamespace: setting({
    ...forms.dnsLabel,
    default: () => service,
    description: "Namespace of production.",
  }),
  productionAccountId: setting({
    ...text("12 digits", /^\d{12}$/),
    description:
      "AWS account of production, if it differs from the account of staging. Production's nodes pull images from staging's account.",
  }),
  reviewCpu: setting({
    ...forms.cpu,
    default: () => reviewNamespace.quota.cpu,
    description: "Maximum CPU that the quota of a review stack may allow.",
  }),
  reviewDnsCidrs: setting({
    ...networks,
    default: () => [...company.clusterDnsCidrs],
    description:
      "Networks of the cluster's DNS servers that do not run in pods. The code of every branch may reach port 53 in these networks.",
  }),
  reviewDomain: setting({
    ...forms.domain,
    default: () => company.reviewDomain,
    description: "Domain of the hosts of review stacks.",
  }),
  reviewEgressCidrs: setting({
    ...networks,
    default: () => [],
    description:
      "Networks that the code of every branch may reach, in addition to the database of its review stack, DNS and Datadog.",
  }),
  reviewIngressCidrs: setting({
    ...networks,
    default: () => company.reviewIngressFrom.map(({ ipBlock }) => ipBlock.cidr),
    description: "Networks from which requests to review stacks may come.",
  }),
  reviewIngressClassName: setting({
    ...forms.ingressClass,
    default: () => "alb",
    description: "Class of the Ingress of review stacks.",
  }),
  reviewIngressNamespaces: setting({
    ...namespaces,
    default: () => [],
    description: "Namespaces whose pods may send requests to review stacks.",
  }),
  reviewMemory: setting({
    ...forms.memory,
    default: () => reviewNamespace.quota.memory,
    description: "Maximum memory that the quota of a review stack may allow.",
  }),
  reviewPods: setting({
    ...forms.integer(1, 1000),
    default: () => reviewNamespace.quota.pods,
    description: "Maximum number of pods that the quota of a review stack may allow.",
  }),
  stagingNamespace: setting({
    ...forms.dnsLabel,
    default: () => `${service}-staging`,
    description: "Namespace of staging.",
  }),
  stateBucket: required({
    ...text("the name of an S3 bucket", /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
    description: "Bucket of the Pulumi states. Create the bucket before everything else.",
  }),
  stateKeyArns: required({
    ...forms.objectOf("an object with the ARN of a KMS key for each environment", {
      prod: optional(keyArn),
      review: optional(keyArn),
      staging: optional(keyArn),
    }),
    description: "KMS key for the secrets in the state of each environment in the account.",
  }),
  // The pattern excludes IAM's wildcards, which would match other repositories and branches, too.
  vcsOrigin: required({
    ...text(
      "a repository, such as github.com/organization/repository",
      /^[a-z0-9.-]+(?:\/[\w.-]+){2}$/,
    ),
    description: "The claim `vcs-origin` of CircleCI's tokens.",
  }),
} as const;

/** Returns all environments in the clusters of the account. */
export function environmentsOf({
  clusters,
}: Pick<PlatformSettings, "clusters">): readonly Environment[] {
  return clusters.flatMap(({ environments }) => environments);
}

/** Returns an issue for each wrong combination of valid values. */
function combinationIssues(values: ValuesOf<typeof table>): readonly string[] {
  const { prodNamespace, stagingNamespace, stateKeyArns } = values;
  const here = environmentsOf(values);
  const keys = here.map((environment) => stateKeyArns[environment]);
  const rules: readonly (readonly [boolean, string])[] = [
    [
      new Set(here).size === here.length,
      `clusters must contain each environment only once, got ${here.join(", ")}`,
    ],
    [
      keys.every((key) => key !== undefined) && new Set(keys).size === here.length,
      `stateKeyArns must have a different KMS key for each environment (${here.join(", ")})`,
    ],
    [
      (values.circleciDeployProjectId === undefined) === (deployProject === undefined),
      "circleciDeployProjectId must be set if config/circleci.ts names a deploy project, and only then",
    ],
    [
      values.circleciDeployProjectId !== values.circleciProjectId,
      "circleciDeployProjectId must not be the service's own project, because the jobs of that project run the code of branches",
    ],
    [
      prodNamespace !== stagingNamespace,
      `stagingNamespace must not be production's namespace, got "${stagingNamespace}"`,
    ],
  ];
  return rules.filter(([good]) => !good).map(([, issue]) => `${project}:${issue}`);
}

/**
 * Returns the settings from the configuration of a stack of the platform.
 *
 * @throws pulumi.RunError if a value is not valid, with an issue for each such value in one
 * message. If all values are valid, the message has an issue for each wrong combination of values.
 */
export function platformSettings(config: Config, stack: string): PlatformSettings {
  const source = { config, env: {}, file: `platform/Pulumi.${stack}.yaml`, project };
  // No default in this table uses the last argument, so this argument can be empty.
  const { issues, values } = readTable(table, source, {} as Surroundings);
  const all = issues.length > 0 ? issues : combinationIssues(values);
  if (all.length > 0) {
    throw new pulumi.RunError(`Settings of the platform:\n- ${all.join("\n- ")}`);
  }
  return {
    circleci: {
      approverIds: values.approverIds,
      deployProjectId: values.circleciDeployProjectId,
      organizationId: values.circleciOrganizationId,
      projectId: values.circleciProjectId,
      vcsOrigin: values.vcsOrigin,
    },
    clusters: values.clusters,
    namespaces: { prod: values.prodNamespace, staging: values.stagingNamespace },
    people: values.people,
    productionAccountId: values.productionAccountId,
    review: {
      cpu: values.reviewCpu,
      domain: values.reviewDomain,
      dnsCidrs: values.reviewDnsCidrs,
      egressCidrs: values.reviewEgressCidrs,
      ingressCidrs: values.reviewIngressCidrs,
      ingressClassName: values.reviewIngressClassName,
      ingressNamespaces: values.reviewIngressNamespaces,
      memory: values.reviewMemory,
      pods: values.reviewPods,
    },
    stateBucket: values.stateBucket,
    stateKeyArns: values.stateKeyArns,
  };
}

/** Returns the settings of the running stack. Only `index.ts` calls this function. */
export function readSettings(): PlatformSettings {
  return platformSettings(runtimeConfig(), pulumi.getStack());
}
