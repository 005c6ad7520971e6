import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { withoutAmbientKubeconfig } from "../components/conventions/ambient-kubeconfig";
import { withCheapErrors } from "../components/conventions/expected-error";
import {
  isClusterCiRole,
  type CiRoleName,
  ciRoles,
  roleName,
} from "../components/conventions/ci-roles";
import { service } from "../config/service";
import { environmentNames, environments } from "../environments";
import { AdmissionPolicies } from "./admission/admission-policies";
import { CiRole } from "./ci-role";
import { ClusterAccess } from "./cluster-access";
import { ClusterRights } from "./cluster-rights";
import { EnvironmentNamespace } from "./environment-namespace";
import { ImageRepository } from "./image-repository";
import { groupsOfPeople } from "./people";
import { permissions } from "./permissions";
import {
  type ClusterSettings,
  environmentsOf,
  type PlatformSettings,
  readSettings,
} from "./settings";
import { issuer } from "./trust";

/** Function that reads the settings. Tests pass their own function. */
const outside = { readSettings };

/**
 * The Pulumi program of the platform. The program creates the resources that the environments share
 * and that a branch must not change: image repositories, IAM roles, namespaces, admission policies,
 * and the identities and permissions in the clusters.
 */
async function program({ readSettings } = outside): Promise<pulumi.Inputs> {
  const settings = readSettings();
  const { circleci, clusters, productionAccountId, stateBucket, stateKeyArns } = settings;

  const here = environmentsOf(settings);
  // The repository is in staging's account. Production pulls the images that staging has pushed,
  // even if production is in another account.
  const repository = here.includes("staging")
    ? new ImageRepository("images", { productionAccountId, repository: service })
    : undefined;
  // The jobs of every branch can push to this repository, so the images of staging and production
  // are in the other repository.
  const reviewRepository = here.includes("review")
    ? new ImageRepository("review-images", {
        buildDays: 30,
        productionAccountId,
        repository: `${service}-review`,
      })
    : undefined;

  const provider = new aws.iam.OpenIdConnectProvider("circleci", {
    clientIdLists: [circleci.organizationId],
    url: `https://${issuer(circleci)}`,
  });

  // If a cluster does not exist, these calls fail before the program creates any cluster resource.
  const arns = await Promise.all(
    clusters.map(async ({ name }) => (await aws.eks.getCluster({ name })).arn),
  );
  const roles: Partial<Record<CiRoleName, pulumi.Output<string>>> = {};
  for (const ciRole of ciRoles) {
    const clusterArns = arns.filter((_, i) => concerns(ciRole, clusters[i]));
    if (clusterArns.length === 0) continue;
    const statements = pulumi
      .all([repository?.arn, reviewRepository?.arn])
      .apply(([repositoryArn, reviewRepositoryArn]) =>
        permissions(ciRole, {
          clusterArns,
          keyArns: stateKeyArns,
          repositoryArn,
          reviewRepositoryArn,
          stateBucket,
        }),
      );
    const args = { circleci, providerArn: provider.arn, ciRole, statements };
    roles[ciRole] = new CiRole(roleName(ciRole), args).arn;
  }

  for (const cluster of clusters) inCluster(cluster, settings, roles);

  return {
    repositoryUrl: repository?.url,
    reviewRepositoryUrl: reviewRepository?.url,
    roleArns: roles,
  };
}

/**
 * Whether a CI role uses a cluster. Roles that do not belong to one environment, such as the role
 * for previews, use every cluster.
 */
function concerns(ciRole: CiRoleName, cluster: ClusterSettings | undefined): boolean {
  const own = environmentNames.find((name) => [name, `${name}-removal`].includes(ciRole));
  if (own === undefined) return true;
  const { canaryOf = own } = environments[own];
  return cluster?.environments.some((environment) => environment === canaryOf) === true;
}

/** Creates the identities, namespaces, admission policies and permissions in one cluster. */
function inCluster(
  cluster: ClusterSettings,
  { circleci, namespaces: names, people, review: limits }: PlatformSettings,
  roles: Readonly<Partial<Record<CiRoleName, pulumi.Output<string>>>>,
): void {
  const { context, environments: here, name } = cluster;
  const review = here.includes("review");
  const known = Object.entries(roles).filter(
    ([ciRole]) => isClusterCiRole(ciRole as CiRoleName) && concerns(ciRole as CiRoleName, cluster),
  );
  new ClusterAccess(`${name}-access`, {
    circleci,
    clusterName: name,
    people: groupsOfPeople(people, here),
    removalRole:
      review && circleci.deployProjectId !== undefined ? roles["review-removal"] : undefined,
    review,
    roles: Object.fromEntries(known),
  });

  const where = context === undefined ? {} : { context };
  const provider = withoutAmbientKubeconfig(() => new k8s.Provider(name, where));
  const opts = { providers: [provider] };
  const namespaces: { prod?: string; staging?: string } = {};
  const made: pulumi.Resource[] = [];
  for (const environment of here) {
    // Each review stack creates its own namespace.
    if (environment === "review") continue;
    const namespace = names[environment];
    namespaces[environment] = namespace;
    made.push(
      new EnvironmentNamespace(`${environment}-namespace`, { environment, namespace }, opts),
    );
  }
  // The permissions depend on the policies, because the permissions of review jobs are safe only
  // with the policies.
  made.push(
    new AdmissionPolicies(
      `${name}-admission`,
      { circleci, environments: here, review: limits },
      opts,
    ),
  );
  new ClusterRights(
    `${name}-rights`,
    { circleci, namespaces, review },
    { ...opts, dependsOn: made },
  );
}

export = withCheapErrors(program);
