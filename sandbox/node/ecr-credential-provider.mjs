// The kubelet's credential provider for images in Amazon ECR, for tests. On EKS, a program from AWS
// with the same name does this work. The kubelet writes a CredentialProviderRequest to the standard
// input of this program, and reads a CredentialProviderResponse from the standard output:
// https://kubernetes.io/docs/reference/config-api/kubelet-credentialprovider.v1/
//
// This program does not sign the request to ECR, because a node of the sandbox has no role in AWS.
// The kubelet does not cache the responses, because a test changes the clock of ECR, but not the
// clock of the kubelet.

let input = "";
for await (const chunk of process.stdin) input += chunk;
const { image } = JSON.parse(input);
const [host] = image.split("/");
const [, region] = /^\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com$/.exec(host) ?? [];
if (region === undefined) throw new Error(`${host} is not a registry of ECR`);

const answer = await fetch(`https://api.ecr.${region}.amazonaws.com/`, {
  body: "{}",
  headers: {
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
  },
  method: "POST",
  signal: AbortSignal.timeout(20_000),
});
const text = await answer.text();
if (!answer.ok) throw new Error(`ECR answers ${answer.status}: ${text}`);
const [{ authorizationToken }] = JSON.parse(text).authorizationData;
const [username, password] = Buffer.from(authorizationToken, "base64").toString().split(":");
console.log(
  JSON.stringify({
    apiVersion: "credentialprovider.kubelet.k8s.io/v1",
    auth: { [host]: { password, username } },
    cacheDuration: "0s",
    cacheKeyType: "Registry",
    kind: "CredentialProviderResponse",
  }),
);
