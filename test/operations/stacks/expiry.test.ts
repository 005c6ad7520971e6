import assert from "node:assert/strict";
import { expiry, extension, longestHours } from "../../../operations/stacks/expiry";

const at = (text: string): Date => new Date(text);
const life = { extendedUntil: undefined, lastUpdate: at("2026-01-01T00:00:00Z"), ttlHours: 72 };

describe("a review stack's life", () => {
  it("ends its time after the last update", () => {
    assert.deepEqual(expiry(life), at("2026-01-04T00:00:00Z"));
  });

  it("is longer by an extension, and never shorter", () => {
    const longer = { ...life, extendedUntil: at("2026-01-06T00:00:00Z") };
    assert.deepEqual(expiry(longer), at("2026-01-06T00:00:00Z"));
    const shorter = { ...life, extendedUntil: at("2026-01-02T00:00:00Z") };
    assert.deepEqual(expiry(shorter), at("2026-01-04T00:00:00Z"));
  });

  it("ends 13 days after the last update, no matter what was asked", () => {
    const end = at("2026-01-14T00:00:00Z");
    assert.deepEqual(expiry({ ...life, ttlHours: 10_000 }), end);
    assert.deepEqual(expiry({ ...life, extendedUntil: at("2027-01-01T00:00:00Z") }), end);
    assert.equal(longestHours, 312);
  });

  it("is extended from now, and refused beyond 13 days", () => {
    const now = at("2026-01-03T12:00:00Z");
    assert.deepEqual(extension(life, 24, now), at("2026-01-04T12:00:00Z"));
    assert.throws(() => extension(life, 300, now), /at most 13 days.*2026-01-14 00:00 UTC/);
  });
});
