import assert from "node:assert/strict";
import { kubectlEnvironment, net, paths } from "../../sandbox/layout";

describe("kubectl's environment", () => {
  it("keeps kubectl's cache in the sandbox's directory", () => {
    const { KUBECACHEDIR } = kubectlEnvironment({});
    assert.ok(KUBECACHEDIR?.startsWith(`${paths.cluster}/`), KUBECACHEDIR);
  });

  it("asks no proxy for the sandbox's addresses, and keeps the shell's exceptions", () => {
    const shell = { HTTPS_PROXY: "http://proxy.example:3128", NO_PROXY: "example.com,localhost" };
    const { NO_PROXY, no_proxy } = kubectlEnvironment(shell);
    assert.equal(NO_PROXY, `example.com,localhost,${net.everything},127.0.0.1`);
    assert.equal(no_proxy, NO_PROXY);
  });

  it("reads the exceptions in lower case, too", () => {
    assert.match(kubectlEnvironment({ no_proxy: "a.example" })["NO_PROXY"] ?? "", /^a\.example,/);
  });
});
