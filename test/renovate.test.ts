import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { executorImages } from "../config/circleci";

const root = join(__dirname, "..");
const text = (file: string): string => readFileSync(join(root, file), "utf8");

interface Manager {
  readonly depNameTemplate?: string;
  readonly managerFilePatterns: readonly string[];
  readonly matchStrings: readonly string[];
}

interface Found {
  readonly currentDigest?: string;
  readonly currentValue: string;
  readonly depName: string;
}

const renovate = JSON.parse(text("renovate.json")) as {
  readonly customManagers: readonly Manager[];
  readonly packageRules: readonly {
    readonly allowedVersions?: string;
    readonly groupName?: string;
    readonly matchPackageNames: readonly string[];
  }[];
};

/** Paths of the TypeScript files that can contain versions. */
const sources = ["config", "pipeline", "sandbox/install", "settings"].flatMap((directory) =>
  readdirSync(join(root, directory))
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${directory}/${name}`),
);

/**
 * Returns the file patterns of a manager. In renovate.json, a regular expression is between
 * slashes.
 */
const forms = ({ managerFilePatterns }: Manager): readonly RegExp[] =>
  managerFilePatterns.map((pattern) => new RegExp(pattern.slice(1, -1)));

/**
 * Returns the dependencies that a manager of Renovate finds in `sources`. The function uses the
 * regular expressions from renovate.json.
 */
function foundBy(manager: Manager): readonly Found[] {
  const files = sources.filter((file) => forms(manager).some((form) => form.test(file)));
  return files.flatMap((file) =>
    manager.matchStrings.flatMap((match) =>
      [...text(file).matchAll(new RegExp(match, "g"))].map(
        ({ groups = {} }) => ({ depName: manager.depNameTemplate, ...groups }) as Found,
      ),
    ),
  );
}

const found = renovate.customManagers.flatMap(foundBy);
const valueOf = (name: string) => found.find(({ depName }) => depName === name)?.currentValue;
const javaInTheCluster = /^FROM eclipse-temurin:([^@\s]+)@sha256:[0-9a-f]{64} AS base$/m.exec(
  text("service/Dockerfile"),
)?.[1];
const packages = JSON.parse(text("package.json")) as { dependencies: Record<string, string> };

describe("renovate.json", () => {
  it("finds something with each of its regular expressions", () => {
    for (const manager of renovate.customManagers) {
      assert.notEqual(foundBy(manager).length, 0, manager.matchStrings.join());
    }
  });

  it("uses only what Renovate's engine for regular expressions, RE2, has", () => {
    for (const { matchStrings } of renovate.customManagers) {
      for (const match of matchStrings) assert.doesNotMatch(match, /\(\?<?[=!]|\\[1-9k]|\[\^\]/);
    }
  });

  it("finds the version of every part of the sandbox, and who publishes it", () => {
    const [, block = ""] =
      /export const versions = \{\n([^]*?)\n\}/.exec(text("sandbox/install/parts.ts")) ?? [];
    const versions = [...block.matchAll(/^ {2}\w+: "([^"]+)"/gm)].map(([, version]) => version);
    assert.equal(versions.length, block.split("\n").length);
    const parts = renovate.customManagers
      .filter((manager) => forms(manager).some((form) => form.test("sandbox/install/parts.ts")))
      .flatMap(foundBy);
    assert.deepEqual(
      parts
        .filter(({ depName }) => depName !== "aquasecurity/trivy")
        .map(({ currentValue }) => currentValue),
      versions,
    );
    assert.equal(valueOf("kubernetes/kubernetes"), "1.34.4");
    assert.match(valueOf("aquasecurity/trivy") ?? "", /^\d+\.\d+\.\d+$/);
  });

  it("finds the engine of the CircleCI jobs, which is that of the program", () => {
    assert.equal(valueOf("pulumi/pulumi"), packages.dependencies["@pulumi/pulumi"]);
  });

  it("finds every image of the CircleCI jobs, with a digest too", () => {
    for (const image of Object.values(executorImages)) {
      const [name = "", tag] = image.split(/[:@]/);
      assert.equal(valueOf(name), tag, image);
    }
    const [manager] = renovate.customManagers.filter((one) =>
      forms(one).some((form) => form.test("config/circleci.ts")),
    );
    const digest = `sha256:${"a".repeat(64)}`;
    for (const name of Object.keys(executorImages)) {
      const line = `  ${name}: "a/b:1.2@${digest}",`;
      const pinned = new RegExp(manager?.matchStrings[0] ?? "").exec(line);
      assert.equal(pinned?.groups?.["currentDigest"], digest, name);
    }
  });

  it("finds every digest that is written in TypeScript", () => {
    const written = sources.flatMap((file) => text(file).match(/@sha256:[0-9a-f]{64}/g) ?? []);
    assert.deepEqual(
      found.flatMap(({ currentDigest }) =>
        currentDigest === undefined ? [] : [`@${currentDigest}`],
      ),
      written,
    );
    assert.equal(valueOf("postgres"), "17");
  });

  it("allows the versions that are there now", () => {
    const allowed = (form: string) =>
      renovate.packageRules.map((rule) => rule.allowedVersions).find((rule) => rule === form);
    assert.notEqual(allowed("/^17[.-]/"), undefined);
    assert.match(javaInTheCluster ?? "", /^17[.-]/);
    assert.match(valueOf("cimg/openjdk") ?? "", /^17[.-]/);
  });

  it("updates the JDK of CI and of the cluster together, so that they have the same version", () => {
    const version = /^\d+\.\d+\.\d+/;
    const inCi = version.exec(valueOf("cimg/openjdk") ?? "")?.[0];
    assert.notEqual(inCi, undefined);
    assert.equal(inCi, version.exec(javaInTheCluster ?? "")?.[0]);
    const java = renovate.packageRules.find(({ groupName }) => groupName === "Java");
    assert.deepEqual(java?.matchPackageNames, ["eclipse-temurin", "cimg/openjdk"]);
  });
});
