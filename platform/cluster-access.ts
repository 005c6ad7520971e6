import * as eks from "@pulumi/aws/eks";
import * as pulumi from "@pulumi/pulumi";
import {
  type ClusterCiRoleName,
  clusterGroup,
  removalUser,
  reviewGroup,
  tokenPrefix,
} from "../components/conventions/ci-roles";
import { service } from "../config/service";
import type { CircleCi } from "./settings";
import { issuer } from "./trust";

export interface ClusterAccessArgs {
  readonly circleci: CircleCi;
  /**
   * ARN of the IAM role of the jobs that remove review stacks. Undefined without a deploy project.
   */
  readonly removalRole: pulumi.Input<string> | undefined;
  readonly clusterName: string;
  /** Kubernetes groups of people, by the ARN of an IAM role that these people may assume. */
  readonly people: Readonly<Record<string, readonly string[]>>;
  /** Whether the cluster accepts CircleCI's tokens, which review jobs use. */
  readonly review: boolean;
  /**
   * ARNs of the IAM roles of CI jobs, by the name of the CI role. Contains only the CI roles that
   * the cluster identifies by an IAM role.
   */
  readonly roles: Readonly<Partial<Record<ClusterCiRoleName, pulumi.Input<string>>>>;
}

/**
 * The identities of CI jobs and of people in the EKS cluster. EKS maps each IAM role to Kubernetes
 * groups. Review jobs authenticate with CircleCI's token instead of their IAM role. With the IAM
 * role, the cluster could not distinguish branches: all review jobs share one IAM role, and each
 * job chooses its own session name. CircleCI itself writes the branch into the token. The
 * Kubernetes user of a review job contains this branch, so one branch cannot impersonate another
 * branch.
 */
export class ClusterAccess extends pulumi.ComponentResource {
  constructor(name: string, args: ClusterAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:aws:ClusterAccess", name, args, opts);
    const { circleci, clusterName, people, removalRole, review, roles } = args;
    for (const [ciRole, principalArn] of Object.entries(roles)) {
      const group = clusterGroup(ciRole as ClusterCiRoleName);
      new eks.AccessEntry(
        `${name}-${ciRole}`,
        {
          clusterName,
          kubernetesGroups: [group],
          principalArn,
          type: "STANDARD",
          // No permission depends on the user's name, because the job that assumes the role chooses
          // the session's name. The user's name is only for the audit log.
          userName: `${group}:{{SessionName}}`,
        },
        { parent: this },
      );
    }
    for (const [principalArn, kubernetesGroups] of Object.entries(people)) {
      new eks.AccessEntry(
        // This name contains the account, because two roles in different accounts may have the same
        // name.
        `${name}-${principalArn.replace(/^arn:[^:]*:iam::/, "")}`,
        {
          clusterName,
          kubernetesGroups: [...kubernetesGroups],
          principalArn,
          type: "STANDARD",
          // With IAM Identity Center, the session's name is the person's user name.
          userName: `${service}:person:{{SessionName}}`,
        },
        { parent: this },
      );
    }
    if (removalRole !== undefined) {
      // EKS accepts the tokens of only one CircleCI project: the service's project. So a job of the
      // deploy project authenticates with its IAM role.
      new eks.AccessEntry(
        `${name}-review-removal`,
        {
          clusterName,
          kubernetesGroups: [reviewGroup(circleci.projectId)],
          principalArn: removalRole,
          type: "STANDARD",
          userName: removalUser(true),
        },
        { parent: this },
      );
    }
    if (review) {
      new eks.IdentityProviderConfig(
        `${name}-circleci`,
        {
          clusterName,
          oidc: {
            clientId: circleci.organizationId,
            groupsClaim: "oidc.circleci.com/project-id",
            groupsPrefix: tokenPrefix,
            identityProviderConfigName: "circleci",
            issuerUrl: `https://${issuer(circleci)}`,
            requiredClaims: {
              "oidc.circleci.com/project-id": circleci.projectId,
              "oidc.circleci.com/vcs-origin": circleci.vcsOrigin,
            },
            usernameClaim: "oidc.circleci.com/vcs-ref",
            usernamePrefix: tokenPrefix,
          },
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}
