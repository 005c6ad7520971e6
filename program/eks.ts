import type * as Eks from "@pulumi/aws/eks";
import {
  type ClusterIdentity,
  type EksClusterName,
  eksUser,
} from "../components/conventions/eks-user";

/**
 * Returns a kubeconfig for an EKS cluster. The kubeconfig contains no token. With the identity
 * `aws`, kubectl and Pulumi run `aws eks get-token`, which creates a token for the IAM role of the
 * person or the CI job. With the identity `circleci-token`, kubectl and Pulumi use the token that
 * CircleCI has created for the CI job.
 *
 * @throws Error from AWS if the cluster does not exist, or if the IAM role has no permission to
 * describe the cluster.
 */
export async function eksKubeconfig(
  { name, region }: EksClusterName,
  identity: ClusterIdentity = "aws",
): Promise<string> {
  // The package is large, so this function loads the package only for a stack on EKS.
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
