import { tmpdir } from "node:os";
import * as pulumi from "@pulumi/pulumi";
import { type Given, breaks, program } from "../../support/objects";

/**
 * A Kubernetes resource. The program does not use the classes of @pulumi/kubernetes, because the
 * import of these classes would take most of the program's time.
 */
class Raw extends pulumi.CustomResource {
  constructor({ name, opts, props, type }: Given, provider: pulumi.ProviderResource) {
    super(type, name, props, { ...opts, provider });
  }
}

/**
 * A Kubernetes provider that writes manifests to files, so that the program needs no cluster. In a
 * preview, the provider writes no files.
 */
class Renderer extends pulumi.ProviderResource {
  constructor() {
    super("kubernetes", "kubernetes", { renderYamlToDirectory: tmpdir() });
  }
}

/**
 * Names of the rules that the objects break. The environment variable POLICY_BREAK contains the
 * names, separated by commas. A name can also be one of the special cases `pulumi-secret` and
 * `unknown-image`. If the variable is not set, the objects break no rule.
 */
const chosen = (process.env["POLICY_BREAK"] ?? "").split(",");

const objects = program(pulumi.getStack());
for (const rule of chosen) breaks[rule]?.[0]?.change(objects);
const provider = new Renderer();
const namespace = new Raw(objects.namespace, provider);

if (chosen.includes("pulumi-secret")) {
  objects.configMap.props.data.token = pulumi.secret("hunter2");
}
if (chosen.includes("unknown-image")) {
  // A preview does not know this value, because the id of the namespace exists only after Pulumi
  // has created the namespace. In the same way, the digest of an image exists only after the build.
  objects.deployment.props.spec.template.spec.containers[0].image = namespace.id;
}

for (const given of Object.values(objects)) {
  if (given !== objects.namespace) new Raw(given, provider);
}
