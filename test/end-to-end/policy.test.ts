import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { project } from "../../lib/project";
import { environment } from "../../sandbox/environment";
import { breaks } from "../support/objects";

interface Run {
  readonly exitCode: number | undefined;
  readonly output: string;
}

const directory = mkdtempSync(join(tmpdir(), "services-orders-policy-"));
const state = join(directory, "state");

/** Runs Pulumi on the program in test/policy/programs/, with a separate state and no cluster. */
async function pulumi(args: readonly string[], stack: string, broken = ""): Promise<Run> {
  const { all, exitCode } = await execa(
    "pulumi",
    [...args, "--stack", stack, "--non-interactive"],
    {
      all: true,
      cwd: directory,
      env: { ...environment(), POLICY_BREAK: broken, PULUMI_BACKEND_URL: `file://${state}` },
      reject: false,
      timeout: 120_000,
    },
  );
  return { exitCode, output: all };
}

/**
 * The last preview of each of two queues. The two queues run in parallel, because each preview is
 * idle during half of its duration.
 */
const lanes: Promise<unknown>[] = [Promise.resolve(), Promise.resolve()];

async function preview(stack: string, broken?: string): Promise<Run> {
  const args = ["preview", "--policy-pack", join(project, "policy")];
  const run = (lanes.shift() ?? Promise.resolve()).then(() => pulumi(args, stack, broken));
  lanes.push(run);
  return run;
}

describe("the policy pack, with the engine", () => {
  const stacks = ["prod", "review-x", "staging"];
  const firsts = Object.entries(breaks).flatMap(([rule, [first]]) =>
    first === undefined ? [] : [{ stack: "staging", ...first, rule }],
  );
  const runs = new Map<string, Promise<Run>>();

  before(async () => {
    mkdirSync(state);
    // Pulumi writes stack settings files next to Pulumi.yaml. Because Pulumi.yaml is a link here,
    // Pulumi writes these files into the temporary directory and not into the project.
    for (const name of ["Pulumi.yaml", "entry.cjs"]) {
      symlinkSync(join(project, "test/policy/programs", name), join(directory, name));
    }
    for (const name of ["node_modules", "package.json"]) {
      symlinkSync(join(project, name), join(directory, name));
    }
    for (const stack of stacks) {
      const { exitCode, output } = await pulumi(["stack", "init"], stack);
      assert.equal(exitCode, 0, output);
    }
    for (const stack of stacks) runs.set(stack, preview(stack));
    // For each stack, one preview runs a program that breaks all rules that this test checks in the
    // stack.
    for (const stack of stacks) {
      const rules = firsts.filter((one) => one.stack === stack).map(({ rule }) => rule);
      runs.set(`broken ${stack}`, preview(stack, rules.join(",")));
    }
    for (const what of ["pulumi-secret", "unknown-image"]) runs.set(what, preview("staging", what));
  });

  after(async () => {
    await Promise.all(lanes);
    rmSync(directory, { force: true, recursive: true });
  });

  async function result(what: string): Promise<Run> {
    const run = runs.get(what);
    assert.ok(run !== undefined);
    return run;
  }

  for (const stack of stacks) {
    it(`lets a program pass that is fit for stack ${stack}`, async () => {
      const { exitCode, output } = await result(stack);
      assert.equal(exitCode, 0, output);
      assert.match(output, /Policies:\s+✅ services-orders/);
    });
  }

  for (const { message, rule, stack } of firsts) {
    it(`stops a program that breaks ${rule}, and says where`, async () => {
      const { exitCode, output } = await result(`broken ${stack}`);
      assert.notEqual(exitCode, 0, output);
      assert.ok(output.includes(message), output);
      assert.match(output, new RegExp(`\\[mandatory\\]  ${rule}  `));
    });
  }

  it("stops an input that is a Pulumi secret, without printing it", async () => {
    const { exitCode, output } = await result("pulumi-secret");
    assert.notEqual(exitCode, 0, output);
    assert.match(output, /ConfigMap "configMap": data.token must not be a Pulumi secret/);
    assert.doesNotMatch(output, /hunter2/);
  });

  it("lets a preview pass whose image is not built yet", async () => {
    const { exitCode, output } = await result("unknown-image");
    assert.equal(exitCode, 0, output);
  });
});
