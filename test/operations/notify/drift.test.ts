import assert from "node:assert/strict";
import fc from "fast-check";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mock } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DriftReport } from "../../../operations/drift/report";
import { notify } from "../../../operations/notify/command";
import { driftMessage } from "../../../operations/notify/drift-message";
import { newsOf, nothingTold, parseTold, type Told } from "../../../operations/notify/drift-news";
import { StandIn } from "../support/http-stand-in";

const time = "2026-11-24T16:20:00Z";
const scaled = (live: unknown, at = time): DriftReport["changed"][number] => ({
  fields: [{ by: "kubectl scale", declared: 3, live, path: "spec.replicas", time: at }],
  kind: "Deployment",
  name: "orders",
  namespace: "shop",
});
const drift = (more: Partial<DriftReport> = {}): DriftReport => ({
  changed: [],
  gone: [],
  stack: "prod",
  version: 1,
  ...more,
});
const service = { kind: "Service", name: "orders", namespace: "shop" };
const toldAbout = (report: DriftReport): Told => newsOf(report, nothingTold).then;

describe("the news about drift", () => {
  it("are the differences that were not told, each once", () => {
    const report = drift({ changed: [scaled(5)], gone: [service] });
    const { news, then } = newsOf(report, nothingTold);
    assert.deepEqual(news, {
      appeared: [
        "Service orders is gone",
        "Deployment orders: spec.replicas: 3 → 5 (kubectl scale)",
      ],
      failed: false,
      gone: [],
    });
    assert.deepEqual(newsOf(report, then).news, { appeared: [], failed: false, gone: [] });
  });

  it("know a difference by its values, and not by its time", () => {
    const told = toldAbout(drift({ changed: [scaled(5)] }));
    const later = newsOf(drift({ changed: [scaled(5, "2026-11-25T00:00:00Z")] }), told);
    assert.deepEqual(later.news.appeared, []);
    const other = newsOf(drift({ changed: [scaled(6)] }), told);
    assert.deepEqual(other.news, {
      appeared: ["Deployment orders: spec.replicas: 3 → 6 (kubectl scale)"],
      failed: false,
      gone: [],
    });
  });

  it("know an object by its namespace too", () => {
    const told = toldAbout(drift({ gone: [service] }));
    const elsewhere = { ...service, namespace: "other" };
    assert.equal(newsOf(drift({ gone: [service, elsewhere] }), told).news.appeared.length, 1);
  });

  it("say once that a difference is gone, and tell it again if it comes back", () => {
    const told = toldAbout(drift({ changed: [scaled(5)], gone: [service] }));
    const { news, then } = newsOf(drift({ gone: [service] }), told);
    assert.deepEqual(news, {
      appeared: [],
      failed: false,
      gone: ["Deployment orders: spec.replicas"],
    });
    assert.deepEqual(newsOf(drift({ gone: [service] }), then).news.gone, []);
    const back = newsOf(drift({ changed: [scaled(5)], gone: [service] }), then);
    assert.equal(back.news.appeared.length, 1);
  });

  it("say once that the cluster cannot be read, and keep what was told", () => {
    const told = toldAbout(drift({ changed: [scaled(5)] }));
    const first = newsOf(undefined, told);
    assert.deepEqual(first.news, { appeared: [], failed: true, gone: [] });
    const second = newsOf(undefined, first.then);
    assert.equal(second.news.failed, false);
    const readAgain = newsOf(drift({ changed: [scaled(5)] }), second.then);
    assert.deepEqual(readAgain.news, { appeared: [], failed: false, gone: [] });
    assert.equal(newsOf(undefined, readAgain.then).news.failed, true);
  });

  it("remember no more than the memory may hold", () => {
    const fields = Array.from({ length: 1_100 }, (_, n) => ({
      ...{ by: null, declared: 1, live: 2, time: null },
      path: `spec.${"x".repeat(500)}${String(n)}`,
    }));
    const { then } = newsOf(drift({ changed: [{ ...scaled(5), fields }] }), nothingTold);
    assert.deepEqual(parseTold(JSON.stringify(then)), then);
  });
});

