import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { withoutSecrets } from "../../components/conventions/secrets/masked";
import { driftOf, linesOf } from "../../operations/drift/drift";
import { reportOf } from "../../operations/drift/report";
import { noticeOf } from "../../operations/notify/command";
import { messageOf } from "../../operations/notify/slack-message";
import { markdownOf } from "../../operations/preview/render/markdown";
import { resultOf } from "../../operations/preview/result-of";
import { declared } from "../../policy/rules/declared";
import { noSecretValues } from "../../policy/rules/secrets";
import { harmless, planted } from "../components/conventions/secrets/corpus";

interface Text {
  readonly name: string;
  readonly text: string;
}

const isFile = ({ name }: Text): boolean => name.startsWith("/");
const envOf = (texts: readonly Text[]) =>
  texts.filter((one) => !isFile(one)).map(({ name, text }) => ({ name, value: text }));
const dataOf = (texts: readonly Text[]) =>
  Object.fromEntries(texts.filter(isFile).map(({ name, text }) => [basename(name), text]));

/**
 * Returns two objects that contain the texts: a Deployment with the environment variables, and a
 * ConfigMap with the files.
 */
const objectsOf = (texts: readonly Text[]) => [
  {
    apiVersion: "apps/v1",
    inputs: {
      metadata: { name: "orders" },
      spec: { template: { spec: { containers: [{ env: envOf(texts), name: "orders" }] } } },
    },
    kind: "Deployment",
  },
  {
    apiVersion: "v1",
    inputs: { data: dataOf(texts), metadata: { name: "orders" } },
    kind: "ConfigMap",
  },
];

const nothing: readonly Text[] = [];

/**
 * Returns every text that the preview of a change from `before` to `after` shows, saves or sends.
 */
async function previewed(before: readonly Text[], after: readonly Text[]): Promise<string> {
  const old = objectsOf(before);
  const events = objectsOf(after).map(({ apiVersion, inputs, kind }, n) => {
    const type = `kubernetes:${apiVersion === "v1" ? "core/v1" : apiVersion}:${kind}`;
    const urn = `urn:pulumi:prod::services-orders::${type}::orders`;
    const metadata = {
      ...{ op: "update", type, urn },
      ...{ new: { inputs, type, urn }, old: { inputs: old[n]?.inputs, type, urn } },
    };
    return { sequence: n, timestamp: 0, resourcePreEvent: { metadata } };
  });
  const log = [...events, { sequence: 9, timestamp: 0, summaryEvent: {} }];
  const lines = log.map((event) => JSON.stringify(event)).join("\n");
  const printed = [...before, ...after].map(({ name, text }) => `${name}: ${text}`).join("\n");
  const run = { stack: "prod", to: process.stdout, workspace: { cwd: "", env: {} } };
  const { plan, safe, summary, text, ...more } = await resultOf(
    run,
    { exitCode: 0, log: lines, printed },
    [],
  );
  const markdown = safe(markdownOf(summary, { limit: 60_000, printed: more.printed }));
  return [text, markdown, more.printed, safe(JSON.stringify({ ...summary, plan }))].join("\n");
}

/**
 * Returns the output and the report of `npm run drift` for a cluster in which someone has set the
 * texts as environment variables. Ignores the texts of files.
 */
function drifted(texts: readonly Text[]): string {
  const urn = "urn:pulumi:prod::services-orders::kubernetes:apps/v1:Deployment::orders";
  const [{ inputs: live }] = objectsOf(texts) as unknown as [{ inputs: object }];
  const [{ inputs }] = objectsOf(nothing) as unknown as [{ inputs: Record<string, never> }];
  const owned = texts.filter((one) => !isFile(one)).map(({ name }) => JSON.stringify({ name }));
  const fields = Object.fromEntries(
    owned.map((key) => [`k:${key}`, { ".": {}, "f:name": {}, "f:value": {} }]),
  );
  const containers = { 'k:{"name":"orders"}': { "f:env": fields } };
  const fieldsV1 = { "f:spec": { "f:template": { "f:spec": { "f:containers": containers } } } };
  const object = {
    ...live,
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      managedFields: [{ fieldsV1, manager: "kubectl-set", operation: "Update" }],
      name: "orders",
    },
  };
  const resource = {
    ...{ id: "orders", inputs: { ...inputs, apiVersion: "apps/v1", kind: "Deployment" } },
    ...{ outputs: { __fieldManager: "pulumi" }, type: "kubernetes:apps/v1:Deployment", urn },
  };
  const found = driftOf({ objects: [object], resources: [resource] });
  return [...linesOf(found), JSON.stringify(reportOf("prod", found))].join("\n");
}

/**
 * Returns one line for each text. Each line contains the name of the text, and the text in
 * quotation marks. A line in a log or in an error message can have this form.
 */
const quoting = (texts: readonly Text[]): string =>
  texts.map(({ name, text }) => `${name}: ${JSON.stringify(text)}`).join("\n");

/**
 * Returns Slack messages about failures, one for each text. The cause of each failure quotes the
 * text.
 */
function told(texts: readonly Text[]): string {
  const directory = mkdtempSync(join(tmpdir(), "services-orders-cause-"));
  try {
    return texts
      .map((one) => {
        const causeFile = join(directory, "cause.txt");
        writeFileSync(causeFile, quoting([one]));
        return JSON.stringify(messageOf(noticeOf("failed", { causeFile, stack: "prod" }, {})));
      })
      .join("\n");
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Returns the violations that the policy against secrets finds in the objects with these texts. */
function violations(texts: readonly Text[]): readonly string[] {
  return objectsOf(texts).flatMap(({ apiVersion, inputs, kind }) => {
    const type = `kubernetes:${apiVersion}:${kind}`;
    const urn = `urn:pulumi:prod::services-orders::${type}::orders`;
    const given = { name: "orders", opts: { protect: false }, props: inputs, type, urn };
    return noSecretValues.check(declared(given)).map((broken) => JSON.stringify(broken));
  });
}

describe("of the planted secrets", () => {
  const nowhere = (shown: string): void => {
    const found = planted.filter(({ secret }) => shown.includes(secret));
    assert.deepEqual(
      found.map(({ name }) => name),
      [],
    );
  };

  it("none is in a preview that adds or removes them: text, comment, JSON, plan, Pulumi's diff", async () => {
    nowhere(await previewed(nothing, planted));
    nowhere(await previewed(planted, nothing));
  });

  it("none is in the differences of the cluster", () => {
    const shown = drifted(planted);
    assert.match(shown, /SMTP_PASS/);
    nowhere(shown);
  });

  it("none is in a log or an error of a failed deploy, nor in the message about it", () => {
    nowhere(withoutSecrets(quoting(planted)));
    nowhere(told(planted));
  });

  it("each one breaks the policy, which does not show it", () => {
    const shown = violations(planted);
    assert.equal(shown.length, planted.length);
    nowhere(shown.join("\n"));
  });
});

describe("of the harmless values", () => {
  it("none is masked in a preview, in the differences of the cluster, or in a message", async () => {
    for (const one of harmless) {
      assert.ok((await previewed(nothing, [one])).includes(one.text), one.name);
      assert.equal(withoutSecrets(quoting([one])), quoting([one]));
      assert.doesNotMatch(drifted([one]), /\[secret\]/);
      assert.doesNotMatch(told([one]), /\[secret\]/);
    }
  });

  it("none breaks the policy", () => {
    assert.deepEqual(violations(harmless), []);
  });
});
