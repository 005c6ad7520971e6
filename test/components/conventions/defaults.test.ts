import assert from "node:assert/strict";
import { join } from "node:path";
import ts from "typescript";
import * as conventions from "../../../components/conventions/defaults";
import { argInterfaces, sources } from "../../support/interfaces";

const tables: Readonly<Record<string, unknown>> = { ...conventions };

const nodes = new Map<ts.SourceFile, readonly ts.Node[]>();

/** Returns all nodes of a file. Keeps them, because each arg needs the nodes of many files. */
function nodesOf(source: ts.SourceFile): readonly ts.Node[] {
  const known = nodes.get(source);
  if (known !== undefined) return known;
  const found: ts.Node[] = [source];
  for (const node of found) found.push(...node.getChildren());
  nodes.set(source, found);
  return found;
}

/** Returns the text of a comment before its first tag. */
function said(node: ts.Node): string {
  const comments = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  return comments.map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? "").join(" ");
}

function defaultOf(member: ts.PropertySignature): string | undefined {
  const tag = ts.getJSDocTags(member).find(({ tagName }) => tagName.text === "default");
  return ts.getTextOfJSDocComment(tag?.comment);
}

const interfaces = argInterfaces();

const exportedClasses = sources
  .flatMap((source) => source.statements.filter(ts.isClassDeclaration))
  .filter((node) => node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword));

/**
 * Returns the tables of defaults.ts that a file imports. The key of each table is the name that the
 * file uses. For example, this name is `defaults` if the file imports `webService as defaults`.
 */
function aliases(source: ts.SourceFile): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const found = new Map<string, Readonly<Record<string, unknown>>>();
  for (const node of source.statements.filter(ts.isImportDeclaration)) {
    if (!/\/defaults"$/.test(node.moduleSpecifier.getText())) continue;
    const bindings = node.importClause?.namedBindings;
    if (bindings === undefined || !ts.isNamedImports(bindings)) continue;
    for (const { name, propertyName } of bindings.elements) {
      const table = tables[(propertyName ?? name).text];
      if (typeof table === "object") found.set(name.text, table as Record<string, unknown>);
    }
  }
  return found;
}

interface Taken {
  /**
   * The value that the code uses if the arg is missing. Undefined if the code computes the value.
   */
  readonly known: { readonly value: unknown } | undefined;
  /** Whether the value is in defaults.ts. */
  readonly table: boolean;
}

function taken(source: ts.SourceFile, expression: ts.Expression): Taken {
  if (ts.isPropertyAccessExpression(expression)) {
    const table = aliases(source).get(expression.expression.getText());
    const key = expression.name.text;
    if (table !== undefined && key in table) return { known: { value: table[key] }, table: true };
  }
  try {
    return { known: { value: JSON.parse(expression.getText()) }, table: false };
  } catch {
    return { known: undefined, table: false };
  }
}

/**
 * Returns an arg's default from the table of a call `withDefaults(args, table)`. Empty if the node
 * is not such a call, or if the table does not contain the arg.
 */
function takenTogether(source: ts.SourceFile, node: ts.Node, arg: string): readonly Taken[] {
  if (!ts.isCallExpression(node) || node.expression.getText() !== "withDefaults") return [];
  const table = aliases(source).get(node.arguments[1]?.getText() ?? "");
  return table !== undefined && arg in table ? [{ known: { value: table[arg] }, table: true }] : [];
}

/**
 * Returns the defaults that the code uses for an arg of an interface. The code has defaults in
 * three forms: `{ x = default }`, `args.x ?? default` and `withDefaults(args, table)`. The search
 * begins in the files that mention the interface, or an interface that extends this interface.
 */
function takenFor(type: string, arg: string): readonly Taken[] {
  const shared = (source: ts.SourceFile) => source.fileName === join("conventions", "pods.ts");
  const extending = interfaces
    .filter((each) => each.heritageClauses?.some((clause) => clause.getText().includes(type)))
    .map(({ name }) => name.text);
  const mentions = new RegExp(`\\b(?:${[type, ...extending].join("|")})\\b`);
  const own = sources.filter(({ text }) => mentions.test(text));
  const inFiles = (files: readonly ts.SourceFile[]) =>
    files.flatMap((source) =>
      nodesOf(source).flatMap((node) => {
        if (ts.isBindingElement(node) && node.initializer !== undefined) {
          const name = (node.propertyName ?? node.name).getText();
          return name === arg ? [taken(source, node.initializer)] : [];
        }
        if (!ts.isBinaryExpression(node)) {
          return files === own ? takenTogether(source, node, arg) : [];
        }
        if (node.operatorToken.kind !== ts.SyntaxKind.QuestionQuestionToken) return [];
        const { left } = node;
        return ts.isPropertyAccessExpression(left) && left.name.text === arg
          ? [taken(source, node.right)]
          : [];
      }),
    );
  // The file that uses a default does not always mention the interface of the arg. If the search
  // has found no default, the search continues in other files.
  const places = [own, sources.filter(shared), sources].map(inFiles);
  return places.find((found) => found.length > 0) ?? [];
}

