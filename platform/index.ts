import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Purpose, purposes, roleName } from "../components/conventions/purposes";
import { service } from "../components/conventions/stacks";
import { AdmissionPolicies } from "./admission-policies";
import { CiRole } from "./ci-role";
import { ClusterAccess } from "./cluster-access";
import { ClusterRights } from "./cluster-rights";
import { EnvironmentNamespace } from "./environment-namespace";
import { ImageRepository } from "./image-repository";
import { permissions } from "./permissions";
import { readSettings } from "./settings";
import { issuer } from "./trust";

/** Where the program asks what is outside of it; tests give other answers. */
const outside = { readSettings };

/**
 * What environments share and a branch must not touch: repositories, roles, who is who in the
 * cluster, and what they may do there.
 */
async function program({ readSettings } = outside): Promise<pulumi.Inputs> {
  const settings = readSettings();
  const { circleci, clusterName, context, environments, productionAccountId } = settings;
  const has = (environment: (typeof environments)[number]) => environments.includes(environment);

  const repository = new ImageRepository("images", { productionAccountId, repository: service });
  // The code of every branch pushes here: production's tags and layers are elsewhere.
  const reviewRepository = new ImageRepository("review-images", {
    buildDays: 30,
    productionAccountId,
    repository: `${service}-review`,
  });

  const provider = new aws.iam.OpenIdConnectProvider("circleci", {
    clientIdLists: [circleci.organizationId],
    url: `https://${issuer(circleci)}`,
  });

  // Also says at once when there is no such cluster.
  const { arn: clusterArn } = await aws.eks.getCluster({ name: clusterName });
  const targets = pulumi.all([repository.arn, reviewRepository.arn]).apply(([own, review]) => ({
    clusterArn,
    environmentsKeyArn: settings.environmentsKeyArn,
    repositoryArn: own,
    reviewKeyArn: settings.reviewKeyArn,
    reviewRepositoryArn: review,
    stateBucket: settings.stateBucket,
  }));
  const needed: Readonly<Record<Purpose, boolean>> = {
    "canary-removal": has("prod"),
    preview: true,
    prod: has("prod"),
    review: has("review"),
    staging: has("staging"),
  };
  const roles = Object.fromEntries(
    purposes
      .filter((purpose) => needed[purpose])
      .map((purpose) => [
        purpose,
        new CiRole(roleName(purpose), {
          circleci,
          providerArn: provider.arn,
          purpose,
          statements: targets.apply((known) => permissions(purpose, known)),
        }).arn,
      ]),
  ) as Partial<Record<Purpose, pulumi.Output<string>>>;
  const knownByRole = Object.fromEntries(
    Object.entries(roles).filter(([purpose]) => purpose !== "review"),
  );
  new ClusterAccess("cluster-access", {
    circleci,
    clusterName,
    review: has("review"),
    roles: knownByRole,
  });

  const cluster = {
    providers: [new k8s.Provider("kubernetes", context === undefined ? {} : { context })],
  };
  const namespaces: { prod?: string; staging?: string } = {};
  for (const environment of ["staging", "prod"] as const) {
    if (!has(environment)) continue;
    const namespace = settings.namespaces[environment];
    namespaces[environment] = namespace;
    new EnvironmentNamespace(`${environment}-namespace`, { environment, namespace }, cluster);
  }
  // Policies first: the rights of review jobs are only safe under them.
  const policies = new AdmissionPolicies("admission", settings, cluster);
  new ClusterRights(
    "rights",
    { circleci, namespaces, review: has("review") },
    { ...cluster, dependsOn: policies },
  );

  return {
    repositoryUrl: repository.url,
    reviewRepositoryUrl: reviewRepository.url,
    roleArns: roles,
  };
}

export = program;
