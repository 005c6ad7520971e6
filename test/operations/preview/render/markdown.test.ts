import assert from "node:assert/strict";
import fc from "fast-check";
import { code, markdownOf } from "../../../../operations/preview/render/markdown";
import { summaryOf } from "../../../../operations/preview/impact/summary";
import { masked } from "../../../../components/conventions/secrets/masked";
import { secretsOf, sensitiveValues } from "../../../../operations/preview/changes/values";
import { changesOf } from "../../../../operations/preview/changes/changes";
import type { Json } from "../../../../operations/pulumi/events";
import { events, object } from "../../support/steps";

const web = ["WebService", "services-orders"] as const;
const env = (name: string, value: string): Readonly<Record<string, Json>> => ({
  spec: { template: { spec: { containers: [{ env: [{ name, value }], name: "web" }] } } },
});
const change = (name: string, before: string, after: string) =>
  events([
    object("update", "apps/v1:Deployment", {
      after: env(name, after),
      before: env(name, before),
      in: web,
    }),
  ]);
const summary = summaryOf("prod", change("MODE", "a", "b"), 0);

describe("the Markdown of a preview", () => {
  it("is the headline, a table, and Pulumi's diff folded away", () => {
    const text = markdownOf(summary, { limit: 5_000, printed: "  ~ spec: x\n", where: "1a2b3c4" });
    assert.equal(
      text,
      [
        "### Preview of `prod` at `1a2b3c4`",
        "",
        "**new pods, rolling, no downtime**",
        "",
        "| component | what happens | arg | change |",
        "| --- | --- | --- | --- |",
        "| `WebService services-orders` | new pods, rolling, no downtime | `env` | `env[MODE]: a → b` |",
        "",
        "",
        "<details><summary>Pulumi's diff</summary>",
        "",
        "```diff",
        "!  ~ spec: x",
        "```",
        "",
        "</details>",
        "",
      ].join("\n"),
    );
  });

  it("loses the diff before the table, and never the headline", () => {
    const many = summaryOf(
      "prod",
      events(
        Array.from({ length: 500 }, (_, n) =>
          object("delete", "batch/v1:CronJob", {
            before: {},
            in: ["ScheduledJob", `job-${String(n)}`],
          }),
        ),
      ),
      0,
    );
    for (const limit of [1_000, 3_000, 21_000, 65_536]) {
      const text = markdownOf(many, { limit, printed: "line\n".repeat(50_000) });
      assert.ok(text.length <= limit, `${String(text.length)} of ${String(limit)}`);
      assert.match(text, /no more runs/);
      if (limit < 65_536) assert.match(text, /… and \d+ more/);
    }
    const whole = markdownOf(summary, { limit: 3_000, printed: "line\n".repeat(50_000) });
    assert.match(whole, /env\[MODE\]: a → b[\s\S]*cut here/);
    assert.ok(whole.length <= 3_000);
  });

  it("takes text from outside as text", () => {
    const evil = "`@team` | <!-- --> <b>";
    const text = markdownOf(summaryOf("prod", change("MODE", "a", evil), 0), {
      limit: 5_000,
      printed: "<!-- ``` -->",
    });
    assert.doesNotMatch(text, /<!--/);
    assert.ok(text.includes("| ``env[MODE]: a → `@team` \\| <! -- --> <b>`` |"), text);
  });

  it("has no code block that ends too early, no matter what is in it", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const shown = code(text);
        const ticks = /^`+/.exec(shown)?.[0] ?? "";
        const inside = shown.slice(ticks.length, -ticks.length);
        assert.ok(!Array.from(inside.matchAll(/`+/g), ([run]) => run).includes(ticks));
        assert.doesNotMatch(shown, /\n|(?<!\\)\|/);
      }),
    );
  });
});

describe("secrets", () => {
  it("of variables whose name says so are in no format, nor in Pulumi's diff", () => {
    const its = change("DB_PASSWORD", "hush-old", "hush-new");
    const secrets = sensitiveValues(changesOf(its));
    const printed = 'value: "hush-old" => "hush-new"';
    const text = masked(markdownOf(summaryOf("prod", its, 0), { limit: 5_000, printed }), secrets);
    assert.doesNotMatch(text, /hush/);
    assert.match(text, /DB_PASSWORD/);
  });

  it("in an address are in no format, no matter which name the variable has", () => {
    const its = change(
      "PARTNER",
      "https://ada:hush-old@a.example",
      "https://ada:hush-new@a.example",
    );
    const secrets = sensitiveValues(changesOf(its));
    const printed = 'value: "https://ada:hush-old@a.example" => "https://ada:hush-new@a.example"';
    const text = masked(markdownOf(summaryOf("prod", its, 0), { limit: 5_000, printed }), secrets);
    assert.doesNotMatch(text, /hush/);
    assert.match(text, /ada:\[secret\]@a\.example/);
  });

  it("that are a part of another one leave nothing of it", () => {
    assert.equal(masked("a hush-hush-longer b", ["hush-hush", "hush-hush-longer"]), "a [secret] b");
  });

  it("that the process was given are masked wherever they are quoted", () => {
    const secrets = secretsOf({
      GITHUB_TOKEN: "gh-hush",
      HOME: "/root",
      PULUMI_CONFIG_PASSPHRASE: "",
    });
    assert.equal(masked("a gh-hush b /root", secrets), "a [secret] b /root");
  });
});
