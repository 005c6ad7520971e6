import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { execa } from "execa";
import { project } from "../../tools/build";
import { environment } from "../../tools/sandbox/environment";
import { breaks } from "../policy/objects";

const directory = mkdtempSync(join(tmpdir(), "services-orders-policy-"));
const state = join(directory, "state");

/** Runs Pulumi on the program that the pack is tried on, with a state of its own. */
async function pulumi(args: readonly string[], stack: string, what = "") {
  const { all, exitCode } = await execa(
    "pulumi",
    [...args, "--stack", stack, "--non-interactive"],
    {
      all: true,
      cwd: directory,
      env: { ...environment(), POLICY_BREAK: what, PULUMI_BACKEND_URL: `file://${state}` },
      reject: false,
      timeout: 60_000,
    },
  );
  return { exitCode, output: all };
}

/** A preview with the pack, as `npm run up` makes one. */
async function preview(stack: string, what = "") {
  const pack = join(project, "policy");
  return pulumi(["preview", "--policy-pack", pack], stack, what);
}

describe("the policy pack, with the engine", () => {
  const stacks = ["prod", "review-x", "staging"];

  before(async () => {
    mkdirSync(state);
    // Pulumi writes files of stacks beside Pulumi.yaml, and they are none of the project's.
    for (const path of ["test/policy/programs/Pulumi.yaml", "test/policy/programs/index.ts"]) {
      symlinkSync(join(project, path), join(directory, basename(path)));
    }
    for (const name of ["node_modules", "package.json"]) {
      symlinkSync(join(project, name), join(directory, name));
    }
    for (const stack of stacks) {
      const { exitCode, output } = await pulumi(["stack", "init"], stack);
      assert.equal(exitCode, 0, output);
    }
  });

  after(() => {
    rmSync(directory, { force: true, recursive: true });
  });

  for (const stack of stacks) {
    it(`lets a program pass that is fit for stack ${stack}`, async () => {
      const { exitCode, output } = await preview(stack);
      assert.equal(exitCode, 0, output);
      assert.match(output, /Policies:\s+✅ services-orders/);
    });
  }

  for (const [rule, [first]] of Object.entries(breaks)) {
    it(`stops a program that breaks ${rule}, and says where`, async () => {
      assert.ok(first !== undefined);
      const { exitCode, output } = await preview(first.stack ?? "staging", rule);
      assert.notEqual(exitCode, 0, output);
      assert.ok(output.includes(first.message), output);
      assert.match(output, /\[mandatory\]/);
    });
  }

  it("stops an input that is a Pulumi secret, without printing it", async () => {
    const { exitCode, output } = await preview("staging", "pulumi-secret");
    assert.notEqual(exitCode, 0, output);
    assert.match(output, /ConfigMap "configMap": data.token must not be a Pulumi secret/);
    assert.doesNotMatch(output, /hunter2/);
  });

  it("lets a preview pass whose image is not built yet", async () => {
    const { exitCode, output } = await preview("staging", "unknown-image");
    assert.equal(exitCode, 0, output);
  });
});
