import { tmpdir } from "node:os";
import * as pulumi from "@pulumi/pulumi";
import { type Given, breaks, broken, program } from "../../support/objects";

/**
 * A resource without its SDK class, because importing @pulumi/kubernetes would take longer than
 * everything else.
 */
class Raw extends pulumi.CustomResource {
  constructor({ name, opts, props, type }: Given, provider: pulumi.ProviderResource) {
    super(type, name, props, { ...opts, provider });
  }
}

/**
 * A provider that writes files and needs no cluster. In a preview, it does not write the files
 * either.
 */
class Renderer extends pulumi.ProviderResource {
  constructor() {
    super("kubernetes", "kubernetes", { renderYamlToDirectory: tmpdir() });
  }
}

/**
 * Name of a rule to break, or `pulumi-secret` or `unknown-image`. Otherwise, the objects break no
 * rule.
 */
const chosen = process.env["POLICY_BREAK"] ?? "";

const [first] = breaks[chosen] ?? [];
const objects = first === undefined ? program(pulumi.getStack()) : broken(first);
const provider = new Renderer();
const namespace = new Raw(objects.namespace, provider);

if (chosen === "pulumi-secret") objects.configMap.props.data.token = pulumi.secret("hunter2");
if (chosen === "unknown-image") {
  // This value is known only after the namespace is created. An image's digest is also known only
  // after the build.
  objects.deployment.props.spec.template.spec.containers[0].image = namespace.id;
}

for (const given of Object.values(objects)) {
  if (given !== objects.namespace) new Raw(given, provider);
}
