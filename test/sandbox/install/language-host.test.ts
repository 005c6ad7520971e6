import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { project } from "../../../lib/project";
import { modules } from "../../../sandbox/install/go-build";

describe("the script that starts the language host", () => {
  const directory = mkdtempSync(join(tmpdir(), "services-orders-language-host-"));
  const script = join(directory, "pulumi-language-nodejs");
  before(() => {
    copyFileSync(join(modules, "language-host", "pulumi-language-nodejs"), script);
    // This script takes the place of the language host, and prints its arguments.
    writeFileSync(join(directory, "nodejs-language-host"), '#!/bin/sh\nprintf "<%s>" "$@"\n', {
      mode: 0o755,
    });
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });

  /** Runs the script in a directory, and returns the arguments of the language host. */
  const argumentsIn = (cwd: string): string =>
    execFileSync(script, ["127.0.0.1:4000", "a b"], { cwd, encoding: "utf8" });

  it("passes the option of both programs not to load TypeScript", () => {
    for (const file of ["Pulumi.yaml", "platform/Pulumi.yaml"]) {
      assert.equal(
        argumentsIn(dirname(join(project, file))),
        "<-typescript=false><127.0.0.1:4000><a b>",
        file,
      );
    }
  });

  it("passes no option of a program without options, or without Pulumi.yaml", () => {
    assert.equal(argumentsIn(directory), "<127.0.0.1:4000><a b>");
    writeFileSync(join(directory, "Pulumi.yaml"), "name: other\nruntime: nodejs\n");
    assert.equal(argumentsIn(directory), "<127.0.0.1:4000><a b>");
  });
});
