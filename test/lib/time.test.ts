import assert from "node:assert/strict";
import { hours, span } from "../../lib/time";

describe("a time", () => {
  it("is minutes, hours or days", () => {
    assert.deepEqual([hours("90m"), hours("24h"), hours("2d")], [1.5, 24, 48]);
  });

  for (const text of ["", "0h", "24", "h", "-1h", "1.5h", "1w", "999999h", "1h "]) {
    it(`"${text}" is refused`, () => {
      assert.throws(() => hours(text), /as 90m, 24h or 2d/);
    });
  }

  it("is shown in the unit that a person counts in", () => {
    const shown = [90 * 60_000, 5 * 3_600_000, -72 * 3_600_000].map(span);
    assert.deepEqual(shown, ["90 min", "5 h", "3 d"]);
  });
});
