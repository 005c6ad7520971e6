import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { referenceDirectory, referencePages } from "../../tools/reference";

describe("the reference", () => {
  it("is the one that the code gives", async () => {
    const pages = await referencePages();
    const committed = readdirSync(referenceDirectory, { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(?:json|md)$/.test(name))
      .map((name) => [name, readFileSync(join(referenceDirectory, name), "utf8")] as const);
    const advice = 'docs/reference is not what the code says: run "npm run reference"';
    assert.deepEqual(Object.fromEntries(committed), Object.fromEntries(pages), advice);
  }).timeout(60_000);

  it("has a group for every arg of what runs the service's image", async () => {
    const text = [...(await referencePages()).values()].join("\n");
    for (const args of ["PodArgs", "ScheduledJobArgs", "WebServiceArgs"]) {
      const [, section = ""] =
        new RegExp(`^### ${args}$([^]*?)(?:^\\*\\*\\*$|^## )`, "m").exec(text) ?? [];
      assert.match(section, /^#### Common$/m, args);
      assert.doesNotMatch(section, /^#### Properties$/m, args);
    }
  }).timeout(60_000);
});