const { autoscaling, datadogPorts, ingress, migration, probes, scheduledJob } = conventions;

function probeInWords(
  path: string,
  times: { failureThreshold: number; periodSeconds: number; timeoutSeconds: number },
  together = "",
): string {
  const { failureThreshold, periodSeconds, timeoutSeconds } = times;
  return `- "${path}" every ${String(periodSeconds)} s, ${String(failureThreshold)} failures${together}, ${String(timeoutSeconds)} s timeout`;
}

const startupSeconds = probes.startup.failureThreshold * probes.startup.periodSeconds;

const agentInWords = `- private addresses, ports ${String(datadogPorts.metrics)}/UDP and ${String(datadogPorts.traces)}/TCP only`;
/**
 * Expected texts of the `@default` tags that describe a default in words. The numbers in these
 * texts come from defaults.ts.
 */
const inWordsOf: Readonly<Record<string, string>> = {
  "Autoscaling.cpuUtilization": `- ${String(autoscaling.cpuUtilization)} without \`memoryUtilization\`, otherwise CPU is ignored`,
  "CanaryArgs.datadogAgentTo": agentInWords,
  "ReviewNamespaceArgs.datadogAgentTo": agentInWords,
  "WebServiceArgs.livenessProbe": probeInWords(probes.live, probes.liveness),
  "WebServiceArgs.readinessProbe": probeInWords(probes.ready, probes.readiness),
  "WebServiceArgs.startupProbe": probeInWords(
    probes.live,
    probes.startup,
    ` (${String(startupSeconds)} s)`,
  ),
  "ScheduledJobArgs.activeDeadlineSeconds": `- ${String(scheduledJob.activeDeadlineFraction * 100)} % of the schedule's shortest period, at most ${String(scheduledJob.activeDeadlineMaxSeconds)}`,
  "IngressArgs.ingressClassName": `- "${ingress.albClassName}" with \`ingressPreset\`, otherwise the cluster's default class`,
  "WebServiceArgs.migrationArgs": `- ${JSON.stringify(migration.args)} with \`database\`, otherwise []`,
};

describe("the documentation of args", () => {
  it("is found", () => {
    assert.ok(interfaces.flatMap(({ members }) => [...members]).length > 40);
    const names = interfaces.map(({ name }) => name.text);
    for (const helper of [
      "Autoscaling",
      "IngressPath",
      "OnFailure",
      "ProbeSettings",
      "SecretKey",
    ]) {
      assert.ok(names.includes(helper), helper);
    }
    assert.ok(exportedClasses.length >= 5);
  });

  for (const node of exportedClasses) {
    it(`says what ${node.name?.text ?? ""} is`, () => {
      assert.notEqual(said(node).trim(), "");
    });
  }

  for (const { members, name } of interfaces) {
    for (const member of members.filter(ts.isPropertySignature)) {
      const arg = member.name.getText();
      const written = defaultOf(member);
      it(`says what ${name.text}.${arg} is, and what goes wrong`, () => {
        const parts = said(member).split(/[.:;](?:\s|$)/);
        assert.ok(parts.filter((part) => part.trim() !== "").length >= 2, "one sentence only");
      });
      if (member.questionToken === undefined) continue;
      it(`gives the true default of ${name.text}.${arg}`, () => {
        assert.ok(written !== undefined, "no @default");
        const all = takenFor(name.text, arg);
        const inWords = written.startsWith("- ");
        const key = `${name.text}.${arg}`;
        // A default that Kubernetes sets is not in defaults.ts, so this test cannot check the
        // number in the text.
        if (inWords && /["0-9]/.test(written) && !written.includes("Kubernetes")) {
          assert.equal(written, inWordsOf[key]);
        }
        for (const { known, table } of all) {
          // If the default is a literal in defaults.ts, the documentation must have the same
          // literal. If the code computes the default, the documentation describes the default in
          // words.
          if (known !== undefined && (table || !inWords)) {
            assert.ok(!inWords, `must be the literal ${JSON.stringify(known.value)}`);
            assert.deepEqual(JSON.parse(written), known.value);
          }
        }
        assert.ok(inWords || all.some(({ known }) => known !== undefined), "not in the code");
      });
    }
  }
});
