import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const service = join(__dirname, "..", "..", "service");
const text = (file: string): string => readFileSync(join(service, file), "utf8");

/** Paths of the files that have a checksum. The paths are relative to a Maven repository. */
const known = new Set(
  text(".mvn/checksums.sha256")
    .trim()
    .split("\n")
    .map((line) => line.replace(/^[0-9a-f]{64} {2}/, "")),
);
const pom = text("pom.xml");
const properties = new Map(
  [...pom.matchAll(/<([\w.-]+)>([^<$]+)<\/\1>/g)].map(([, name = "", value = ""]) => [name, value]),
);

/**
 * Returns the path of the POM file of each plugin and dependency whose version is in pom.xml. Omits
 * the plugins that our commands never run.
 */
function named(): readonly string[] {
  const found = pom.matchAll(
    /<groupId>([^<]+)<\/groupId>\s*<artifactId>([^<]+)<\/artifactId>\s*<version>([^<]+)<\/version>/g,
  );
  return [...found].flatMap(([, group = "", name = "", given = ""]) => {
    const version = given.replace(/\$\{([^}]+)\}/, (_, key: string) => properties.get(key) ?? "");
    // `services-orders` is the project itself.
    if (/^maven-(?:clean|deploy|install)-plugin$/.test(name) || name === "services-orders")
      return [];
    return [`${group.replaceAll(".", "/")}/${name}/${version}/${name}-${version}.pom`];
  });
}

describe("the checksums of Maven's downloads", () => {
  it("contain every dependency and plugin in pom.xml, in its version", () => {
    const all = named();
    assert.ok(all.length > 20, String(all.length));
    const missing = all.filter((file) => !known.has(file));
    assert.deepEqual(missing, [], 'docs/versions.md, "Versions of the service", says what to run');
  });

  it("are compared by Maven", () => {
    const config = text(".mvn/maven.config").trim().split("\n");
    for (const option of [
      "-Daether.artifactResolver.postProcessor.trustedChecksums=true",
      "-Daether.artifactResolver.postProcessor.trustedChecksums.checksumAlgorithms=SHA-256",
      "-Daether.trustedChecksumsSource.summaryFile=true",
    ]) {
      assert.ok(config.includes(option), option);
    }
  });
});
