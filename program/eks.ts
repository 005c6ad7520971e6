import type * as Eks from "@pulumi/aws/eks";
import {
  type ClusterIdentity,
  type EksClusterName,
  eksUser,
} from "../components/conventions/eks-user";

/**
 * Returns a kubeconfig for an EKS cluster. The kubeconfig contains no token. For each command,
 * `aws eks get-token` creates a token with the role of the person or the CI job. With the identity
 * `circleci-token`, a CI job uses CircleCI's token.
 *
 * @throws Error of AWS if the cluster does not exist, or if the role has no permission to describe
 * the cluster.
 */
export async function eksKubeconfig(
  { name, region }: EksClusterName,
  identity: ClusterIdentity = "aws",
): Promise<string> {
  // Loads the package only when this function needs it, because the package is large.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- not a module of ours
  const eks = require("@pulumi/aws/eks") as typeof Eks;
  const { arn, certificateAuthorities, endpoint } = await eks.getCluster({ name, region });
  return JSON.stringify({
    apiVersion: "v1",
    clusters: [
      {
        cluster: {
          "certificate-authority-data": certificateAuthorities[0]?.data,
          server: endpoint,
        },
        name: arn,
      },
    ],
    contexts: [{ context: { cluster: arn, user: arn }, name: arn }],
    "current-context": arn,
    kind: "Config",
    users: [{ name: arn, user: eksUser({ name, region }, identity) }],
  });
}
