import assert from "node:assert/strict";
import { mock } from "node:test";
import { Steps } from "../../lib/progress";
import { duration } from "../../lib/time";

describe("a duration", () => {
  const texts: readonly (readonly [number, string])[] = [
    [0, "0.0s"],
    [49, "0.0s"],
    [950, "0.9s"],
    [1_500, "1.5s"],
    [9_400, "9.4s"],
    [9_500, "10s"],
    [59_499, "59s"],
    [59_500, "1m 0s"],
    [75_000, "1m 15s"],
    [3_661_000, "61m 1s"],
  ];
  for (const [milliseconds, text] of texts) {
    it(`of ${String(milliseconds)} ms reads ${text}`, () => {
      assert.equal(duration(milliseconds), text);
    });
  }
});

describe("steps", () => {
  let lines: string[];
  beforeEach(() => {
    lines = [];
    mock.method(console, "log", (line: string) => lines.push(line));
    mock.timers.enable({ apis: ["setInterval", "Date"] });
  });
  afterEach(() => {
    mock.timers.reset();
    mock.restoreAll();
  });
  /** Returns the printed lines, and restores console.log. */
  const said = () => {
    mock.restoreAll();
    return lines;
  };

  it("say which of how many they are and what they do", async () => {
    const steps = new Steps(2);
    await steps.step("first", () => undefined);
    await steps.step("second", () => undefined);
    assert.deepEqual(said(), ["[1/2] first", "[2/2] second"]);
  });

  it("give what their work gives", async () => {
    assert.equal(await new Steps(1).step("work", () => Promise.resolve(7)), 7);
  });

  it("say how long they took from one second on", async () => {
    const steps = new Steps(2);
    await steps.step("short", () => {
      mock.timers.tick(999);
    });
    await steps.step("long", () => {
      mock.timers.tick(1_000);
    });
    assert.deepEqual(said(), ["[1/2] short", "[2/2] long", "[2/2]   done in 1.0s"]);
  });

  it("say the CPU time of their programs from one minute on", async () => {
    let cpu = 5_000;
    const steps = new Steps(2, () => cpu);
    const work = (tookMs: number) => () => {
      mock.timers.tick(tookMs);
      cpu += 2 * tookMs;
    };
    await steps.step("short", work(59_000));
    await steps.step("long", work(60_000));
    const done = said().filter((line) => line.includes("done"));
    assert.deepEqual(done, ["[1/2]   done in 59s", "[2/2]   done in 1m 0s (2m 0s of CPU time)"]);
  });

  it("say every ten seconds that they are at work, and at what", async () => {
    await new Steps(3, () => undefined).step("build", (report) => {
      mock.timers.tick(10_000);
      report("compiling a");
      report("compiling b");
      mock.timers.tick(9_999);
      assert.equal(lines.length, 2);
      mock.timers.tick(1);
      for (let second = 20; second < 65; second += 5) mock.timers.tick(5_000);
    });
    assert.deepEqual(said(), [
      "[1/3] build",
      "[1/3]   ... 10s",
      "[1/3]   ... 20s: compiling b",
      "[1/3]   ... 30s: compiling b",
      "[1/3]   ... 40s: compiling b",
      "[1/3]   ... 50s: compiling b",
      "[1/3]   ... 1m 0s: compiling b",
      "[1/3]   done in 1m 5s",
    ]);
  });

  it("say nothing more once they have ended", async () => {
    await new Steps(1).step("work", () => undefined);
    mock.timers.tick(60_000);
    assert.deepEqual(said(), ["[1/1] work"]);
  });

  it("that fail say after how long, fall silent, and pass the error on", async () => {
    const broken = new Error("broken");
    await assert.rejects(
      new Steps(1).step("work", () => {
        mock.timers.tick(2_000);
        throw broken;
      }),
      broken,
    );
    mock.timers.tick(60_000);
    assert.deepEqual(said(), ["[1/1] work", "[1/1]   failed after 2.0s"]);
  });
});
