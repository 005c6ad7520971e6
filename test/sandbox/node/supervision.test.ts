import assert from "node:assert/strict";
import { daemonEnvironment } from "../../../sandbox/node/supervision";

describe("a daemon's environment", () => {
  const login = {
    DBUS_SESSION_BUS_ADDRESS: "unix:path=/run/user/0/bus",
    HOME: "/root",
    HTTPS_PROXY: "http://proxy.example:3128",
    KUBECONFIG: "/root/.kube/config",
    NO_PROXY: "example.com",
    NOTIFY_SOCKET: "/run/systemd/notify",
    SSL_CERT_FILE: "/etc/company.pem",
    XDG_RUNTIME_DIR: "/run/user/0",
  };

  it("has no variable of a login, and no proxy in the node's network", () => {
    assert.deepEqual(daemonEnvironment(login, "node"), {
      HOME: "/root",
      SSL_CERT_FILE: "/etc/company.pem",
    });
  });

  it("has the machine's proxy in the machine's network, where images are pulled", () => {
    assert.deepEqual(daemonEnvironment(login, "edge"), {
      HOME: "/root",
      HTTPS_PROXY: "http://proxy.example:3128",
      NO_PROXY: "example.com",
      SSL_CERT_FILE: "/etc/company.pem",
    });
  });

  it("leaves out what the shell does not have", () => {
    assert.deepEqual(daemonEnvironment({}, "edge"), {});
  });
});
