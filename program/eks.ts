import type * as Eks from "@pulumi/aws/eks";
import {
  type ClusterIdentity,
  type EksClusterName,
  eksUser,
} from "../components/conventions/eks-user";

/**
 * A kubeconfig for an EKS cluster. It contains no token. For each command, `aws eks get-token`
 * creates one with the role of the person or the CI job, or the token comes from the CI job.
 *
 * @throws Error of AWS if the cluster does not exist, or the role has no right to describe it.
 */
export async function eksKubeconfig(
  { name, region }: EksClusterName,
  identity: ClusterIdentity = "aws",
): Promise<string> {
  // Loaded only when it is needed: the package is large.
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
