import assert from "node:assert/strict";
import { shortestPeriodSeconds } from "../../components/conventions/cron";

describe("shortestPeriodSeconds", () => {
  const cases: readonly [string, number | undefined][] = [
    ["* * * * *", 60],
    ["*/15 * * * *", 900],
    ["0 * * * *", 3600],
    ["0,50 * * * *", 600],
    ["5/20 * * * *", 1200],
    ["30 3 * * *", 86_400],
    ["0 22,2 * * *", 14_400],
    ["0 9-17/4 * * MON-FRI", 14_400],
    ["60 * * * *", undefined],
    ["5-1 * * * *", undefined],
    ["*/0 * * * *", undefined],
    ["0 0 * *", undefined],
    ["@hourly", undefined],
    ["0 0 * * ;", undefined],
  ];
  for (const [schedule, expected] of cases) {
    it(`of "${schedule}" is ${String(expected)}`, () => {
      assert.equal(shortestPeriodSeconds(schedule), expected);
    });
  }
});
