import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultWorkspace } from "../../../operations/pulumi/run-pulumi";
import { settingsOf } from "../../../operations/pulumi/settings";

describe("settings that a command reads from a stack settings file", () => {
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), "stack-file-"));
  });
  afterEach(() => {
    rmSync(cwd, { force: true, recursive: true });
  });
  const file = (stack: string, line: string): void => {
    writeFileSync(
      join(cwd, `Pulumi.${stack}.yaml`),
      `config:\n  services-orders:databaseHost: db\n  services-orders:domain: example.com\n  ${line}\n`,
    );
  };

  it("are those of the program", async () => {
    file("prod", 'services-orders:replicas: "4"');
    assert.equal((await settingsOf("prod", { ...defaultWorkspace, cwd })).replicas, 4);
    assert.equal((await settingsOf("prod-canary", { ...defaultWorkspace, cwd })).replicas, 1);
  });

  for (const stack of ["prod", "prod-canary"]) {
    it(`refuse a secret of ${stack} with the program's words`, async () => {
      file("prod", "services-orders:domain2: { secure: v1:abc }");
      await assert.rejects(settingsOf(stack, { ...defaultWorkspace, cwd }), (error: Error) => {
        assert.equal(
          error.message,
          `Stack "${stack}" cannot be used:\n- services-orders:domain2 is stored with --secret, but Pulumi's configuration must not contain secrets: if the value is not secret, store it without --secret; if it is secret, put it into a Secret of the cluster`,
        );
        return true;
      });
    });
  }
});