describe("the memory of what was told", () => {
  it("is read back as it was written", () => {
    const told = toldAbout(drift({ changed: [scaled(5)], gone: [service] }));
    assert.deepEqual(parseTold(JSON.stringify(told)), told);
  });

  const id = "0".repeat(64);
  for (const [what, memory] of [
    ["no JSON", "{"],
    ["nothing", ""],
    ["another version", JSON.stringify({ ...nothingTold, version: 2 })],
    ["another type", JSON.stringify({ ...nothingTold, differences: [{ id: 1, what: "x" }] })],
    [
      "an id that is not a hash",
      JSON.stringify({ ...nothingTold, differences: [{ id: "x", what: "x" }] }),
    ],
    [
      "a text that is too long",
      JSON.stringify({ ...nothingTold, differences: [{ id, what: "x".repeat(201) }] }),
    ],
    [
      "too many differences",
      JSON.stringify({ ...nothingTold, differences: Array(1_001).fill({ id, what: "x" }) }),
    ],
  ] as const) {
    it(`is refused with ${what}`, () => {
      assert.equal(parseTold(memory), undefined);
    });
  }
});

describe("a message about drift", () => {
  it("says what changed, what is gone, and how to see all", () => {
    const news = {
      appeared: ["Deployment orders: spec.replicas: 3 → 5 (kubectl scale)"],
      gone: ["Service orders"],
    };
    const workflow = "https://ci.example.com/w";
    assert.deepEqual(driftMessage("prod", news, { job: "https://ci.example.com/1", workflow }), {
      blocks: [
        {
          text: { text: ":mag: *prod was changed in the cluster*", type: "mrkdwn" },
          type: "section",
        },
        {
          text: {
            text: "*Since its last update*\n```Deployment orders: spec.replicas: 3 → 5 (kubectl scale)```",
            type: "mrkdwn",
          },
          type: "section",
        },
        {
          text: {
            text: "*No longer different from the last update*\n```Service orders```",
            type: "mrkdwn",
          },
          type: "section",
        },
        {
          text: {
            text: "All differences, and how to take them back: `npm run drift -- prod`",
            type: "mrkdwn",
          },
          type: "section",
        },
        {
          elements: [
            {
              text: "<https://ci.example.com/w|Workflow>  ·  <https://ci.example.com/1|Job>",
              type: "mrkdwn",
            },
          ],
          type: "context",
        },
      ],
      text: "prod was changed in the cluster",
    });
  });

  it("about what is gone says so in its title", () => {
    const { text } = driftMessage("prod", { appeared: [], gone: ["Service orders"] }, {});
    assert.equal(text, "prod: changes in the cluster are gone");
  });

  it("shows the first differences, and how many more there are", () => {
    const appeared = Array.from({ length: 14 }, (_, n) => `Service s${String(n)} is gone`);
    const { blocks } = driftMessage("prod", { appeared, gone: [] }, {});
    const { text } = blocks[1] as { text: { text: string } };
    assert.match(text.text, /Service s9 is gone```\nand 4 more$/);
  });

  it("stays within Slack's limits for any input", () => {
    const long = fc.oneof(fc.string({ maxLength: 400, size: "max" }), fc.constant("&".repeat(400)));
    fc.assert(
      fc.property(fc.array(long, { maxLength: 40 }), (lines) => {
        for (const block of driftMessage("prod", { appeared: lines, gone: lines }, {}).blocks) {
          const { text } = block as { text?: { text: string } };
          assert.ok((text?.text.length ?? 0) <= 3_000);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("npm run notify -- drift", () => {
  let accepts = true;
  const slack = new StandIn(() =>
    accepts ? { body: "ok", status: 200 } : { body: "no_service", status: 404 },
  );
  let directory: string;
  let report: string;
  let told: string;
  let warnings: string[];
  const variables = process.env;

  before(async () => {
    const DATABASE_PASSWORD = "hush-hush";
    process.env = { ...variables, DATABASE_PASSWORD, SLACK_WEBHOOK_URL: await slack.start() };
  });
  after(async () => {
    process.env = variables;
    await slack.stop();
  });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-drift-"));
    report = join(directory, "drift.json");
    told = join(directory, "memory", "told.json");
    accepts = true;
    warnings = [];
    slack.asked.length = 0;
    mock.method(console, "log", () => undefined);
    mock.method(process.stderr, "write", (text: string) => warnings.push(text) > 0);
  });
  afterEach(() => {
    mock.restoreAll();
    rmSync(directory, { force: true, recursive: true });
  });

  const seen = (live: unknown): void => {
    writeFileSync(report, JSON.stringify(drift({ changed: [scaled(live)] })));
  };
  const tell = async (): Promise<readonly string[]> => {
    const causeFile = join(directory, "cause.txt");
    await notify("drift", { causeFile, report, stack: "prod", told });
    return slack.asked.splice(0).map(({ body }) => (JSON.parse(body) as { text: string }).text);
  };

  it("tells a difference once, and once that it is gone", async () => {
    seen(5);
    assert.deepEqual(await tell(), ["prod was changed in the cluster"]);
    assert.deepEqual(await tell(), []);
    writeFileSync(report, JSON.stringify(drift()));
    assert.deepEqual(await tell(), ["prod: changes in the cluster are gone"]);
    assert.deepEqual(await tell(), []);
    assert.deepEqual(warnings, []);
  });

  it("tells it again when Slack did not take it", async () => {
    seen(5);
    accepts = false;
    await tell();
    assert.match(warnings.join(""), /Slack answered 404/);
    accepts = true;
    assert.deepEqual(await tell(), ["prod was changed in the cluster"]);
  });

  it("writes its memory also when nothing is new, because the cache that keeps it ends", async () => {
    writeFileSync(report, JSON.stringify(drift()));
    assert.deepEqual(await tell(), []);
    assert.ok(existsSync(told));
  });

  it("tells everything again without its memory, with a damaged one and with a huge one", async () => {
    seen(5);
    await tell();
    const huge = readFileSync(told, "utf8") + " ".repeat(2_000_000);
    for (const memory of [undefined, "{ not json", huge]) {
      rmSync(told);
      if (memory !== undefined) writeFileSync(told, memory);
      assert.deepEqual(await tell(), ["prod was changed in the cluster"]);
      assert.deepEqual(await tell(), []);
    }
    assert.equal(
      warnings.filter((text) => text.includes("contains every difference again")).length,
      2,
    );
  });

  it("says once that the cluster cannot be read, with the cause", async () => {
    writeFileSync(join(directory, "cause.txt"), "The cluster cannot be read");
    await notify("drift", { causeFile: join(directory, "cause.txt"), report, stack: "prod", told });
    const { body } = slack.asked.splice(0)[0] ?? { body: "" };
    assert.match(body, /drift of prod failed/);
    assert.match(body, /The cluster cannot be read/);
    assert.deepEqual(await tell(), []);
  });

  it("does not take another stack's report for its own", async () => {
    writeFileSync(report, JSON.stringify(drift({ stack: "staging" })));
    assert.deepEqual(await tell(), ["drift of prod failed"]);
  });

  it("masks the secrets in the job's variables", async () => {
    seen("hush-hush");
    await notify("drift", { report, stack: "prod", told });
    const { body } = slack.asked.splice(0)[0] ?? { body: "" };
    assert.match(body, /3 → \[secret\]/);
    assert.doesNotMatch(body + readFileSync(told, "utf8"), /hush/);
  });
});
