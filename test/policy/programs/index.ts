import { tmpdir } from "node:os";
import * as pulumi from "@pulumi/pulumi";
import { type Given, breaks, broken, program } from "../../support/objects";

/** Raw resources: importing @pulumi/kubernetes would take longer than everything else. */
class Raw extends pulumi.CustomResource {
  constructor({ name, opts, props, type }: Given, provider: pulumi.ProviderResource) {
    super(type, name, props, { ...opts, provider });
  }
}

/** Writes files instead of asking a cluster, and in a preview not even those. */
class Renderer extends pulumi.ProviderResource {
  constructor() {
    super("kubernetes", "kubernetes", { renderYamlToDirectory: tmpdir() });
  }
}

/** Name of a rule to break, or of a value that is not plain data; otherwise every rule holds. */
const chosen = process.env["POLICY_BREAK"] ?? "";

const [first] = breaks[chosen] ?? [];
const objects = first === undefined ? program(pulumi.getStack()) : broken(first);
const provider = new Renderer();
const namespace = new Raw(objects.namespace, provider);

if (chosen === "pulumi-secret") objects.configMap.props.data.token = pulumi.secret("hunter2");
if (chosen === "unknown-image") {
  // Known once the namespace exists, as an image's digest is once it is built.
  objects.deployment.props.spec.template.spec.containers[0].image = namespace.id;
}

for (const given of Object.values(objects)) {
  if (given !== objects.namespace) new Raw(given, provider);
}
