import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { compileFunction, runInNewContext } from "node:vm";
import * as pulumi from "@pulumi/pulumi";
import ts from "typescript";
import { shortHash } from "../../components/conventions/names";
import { settingsFrom } from "../../settings";
import { compiled, complaints, root } from "../support/compiler";
import { type Leaves, differences, leavesOf } from "../support/fields";
import { imageRef } from "../support/fixtures";
import { record, settled } from "../support/mocks";
import program = require("../../index");

type Program = typeof program;

interface Block {
  readonly heading: string;
  readonly language: string;
  readonly text: string;
}

/** Code blocks with the heading that they stand under; those of a list lose their indent. */
function blocksOf(markdown: string): readonly Block[] {
  let heading = "";
  const found: Block[] = [];
  for (const match of markdown.matchAll(/^## (.*)$|^( *)```(\w+)\n([^]*?)\n *```$/gm)) {
    const [, title, indent = "", language = "", text = ""] = match;
    const lines = text.split("\n").map((line) => line.slice(indent.length));
    if (title === undefined) found.push({ heading, language, text: lines.join("\n") });
    else heading = title;
  }
  return found;
}

/** Where a recipe says that it belongs: behind the first group, instead of the second. */
const places: Readonly<Record<string, readonly [file: string, place: RegExp]>> = {
  "// index.ts, below `new WebService`": ["index.ts", /(new WebService\([^]*?\n {2}\);\n)()/],
  "// index.ts, in the args of `new WebService`": [
    "index.ts",
    /(new WebService\([^]*?)()\n {4}\},\n {4}opts,/,
  ],
  "// index.ts, in what `serviceArgs` returns": [
    "index.ts",
    /(function serviceArgs[^]*?\n {2}return \{)()/,
  ],
  "// index.ts, instead of the `opts` of `new WebService`": [
    "index.ts",
    /(new WebService\([^]*?\n {4}\},\n)( {4}opts,)/,
  ],
  "// jobs.ts, one more entry of `jobs`": ["jobs.ts", /(jobs: readonly Job\[\] = \[)()/],
};

const generated = new Map<string, string>();

/** Adds a file beside the program's own. */
function generate(name: string, text: string): string {
  generated.set(`./${name}`, text);
  return compiled(`${name}.ts`, text);
}

/** The program's files with a recipe in its place, the program itself last. */
function pasted(text: string, number: number): readonly string[] {
  const [where = ""] = text.split("\n");
  const [file, place] = places[where] ?? [];
  if (file === undefined || place === undefined) throw new Error(`no test knows "${where}"`);
  const source = readFileSync(join(root, file), "utf8");
  const found = place.exec(source);
  if (found === null) throw new Error(`${file} has no place "${where}" any more`);
  const [, head = "", gone = ""] = found;
  const end = found.index + head.length;
  const whole = `${source.slice(0, end)}\n${text}\n${source.slice(end + gone.length)}`;
  const name = `guide-${String(number)}`;
  if (file === "index.ts") return [generate(name, whole)];
  const index = readFileSync(join(root, "index.ts"), "utf8");
  const jobs = generate(`${name}-jobs`, whole);
  return [jobs, generate(name, index.replace('"./jobs"', `"./${name}-jobs"`))];
}

const realRequire = createRequire(join(root, "index.ts"));

/** What a file gives, real or generated. */
function load(id: string): unknown {
  const text = generated.get(id);
  if (text === undefined) return realRequire(id);
  const compilerOptions = {
    esModuleInterop: true,
    module: ts.ModuleKind.CommonJS,
    target: ts.ScriptTarget.ES2022,
  };
  const { outputText } = ts.transpileModule(text, { compilerOptions });
  const module = { exports: {} as unknown };
  const run = compileFunction(outputText, ["module", "exports", "require"]);
  run(module, module.exports, load);
  return module.exports;
}

/** What a program makes as a stack. */
async function made(
  run: Program,
  stack: string,
  config: Readonly<Record<string, string>> = {},
): Promise<Leaves> {
  const settings = settingsFrom({
    config: {
      "services-orders:imageRef": imageRef,
      ...(stack === "prod" ? { "services-orders:databaseHost": "db.example.com" } : {}),
      ...config,
    },
    env: { SANDBOX_DOMAIN: "example.com", SANDBOX_EKS_CLUSTER: "none" },
    git: { branch: "main", commit: "0123456789".repeat(4) },
    stack,
  });
  const recorder = await record(stack);
  await run({
    readCluster: () => Promise.resolve({ clusterUid: "1", namespace: undefined }),
    readSettings: () => Promise.resolve(settings),
  });
  await settled();
  return leavesOf(recorder);
}

/** What the program makes without any of the recipes, by stack. */
const plain = new Map<string, Leaves>();

const container = "spec.template.spec.containers[name=services-orders]";
const secretVolume = `secret-${shortHash("/etc/secrets/partner")}`;
const deployment = "Deployment services-orders";

/** What each change of the guide makes, in its order: values of fields, and what is gone. */
const expected: readonly (readonly [
  heading: string,
  stack: string,
  values: Readonly<Record<string, unknown>> | undefined,
])[] = [
  [
    "Add a job",
    "local",
    {
      "CronJob export-weekly spec.schedule": "0 6 * * 1",
      "CronJob export-weekly spec.suspend": true,
      'CronJob export-weekly metadata.annotations["on-failure/tell"]': "slack:#orders-alerts",
    },
  ],
  [
    "Add a variable",
    "local",
    { [`${deployment} ${container}.env[name=LOG_LEVEL].value`]: "debug" },
  ],
  [
    "Use a secret",
    "local",
    {
      [`${deployment} ${container}.volumeMounts[name=${secretVolume}].mountPath`]:
        "/etc/secrets/partner",
    },
  ],
  [
    "Use a secret",
    "local",
    { [`${deployment} ${container}.env[name=PARTNER_TOKEN].valueFrom.secretKeyRef.key`]: "token" },
  ],
  ["Scale", "local", { [`${deployment} spec.replicas`]: 3 }],
  [
    "Scale",
    "prod",
    {
      "HorizontalPodAutoscaler services-orders spec.maxReplicas": 12,
      "HorizontalPodAutoscaler services-orders spec.minReplicas": 3,
    },
  ],
  [
    "Expose another host",
    "local",
    { "Ingress services-orders spec.rules[1].host": "api.example.com" },
  ],
  [
    "Debug on a laptop",
    "local",
    {
      [`${deployment} ${container}.livenessProbe.failureThreshold`]: 360,
      [`${deployment} ${container}.ports[name=debug].containerPort`]: 5005,
      [`${deployment} spec.replicas`]: 1,
      "PodDisruptionBudget services-orders ": undefined,
    },
  ],
  [
    "When an arg is missing: four steps",
    "local",
    { [`${deployment} ${container}.readinessProbe.successThreshold`]: 2 },
  ],
  // Mocks cannot run transforms; this one is called by itself below.
  ["When an arg is missing: four steps", "local", undefined],
  [
    "When an arg is missing: four steps",
    "local",
    { 'Service admin spec.selector["app.kubernetes.io/component"]': "web" },
  ],
];

const setting = /^pulumi config set (\w+) (\S+) --stack (\S+)$/;
const blocks = blocksOf(readFileSync(join(root, "docs", "guide.md"), "utf8"));
const changes = blocks.filter(
  ({ language, text }) => language === "ts" || (language === "sh" && setting.test(text)),
);

describe("docs/guide.md", () => {
  it("has an expectation here for every change that it shows", () => {
    assert.deepEqual(
      changes.map(({ heading }) => heading),
      expected.map(([heading]) => heading),
    );
  });

  for (const [number, { heading, text }] of changes.entries()) {
    const [, stack, values] = expected[number] ?? ["", "local", {}];
    const title = `"${heading}": ${text.split("\n")[1] ?? text}`;
    const [, key = "", value = ""] = setting.exec(text) ?? [];
    const files = key === "" ? pasted(text, number) : [];
    const preview = blocks[blocks.indexOf(changes[number] as Block) + 1];

    it(`compiles ${title}`, () => {
      for (const file of files) assert.deepEqual(complaints(file), []);
    }).timeout(60_000);

    if (values === undefined) continue;
    it(`makes what it says of ${title}`, async () => {
      const config: Record<string, string> =
        key === "" ? {} : { [`services-orders:${key}`]: value };
      const before = plain.get(stack) ?? (await made(program, stack));
      plain.set(stack, before);
      const changed = key === "" ? (load(`./guide-${String(number)}`) as Program) : program;
      const after = await made(changed, stack, config);
      for (const [field, wanted] of Object.entries(values)) {
        assert.notEqual(before.get(field), after.get(field), `${field} was so before`);
        const leaf = wanted === undefined ? undefined : JSON.stringify(wanted);
        assert.equal(after.get(field), leaf, field);
      }
      const kinds = new Set(differences(before, after).map(([kind]) => kind));
      const told = new Set(Object.keys(values).map((field) => field.split(" ")[0] ?? ""));
      assert.deepEqual(kinds, told);
      if (preview?.language !== "text") return;
      const shown = preview.text.matchAll(/[+~-] .*?kubernetes:[\w./]+:(\w+)/g);
      assert.deepEqual(new Set([...shown].map(([, kind]) => kind)), kinds);
    });
  }

  it("lets a transform change an option of the Deployment, and of nothing else", () => {
    const [shown] = changes.filter((_, number) => expected[number]?.[2] === undefined);
    const expression = `(${shown?.text.replace(/,\s*$/, "") ?? ""})`;
    const { transforms } = runInNewContext(expression, { opts: {}, pulumi }) as {
      transforms: [(args: object) => { opts: object } | undefined];
    };
    const of = (type: string) => transforms[0]({ opts: {}, props: {}, type })?.opts;
    const { customTimeouts } = of("kubernetes:apps/v1:Deployment") as pulumi.CustomResourceOptions;
    assert.equal(customTimeouts?.update, "20m");
    assert.equal(of("kubernetes:core/v1:Service"), undefined);
  });
});
