import type * as Eks from "@pulumi/aws/eks";
import {
  type ClusterIdentity,
  type EksClusterName,
  eksUser,
} from "../components/conventions/eks-user";

/**
 * A kubeconfig for an EKS cluster. It holds no token: one is made for each command, by
 * `aws eks get-token` with the role that the person or the CI job has, or taken from the job.
 *
 * @throws Error of AWS when there is no such cluster, or no right to describe it.
 */
export async function eksKubeconfig(
  { name, region }: EksClusterName,
  identity: ClusterIdentity = "aws",
): Promise<string> {
  // Loaded only where it is needed: the package is large.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- not our own module
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
