import assert from "node:assert/strict";
import { isTimeZone } from "../../../components/scheduled-job/time-zone";

describe("a time zone", () => {
  it("is each that JavaScript lists, in no other spelling", () => {
    for (const zone of Intl.supportedValuesOf("timeZone")) {
      assert.ok(isTimeZone(zone), zone);
      for (const other of [zone.toLowerCase(), zone.toUpperCase(), ` ${zone}`, `${zone}\n`]) {
        assert.ok(other === zone || !isTimeZone(other), other);
      }
    }
  });

  for (const zone of [
    "America/Argentina/Buenos_Aires",
    "Asia/Kolkata",
    "CET",
    "Etc/GMT+5",
    "Etc/UTC",
    "Europe/Kyiv",
    "Japan",
    "US/East-Indiana",
    "UTC",
  ]) {
    it(`is ${zone}, another name of one in that list`, () => {
      assert.ok(isTimeZone(zone));
    });
  }

  for (const zone of [
    "",
    "+02:00",
    "EUROPE/KYIV",
    "IST",
    "Local",
    "Mars/Olympus_Mons",
    "PST",
    "SystemV/AST4",
    "asia/kolkata",
    "etc/utc",
    "europe/berlin",
    "utc",
  ]) {
    it(`is not "${zone}", which no cluster finds`, () => {
      assert.ok(!isTimeZone(zone));
    });
  }
});
