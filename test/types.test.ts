import assert from "node:assert/strict";
import ts from "typescript";
import { compiled, complaints, hover } from "./support/compiler";
import { argInterfaces } from "./support/interfaces";

// These tests compile each mistake with the project's compiler, because developers see this
// compiler's messages in their editor. The compiler must report the expected message, because a
// different message could have another cause. The package `tsd` is not suitable for these tests,
// because `tsd` has its own compiler, and tests the declarations of a package.

const web = `import { type WebServiceArgs, WebService } from "./components/web-service/web-service";
declare const web: WebServiceArgs;
`;
const job = `import type { Job } from "./jobs";
export const job: Job = { name: "x", schedule: "0 * * * *", `;
const exports = `${job} args: ["export", "--continue", "x", "--format", "csv"],`;

interface Mistake {
  readonly right: string;
  readonly says: RegExp;
  readonly wrong: string;
}

const mistakes: Readonly<Record<string, Mistake>> = {
  "a misspelled arg": {
    right: `${web} new WebService("orders", { ...web, replicas: 3 });`,
    says: /^Object literal may only specify known properties, but 'replica' does not exist/,
    wrong: `${web} new WebService("orders", { ...web, replica: 3 });`,
  },
  "a misspelled part of an arg": {
    right: `${web} new WebService("orders", { ...web, autoscaling: { maxReplicas: 3, minReplicas: 1 } });`,
    says: /'maximum' does not exist in type 'Autoscaling'/,
    wrong: `${web} new WebService("orders", { ...web, autoscaling: { maximum: 3, minReplicas: 1 } });`,
  },
  "a string where a number belongs": {
    right: `${web} new WebService("orders", { ...web, replicas: 3 });`,
    says: /^Type 'string' is not assignable to type 'number'/,
    wrong: `${web} new WebService("orders", { ...web, replicas: "3" });`,
  },
  "a value that is known later where one is checked": {
    right: `${web} new WebService("orders", { ...web, host: "a.example.com" });`,
    says: /^Type 'Promise<string>' is not assignable to type 'string'/,
    wrong: `${web} new WebService("orders", { ...web, host: Promise.resolve("a.example.com") });`,
  },
  "a misspelled spec of overrides": {
    right: `${web} new WebService("orders", { ...web, overrides: { podSpec: (s) => s } });`,
    says: /'pod' does not exist in type 'WebServiceOverrides'/,
    wrong: `${web} new WebService("orders", { ...web, overrides: { pod: (s: object) => s } });`,
  },
  "an override that loses what a spec must have": {
    right: `${web} new WebService("orders", { ...web, overrides: { podSpec: (s) => ({ ...s }) } });`,
    says: /Property 'containers' is missing in type/,
    wrong: `${web} new WebService("orders", { ...web, overrides: { podSpec: () => ({}) } });`,
  },
  "an arg that is missing": {
    right: `${web} new WebService("orders", web);`,
    says: /is missing the following properties .*: identity, imageRef, namespace, release/,
    wrong: `${web} new WebService("orders", {});`,
  },
  "a wrong command of a job": {
    right: `${job} args: ["expire-unpaid", "--older-than", "48h"] };`,
    says: /Type '"expire-unpayed"' is not assignable to type '("export" \| )?"expire-unpaid"( \| "export")?'/,
    wrong: `${job} args: ["expire-unpayed", "--older-than", "48h"] };`,
  },
  "a wrong option of a job's command": {
    right: `${job} args: ["export", "--continue", "nightly", "--format", "csv"] };`,
    says: /Type '"xml"' is not assignable to type '"csv" \| "json"/,
    wrong: `${job} args: ["export", "--continue", "nightly", "--format", "xml"] };`,
  },
  "an amount of time without a unit": {
    right: `${job} args: ["expire-unpaid", "--older-than", "48h"] };`,
    says: /Type '"48"' is not assignable to type '`\${bigint}d` \| `\${bigint}h` \|/,
    wrong: `${job} args: ["expire-unpaid", "--older-than", "48"] };`,
  },
  "an amount of time that is not a whole number": {
    right: `${job} args: ["expire-unpaid", "--older-than", "90m"] };`,
    says: /Type '"1\.5h"' is not assignable to type '`\${bigint}d` \| `\${bigint}h` \|/,
    wrong: `${job} args: ["expire-unpaid", "--older-than", "1.5h"] };`,
  },
  "a wrong command of a job in one environment": {
    right: `${exports} environments: { staging: { args: ["expire-unpaid", "--older-than", "1h"] } } };`,
    says: /Type '"48"' is not assignable to type '`\${bigint}d` \| `\${bigint}h` \|/,
    wrong: `${exports} environments: { staging: { args: ["expire-unpaid", "--older-than", "48"] } } };`,
  },
  "a misspelled arg of a job in one environment": {
    right: `${exports} environments: { prod: { requests: { cpu: "1", memory: "1Gi" } } } };`,
    says: /'request' does not exist in type 'Partial<JobValues>'/,
    wrong: `${exports} environments: { prod: { request: { cpu: "1", memory: "1Gi" } } } };`,
  },
  "another name of a job in one environment": {
    right: `${exports} environments: { prod: { suspend: true } } };`,
    says: /'name' does not exist in type 'Partial<JobValues>'/,
    wrong: `${exports} environments: { prod: { name: "y" } } };`,
  },
  "a job in an environment that has no jobs": {
    right: `${exports} environments: { local: { suspend: false }, review: { suspend: false } } };`,
    says: /'canary' does not exist in type/,
    wrong: `${exports} environments: { canary: { suspend: false } } };`,
  },
  "a recipient of failures that does not exist": {
    right: `${job} args: ["export", "--continue", "nightly", "--format", "csv"], onFailure: { tell: "slack:#x" } };`,
    says: /^Type '"x"' is not assignable to type 'Recipient'/,
    wrong: `${job} args: ["export", "--continue", "nightly", "--format", "csv"], onFailure: { tell: "x" } };`,
  },
};

