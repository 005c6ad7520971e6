/** Name and region, which identify an EKS cluster. */
export interface EksClusterName {
  readonly name: string;
  readonly region: string;
}

/**
 * How a cluster identifies a user: by the IAM role, or by the token that CircleCI gives to a job.
 * The token contains the name of the branch. With `circleci-token`, the kubeconfig uses the IAM
 * role in only two cases: outside of CI, and if the environment variable CLUSTER_IDENTITY is `aws`.
 */
export type ClusterIdentity = "aws" | "circleci-token";

/**
 * Shell script that prints CircleCI's token, or runs the AWS CLI in the two cases of
 * {@link ClusterIdentity}. The script works in any POSIX shell. The kubeconfig contains the text of
 * the script and not a file path, because `pulumi destroy` must also work without a checkout of the
 * repository.
 */
const circleciToken = `if [ -n "$CIRCLE_OIDC_TOKEN_V2" ] && [ "$CLUSTER_IDENTITY" != aws ]; then
  printf '{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"%s"}}' "$CIRCLE_OIDC_TOKEN_V2"
else
  exec aws "$@"
fi`;

/**
 * Returns the user of a kubeconfig for an EKS cluster. The kubeconfig contains no token. At each
 * start, kubectl runs the command in the kubeconfig to get a token.
 */
export function eksUser({ name, region }: EksClusterName, identity: ClusterIdentity): object {
  const getToken = ["eks", "get-token", "--cluster-name", name, "--region", region];
  const args = [...getToken, "--output", "json"];
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1beta1",
    ...(identity === "aws"
      ? { args, command: "aws" }
      : { args: ["-c", circleciToken, "sh", ...args], command: "sh" }),
    interactiveMode: "Never",
  };
  return { exec };
}
