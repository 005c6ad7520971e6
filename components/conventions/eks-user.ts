/** An EKS cluster, by what it is found by. */
export interface EksClusterName {
  readonly name: string;
  readonly region: string;
}

/**
 * How a cluster identifies a user: by the AWS role, or by the token that CircleCI gives to a job.
 * That token names the branch. Outside of CI, and with CLUSTER_IDENTITY=aws, it is always the role.
 */
export type ClusterIdentity = "aws" | "circleci-token";

/** Written for any shell, and without a file: `destroy` runs where there is no checkout. */
const circleciToken = `if [ -n "$CIRCLE_OIDC_TOKEN_V2" ] && [ "$CLUSTER_IDENTITY" != aws ]; then
  printf '{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"%s"}}' "$CIRCLE_OIDC_TOKEN_V2"
else
  exec aws "$@"
fi`;

/** The user of a kubeconfig for an EKS cluster: it holds no token, one is made for each command. */
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
