import type * as Eks from "@pulumi/aws/eks";

/** An EKS cluster, by what it is found by. */
export interface EksClusterName {
  readonly name: string;
  readonly region: string;
}

/**
 * A kubeconfig for an EKS cluster. It holds no token: `aws eks get-token` makes one for each
 * command, with the role that the person or the CI job has.
 *
 * @throws Error of AWS when there is no such cluster, or no right to describe it.
 */
export async function eksKubeconfig({ name, region }: EksClusterName): Promise<string> {
  // Loaded only where it is needed: the package is large.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- import() is no module of ours
  const eks = require("@pulumi/aws/eks") as typeof Eks;
  const { arn, certificateAuthorities, endpoint } = await eks.getCluster({ name, region });
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1beta1",
    args: ["eks", "get-token", "--cluster-name", name, "--region", region, "--output", "json"],
    command: "aws",
    interactiveMode: "Never",
  };
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
    users: [{ name: arn, user: { exec } }],
  });
}
