import assert from "node:assert/strict";
import { join } from "node:path";
import { execa } from "execa";
import { project } from "../../../lib/project";

const script = join(project, "sandbox/node/ecr-credential-provider.mjs");
const host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/**
 * Runs the credential provider in the same way as the kubelet does. A stand-in for ECR's API
 * answers with this status and this body.
 */
async function ask(image: string, status = 200, answer = {}) {
  const code = `globalThis.fetch = async (url) => {
    console.error(url);
    return new Response(${JSON.stringify(JSON.stringify(answer))}, { status: ${String(status)} });
  };`;
  const preload = `data:text/javascript,${encodeURIComponent(code)}`;
  const apiVersion = "credentialprovider.kubelet.k8s.io/v1";
  const input = JSON.stringify({ apiVersion, image, kind: "CredentialProviderRequest" });
  return execa(process.execPath, ["--import", preload, script], { input, reject: false });
}

describe("the credential provider of the sandbox's kubelet", () => {
  it("gives the login that ECR's API of the image's region gives", async () => {
    const authorizationToken = Buffer.from("AWS:pass").toString("base64");
    const answer = { authorizationData: [{ authorizationToken }] };
    const { stderr, stdout } = await ask(`${host}/orders@sha256:${"a".repeat(64)}`, 200, answer);
    assert.equal(stderr, "https://api.ecr.eu-west-1.amazonaws.com/");
    assert.deepEqual(JSON.parse(stdout), {
      apiVersion: "credentialprovider.kubelet.k8s.io/v1",
      auth: { [host]: { password: "pass", username: "AWS" } },
      cacheDuration: "0s",
      cacheKeyType: "Registry",
      kind: "CredentialProviderResponse",
    });
  });

  it("fails without a right, and for another registry", async () => {
    const denied = await ask(`${host}/orders:1`, 400, { __type: "AccessDeniedException" });
    assert.notEqual(denied.exitCode, 0);
    assert.match(denied.stderr, /ECR answers 400: .*AccessDeniedException/);
    const other = await ask("ghcr.io/team/orders:1");
    assert.notEqual(other.exitCode, 0);
    assert.match(other.stderr, /ghcr\.io is not a registry of ECR/);
  });
});