describe("the compiler", () => {
  for (const [index, [what, { right, says, wrong }]] of Object.entries(mistakes).entries()) {
    const good = compiled(`right-${String(index)}.ts`, right);
    const bad = compiled(`wrong-${String(index)}.ts`, wrong);
    it(`refuses ${what}, and nothing else`, () => {
      assert.deepEqual(complaints(good), []);
      const [said = "nothing", ...others] = complaints(bad);
      assert.match(said, says);
      assert.deepEqual(others, []);
    }).timeout(60_000);
  }
});

describe("the examples of args", () => {
  const shown = argInterfaces().flatMap((declaration) =>
    declaration.members.filter(ts.isPropertySignature).flatMap((member) =>
      ts
        .getJSDocTags(member)
        .filter(({ tagName }) => tagName.text === "example")
        .map(({ comment }) => ({
          arg: member.name.getText(),
          file: declaration.getSourceFile().fileName.replace(/\.ts$/, ""),
          text: ts.getTextOfJSDocComment(comment) ?? "",
          type: declaration.name.text,
        })),
    ),
  );

  it("are found", () => {
    assert.ok(shown.length > 20);
  });

  for (const { arg, file, text, type } of shown) {
    // The test declares the type of the function's result. Otherwise, the compiler does not find
    // misspelled fields in the result.
    const f = `NonNullable<${type}["${arg}"]>`;
    const typed = text.replace(/^\(spec\) =>/, `(spec: Parameters<${f}>[0]): ReturnType<${f}> =>`);
    const code = `import type { ${type} } from "./components/${file}";
export const example: ${type}["${arg}"] = ${typed};`;
    const example = compiled(`example-${type}-${arg}.ts`, code);
    it(`compile: ${type}.${arg}`, () => {
      assert.deepEqual(complaints(example), []);
    }).timeout(60_000);
  }
});

describe("an editor", () => {
  const file = compiled("hover.ts", `${web} new WebService("orders", { ...web, replicas: 3 });`);

  it("shows at an arg what it does, what goes wrong, and its default", () => {
    const { displayParts, documentation, tags } = hover(file, "replicas");
    assert.equal(
      ts.displayPartsToString(displayParts),
      "(property) WebServiceArgs.replicas?: number | undefined",
    );
    assert.match(ts.displayPartsToString(documentation), /^Number of pods\. Do not set /);
    assert.match(
      ts.displayPartsToString(documentation),
      /With one pod, a drain of the pod's node causes\s+downtime/,
    );
    const value = tags?.find(({ name }) => name === "default")?.text;
    assert.equal(ts.displayPartsToString(value), "1");
  }).timeout(60_000);
});
