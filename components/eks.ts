import type * as Eks from "@pulumi/aws/eks";

/** An EKS cluster, by what it is found by. */
export interface EksClusterName {
  readonly name: string;
  readonly region: string;
}

/**
 * By what a cluster knows who asks: the role in AWS; or, in a CI job, the token that CircleCI gave
 * to the job and that says of which branch it is. Outside of CI it is the role all the same.
 */
export type ClusterIdentity = "aws" | "circleci-token";

/** Written for any shell, and without a file: `destroy` runs where there is no checkout. */
const circleciToken = `if [ -n "$CIRCLE_OIDC_TOKEN_V2" ]; then
  printf '{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"%s"}}' "$CIRCLE_OIDC_TOKEN_V2"
else
  exec aws "$@"
fi`;

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
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- import() is no module of ours
  const eks = require("@pulumi/aws/eks") as typeof Eks;
  const { arn, certificateAuthorities, endpoint } = await eks.getCluster({ name, region });
  const getToken = ["eks", "get-token", "--cluster-name", name, "--region", region];
  const args = [...getToken, "--output", "json"];
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1beta1",
    ...(identity === "aws"
      ? { args, command: "aws" }
      : { args: ["-c", circleciToken, "sh", ...args], command: "sh" }),
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
