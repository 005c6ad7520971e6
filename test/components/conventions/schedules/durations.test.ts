import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  durationOptions,
  isDuration,
} from "../../../../components/conventions/schedules/durations";

const service = join(__dirname, "..", "..", "..", "..", "service", "src");

describe("the durations in the commands of jobs", () => {
  // The service's DurationsTest reads the same file.
  const file = readFileSync(join(service, "test", "resources", "durations.csv"), "utf8");
  const examples = [...file.matchAll(/^'(.*)',(true|false)$/gm)];

  it("are those that the service accepts", () => {
    assert.equal(examples.length, file.trim().split("\n").length - 1);
    for (const [, text, accepted] of examples) {
      assert.equal(isDuration(text), accepted === "true", text);
    }
    assert.ok(!isDuration(undefined));
  });

  it("are the values of every option that the service reads as a duration", () => {
    const commands = join(service, "main", "java", "com", "example", "orders", "cli");
    const options = readdirSync(commands)
      .map((name) => readFileSync(join(commands, name), "utf8"))
      .flatMap((text) => [...text.matchAll(/@Option\(([^]*?)\)\s+(?:private )?([\w.<>]+) \w+;/g)])
      .filter(([, , type = ""]) => /\bDuration\b/.test(type))
      .map(([, option = ""]) => /names = "(--[\w-]+)"/.exec(option)?.[1]);
    assert.deepEqual(options.sort(), [...durationOptions].sort());
  });
});
