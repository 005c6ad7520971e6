import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command } from "../../../lib/command";
import { pluginScript } from "../../../sandbox/node/new-pods";

describe("the pod network plugin of the sandbox", () => {
  const directory = mkdtempSync(join(tmpdir(), "services-orders-plugin-"));
  const [plugin, log] = [join(directory, "plugin"), join(directory, "log")];
  const result =
    '{\n  "cniVersion": "0.4.0",\n  "ips": [\n    {\n      "address": "198.18.0.7/16"}]}';

  after(() => {
    rmSync(directory, { force: true, recursive: true });
  });

  /**
   * Runs the plugin with stand-ins for ptp and ipset. Returns the plugin's output and ipset's
   * calls.
   */
  async function run(action: string, namespace: string, ptp = `cat <<'E'\n${result}\nE`) {
    const program = (name: string, body: string) => {
      writeFileSync(join(directory, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
      return join(directory, name);
    };
    writeFileSync(log, "");
    const ipset = program("ipset", `echo "$*" >> ${log}`);
    writeFileSync(plugin, pluginScript(program("ptp", ptp), ipset), { mode: 0o755 });
    const CNI_ARGS = `IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=a`;
    const output = await command(plugin, [], { env: { CNI_ARGS, CNI_COMMAND: action } });
    return { calls: readFileSync(log, "utf8").trim(), output };
  }

  it("closes the firewall for a new pod, and passes ptp's result on", async () => {
    const { calls, output } = await run("ADD", "services-orders-staging");
    assert.equal(calls, "add -exist sandbox-new-pods 198.18.0.7");
    assert.equal(output, result);
  });

  it("opens it for some seconds in a namespace of the standard mode", async () => {
    const { calls } = await run("ADD", "standard-mode-review-a");
    assert.equal(calls, "add -exist sandbox-open-pods 198.18.0.7 timeout 6");
  });

  it("leaves the firewall alone when a pod ends", async () => {
    assert.equal((await run("DEL", "services-orders-staging")).calls, "");
  });

  it("fails if ptp fails, and passes its error on", async () => {
    const failing = run("ADD", "services-orders-staging", "echo '{\"code\": 7}'; exit 3");
    await assert.rejects(failing, /exit code 3.*\{"code": 7\}/s);
    assert.equal(readFileSync(log, "utf8"), "");
  });
});
