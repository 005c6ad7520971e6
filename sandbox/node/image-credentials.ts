import { chmodSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { project } from "../../lib/project";
import { config } from "./daemons";
import { testAuthority } from "./test-authority";

const provider = "ecr-credential-provider";

/**
 * Returns the kubelet's arguments for a credential provider for images in Amazon ECR. A node of EKS
 * has the same kind of arguments. The kubelet starts this provider only for images in ECR. Only a
 * test with a stand-in for ECR uses such images.
 *
 * @see https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider/
 */
export function imageCredentials(): readonly string[] {
  const script = readFileSync(join(project, "sandbox", "node", `${provider}.mjs`), "utf8");
  // The kubelet uses a copy of the script, because someone may delete this checkout while the
  // kubelet still runs.
  const copy = config(`${provider}.mjs`, script);
  const program = config(
    join("credential-providers", provider),
    `#!/bin/sh\nexec "${process.execPath}" "${copy}"\n`,
  );
  chmodSync(program, 0o755);
  const file = config(
    "credential-providers.yaml",
    stringify({
      apiVersion: "kubelet.config.k8s.io/v1",
      kind: "CredentialProviderConfig",
      providers: [
        {
          name: provider,
          apiVersion: "credentialprovider.kubelet.k8s.io/v1",
          defaultCacheDuration: "0s",
          env: [{ name: "NODE_EXTRA_CA_CERTS", value: testAuthority }],
          matchImages: ["*.dkr.ecr.*.amazonaws.com"],
        },
      ],
    }),
  );
  return [
    `--image-credential-provider-config=${file}`,
    `--image-credential-provider-bin-dir=${dirname(program)}`,
  ];
}
