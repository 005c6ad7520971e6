import assert from "node:assert/strict";
import { lastLines } from "../../../operations/deploy/log-lines";

const frames = (count: number): readonly string[] =>
  Array.from(
    { length: count },
    (_, n) => `\tat com.example.orders.Store.step${String(n)}(Store.java)`,
  );

describe("the last lines of a container's log", () => {
  it("show a line in JSON as its level, its message, and the causes of its stack trace", () => {
    const trace = [
      "com.example.orders.StoreException: no migration",
      ...frames(40),
      "Caused by: org.postgresql.util.PSQLException: relation exists",
      ...frames(2),
      "\t... 38 common frames omitted",
      "",
    ].join("\n");
    const entry = { "@timestamp": "2026-01-01", level: "ERROR", message: "migrate failed" };
    assert.deepEqual(lastLines(JSON.stringify({ ...entry, stack_trace: trace })), [
      "ERROR migrate failed",
      "com.example.orders.StoreException: no migration",
      "    at com.example.orders.Store.step0(Store.java)",
      "    at com.example.orders.Store.step1(Store.java)",
      "    at com.example.orders.Store.step2(Store.java)",
      "    ... 37 more",
      "Caused by: org.postgresql.util.PSQLException: relation exists",
      "    at com.example.orders.Store.step0(Store.java)",
      "    at com.example.orders.Store.step1(Store.java)",
      "    ... 38 common frames omitted",
    ]);
  });

  it("cut a stack trace in plain text by frames, and keep the cause above it", () => {
    const lines = lastLines(["Exception in thread main: no", ...frames(100)].join("\n"));
    assert.deepEqual([lines[0], lines.length], ["Exception in thread main: no", 5]);
  });

  it("show other lines as they are, without the JVM's own line and empty lines", () => {
    const log = 'Picked up JAVA_TOOL_OPTIONS: -Xmx1g\n\n{"a":1}\n{broken\nlast\n';
    assert.deepEqual(lastLines(log), ['{"a":1}', "{broken", "last"]);
  });

  it("are at most 20 lines, the newest", () => {
    const lines = lastLines(Array.from({ length: 50 }, (_, n) => `line ${String(n)}`).join("\n"));
    assert.deepEqual([lines.length, lines.at(-1)], [20, "line 49"]);
  });
});
