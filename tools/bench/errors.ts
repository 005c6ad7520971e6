import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { UserError } from "../../lib/errors";
import { environment } from "../../sandbox/environment";
import { type Cost, measured } from "./cost";
import { type Say, copyProject, inTemporaryDirectory } from "./preview";

/** A wrong input that must make the preview fail. */
interface Wrong {
  /**
   * An edit in a file of the project: the pattern to find, and the text that replaces the match.
   */
  readonly edit?: readonly [file: string, from: RegExp, to: string];
  readonly env?: Readonly<Record<string, string>>;
  /** Text that the failed preview must print. */
  readonly says: string;
  /**
   * Name of a setting that `pulumi config set --secret` stores. Pulumi must encrypt the value, so
   * the benchmark cannot write the value into the file without Pulumi.
   */
  readonly secret?: string;
  /** A line that the benchmark adds to `config` in the stack settings file. */
  readonly setting?: string;
}

const deadKubeconfig = JSON.stringify({
  apiVersion: "v1",
  clusters: [{ cluster: { server: "https://127.0.0.1:1" }, name: "dead" }],
  contexts: [{ context: { cluster: "dead", user: "dead" }, name: "dead" }],
  "current-context": "dead",
  kind: "Config",
  users: [{ name: "dead", user: {} }],
});

/** Wrong inputs of different kinds: settings, args, a foreign namespace, the cluster, code. */
const wrong: Readonly<Record<string, Wrong>> = {
  "a misspelled setting": { says: 'Did you mean "replicas"', setting: 'replics: "3"' },
  "a setting of the wrong type": { says: "must be a whole number", setting: "replicas: many" },
  "a setting that is secret": {
    says: "is stored with --secret",
    secret: "replicas",
  },
  "a namespace of someone else": { says: "kube-public", setting: "namespace: kube-public" },
  "an unreachable cluster": { env: { KUBECONFIG: "dead.json" }, says: "cannot be read" },
  "an image without a digest": { env: { RELEASE_IMAGE_REF: "orders" }, says: "repository@sha256" },
  "a schedule with four fields": {
    edit: ["jobs.ts", /^ {4}schedule: "[^"]*"/m, '    schedule: "0 3 * *"'],
    says: "schedule must have 5 fields",
  },
  "two jobs with one name": {
    edit: ["jobs.ts", /name: "expire-unpaid"/, 'name: "export"'],
    says: "export",
  },
  "code that does not compile": { edit: ["jobs.ts", /$/, "const x: = 3;"], says: 'Unexpected "="' },
  "an error in the code": {
    edit: [
      "program/environment.ts",
      /export async function createEnvironment[^{]*\{/,
      "$& JSON.parse('{');",
    ],
    says: "JSON",
  },
};

/**
 * Measures one preview for each wrong input, in a copy of the project. Also measures a preview
 * without changes, before and after these previews.
 */
export async function measureErrors(say: Say): Promise<{
  readonly noOp: Cost;
  readonly wrong: readonly (Cost & { readonly what: string })[];
}> {
  return inTemporaryDirectory(async (cwd) => {
    copyProject(cwd);
    writeFileSync(join(cwd, "dead.json"), deadKubeconfig);
    say("a no-op preview");
    const noOps = [await preview(cwd, {})];
    const costs: (Cost & { readonly what: string })[] = [];
    for (const [what, input] of Object.entries(wrong)) {
      say(what);
      costs.push({ what, ...(await previewOf(cwd, input)) });
    }
    noOps.push(await preview(cwd, {}));
    // The result contains the faster of the two previews without changes, because other work on the
    // machine may have slowed down the other preview.
    const noOp = noOps.reduce((a, b) => (a.milliseconds < b.milliseconds ? a : b));
    return { noOp, wrong: costs };
  });
}

async function previewOf(cwd: string, wrongInput: Wrong): Promise<Cost> {
  const { edit, env = {}, says, secret, setting } = wrongInput;
  const file = join(cwd, edit?.[0] ?? "Pulumi.local.yaml");
  const before = readFileSync(file, "utf8");
  const line = `config:\n  services-orders:${setting ?? ""}\n`;
  const after = edit === undefined ? `${before}${line}` : before.replace(edit[1], edit[2]);
  if (edit !== undefined || setting !== undefined) writeFileSync(file, after);
  try {
    if (secret !== undefined) {
      const args = ["config", "set", "--stack", "local", "--secret", secret, "3"];
      await execa("pulumi", args, { cwd, env: environment(), timeout: 120_000 });
    }
    return await preview(cwd, env, says);
  } finally {
    writeFileSync(file, before);
  }
}

/**
 * Runs and measures a preview.
 *
 * @param says text that the preview must print when it fails. If undefined, the preview must
 *   succeed and show no change.
 */
async function preview(
  cwd: string,
  env: Readonly<Record<string, string>>,
  says?: string,
): Promise<Cost> {
  const args = ["preview", "--stack", "local", "--non-interactive"];
  const all = says === undefined ? [...args, "--expect-no-changes"] : args;
  const options = { cwd, env: { ...environment(), ...env } };
  const { exitCode, output, ...cost } = await measured("pulumi", all, options);
  if (says === undefined ? exitCode !== 0 : exitCode === 0 || !output.includes(says)) {
    const rule = says === undefined ? "succeed without changes" : `fail with the text "${says}"`;
    throw new UserError(`a preview did not ${rule}:\n${output}`);
  }
  return cost;
}
