import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { pod, postgres, scheduledJob, webService } from "../../components/conventions/defaults";

const components = join(__dirname, "../../components");

/** Defaults by the interface whose documentation names them; `false` and `{}` stand for "nothing". */
const defaults: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  ContainerImageArgs: { root: "." },
  Database: { port: postgres.port },
  PodArgs: { env: {} },
  PostgresArgs: postgres,
  RolloutArgs: webService,
  ScheduledJobArgs: { ...scheduledJob, requests: pod.requests },
  WebServiceArgs: { ...webService, requests: pod.requests, tls: false },
};

interface Optional {
  readonly default: string | undefined;
  readonly key: string;
  readonly name: string;
}

/** Every optional arg of every `...Args` interface, with what its comment gives as default. */
function optionalArgs(): readonly Optional[] {
  const found: Optional[] = [];
  for (const file of readdirSync(components, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".ts")) continue;
    const text = readFileSync(join(components, file), "utf8");
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    for (const node of source.statements) {
      if (!ts.isInterfaceDeclaration(node)) continue;
      if (!node.name.text.endsWith("Args") && node.name.text !== "Database") continue;
      for (const member of node.members) {
        if (!ts.isPropertySignature(member) || member.questionToken === undefined) continue;
        const tag = ts.getJSDocTags(member).find(({ tagName }) => tagName.text === "default");
        const comment = ts.getTextOfJSDocComment(tag?.comment);
        found.push({ default: comment, key: member.name.getText(), name: node.name.text });
      }
    }
  }
  return found;
}

/** The hatch itself, which has no default to speak of. */
const withoutDefault = new Set(["overrides"]);

describe("the documentation of args", () => {
  const all = optionalArgs().filter(({ key }) => !withoutDefault.has(key));

  it("is found", () => {
    assert.ok(all.length > 30);
  });

  for (const { default: written, key, name } of all) {
    if (written?.startsWith("- ") === true) {
      it(`says in words what ${name}.${key} is without a value`, () => {
        // A literal in defaults.ts must be given as that literal.
        const literal = key in (defaults[name] ?? {});
        assert.ok(!literal || key === "activeDeadlineSeconds" || key === "migrationArgs");
      });
      continue;
    }
    it(`gives the true default of ${name}.${key}`, () => {
      assert.ok(written !== undefined, "no @default");
      const known = defaults[name];
      assert.ok(known !== undefined && key in known, `${name}.${key} is not in defaults.ts`);
      assert.deepEqual(JSON.parse(written), known[key]);
    });
  }
});
