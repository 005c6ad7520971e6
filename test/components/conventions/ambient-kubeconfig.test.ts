import assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import { withoutAmbientKubeconfig } from "../../../components/conventions/ambient-kubeconfig";
import { record, settled } from "../../support/mocks";

describe("the ambient kubeconfig", () => {
  it("leaves no path of this machine in the state", async () => {
    const was = process.env["KUBECONFIG"];
    process.env["KUBECONFIG"] = "/home/ada/.kube/config";
    try {
      const recorder = await record();
      withoutAmbientKubeconfig(() => new k8s.Provider("hidden", { context: "prod" }));
      new k8s.Provider("shown", {});
      await settled();
      const inputs = Object.fromEntries(
        recorder
          .all("pulumi:providers:kubernetes")
          .map((provider) => [provider.name, provider.inputs as Readonly<Record<string, unknown>>]),
      );
      assert.equal(inputs["hidden"]?.["context"], "prod");
      assert.equal(inputs["hidden"]["kubeconfig"], undefined);
      // Pulumi's Kubernetes SDK itself reads KUBECONFIG. If this assertion fails, the SDK no longer
      // reads the variable, so `withoutAmbientKubeconfig` is no longer necessary.
      assert.equal(inputs["shown"]?.["kubeconfig"], "/home/ada/.kube/config");
      assert.equal(process.env["KUBECONFIG"], "/home/ada/.kube/config");
    } finally {
      if (was === undefined) delete process.env["KUBECONFIG"];
      else process.env["KUBECONFIG"] = was;
    }
  });
});
