import assert from "node:assert/strict";
import { type Step, readEvents } from "../../../../operations/pulumi/events";
import { summaryOf } from "../../../../operations/preview/impact/summary";
import { object } from "../../support/steps";

const web = ["WebService", "services-orders"] as const;

describe("what is protected", () => {
  const namespace = object("delete", "core/v1:Namespace", { before: {}, in: web, protect: true });
  const line = (event: object): string => JSON.stringify({ sequence: 1, timestamp: 0, ...event });
  const said = (urn: string, message: string): string =>
    line({
      diagnosticEvent: { urn, prefix: "error: ", message, color: "never", severity: "error" },
    });
  const log = (steps: readonly Step[], ...errors: string[]) =>
    readEvents(
      [...steps.map((metadata) => line({ resourcePreEvent: { metadata } })), ...errors].join("\n"),
    );
  const failed = said("", "preview failed\n");
  // The messages come from Pulumi 3.215.0: from the files step_generator.go and step.go of the
  // package `deploy`.
  const deletes = (urn: string): string =>
    said(
      urn,
      `Preview failed: resource "${urn}" cannot be deleted\nbecause it is protected. To unprotect the resource, ` +
        "either remove the `protect` flag from the resource in your Pulumi program and run `pulumi up`, or use the " +
        `command:\n\`pulumi state unprotect '${urn}'\`\n`,
    );
  const replaces = (urn: string, as = ""): string =>
    `unable to replace resource "${urn}"${as === "" ? "\n" : ` as part of replacing "${as}" `}` +
    "as it is currently marked for protection. To unprotect the resource, remove the `protect` flag from " +
    "the resource in your Pulumi program and run `pulumi up`";

  it("and to be deleted is a danger, though Pulumi's preview fails of it", () => {
    const summary = summaryOf("prod", log([namespace], deletes(namespace.urn), failed), 255);
    assert.equal(summary.verdict, "danger");
    assert.deepEqual(summary.errors, []);
    assert.match(summary.headline, /^DANGER: deleted, with everything in it; it is protected/);
    assert.match(summary.notes.join(), /Namespace services-orders is protected, so Pulumi refuses/);
  });

  it("and to be replaced is a danger, though Pulumi's preview fails of it", () => {
    const selector = (app: string) => ({ spec: { selector: { matchLabels: { app } } } });
    const steps = ["create-replacement", "replace", "delete-replaced"].map((op) =>
      object(op, "apps/v1:Deployment", {
        ...{ after: selector("b"), before: selector("a"), in: web, keys: ["spec.selector"] },
      }),
    );
    const [{ urn } = { urn: "" }] = steps;
    const summary = summaryOf("prod", log(steps, said(urn, replaces(urn)), failed), 255);
    assert.deepEqual([summary.verdict, summary.errors], ["danger", []]);
    assert.equal(summary.headline, "DANGER: REPLACED, downtime");
  });

  it("and to be replaced with another object is named, though the preview ended before it", () => {
    const other = object("replace", "core/v1:Service", { in: web }).urn;
    const error = said(other, replaces(namespace.urn, other));
    const summary = summaryOf("prod", log([], error, failed), 255);
    assert.deepEqual([summary.verdict, summary.errors], ["danger", []]);
    assert.equal(
      summary.headline,
      "DANGER: Namespace services-orders would be deleted or replaced, and is protected",
    );
  });

  it("hides no other error", () => {
    const more = said("", "the program broke");
    const summary = summaryOf("prod", log([namespace], deletes(namespace.urn), more, failed), 255);
    assert.deepEqual([summary.verdict, summary.errors], ["error", ["the program broke"]]);
  });
});
