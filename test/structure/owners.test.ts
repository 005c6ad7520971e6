import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(__dirname, "..", "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const platform = "@example/platform";

/**
 * Programs that jobs with permissions start: the project's commands, and the programs that Pulumi
 * loads.
 */
const programs = [
  "cli/entry.mjs",
  "cli/main.ts",
  "index.ts",
  "platform/entry.cjs",
  "platform/index.ts",
  "policy/entry.cjs",
  "policy/index.ts",
  "program/entry.cjs",
];

/**
 * Files with fixed names. Tools such as npm, Pulumi, Maven and CircleCI read these files in jobs
 * with permissions, or before these jobs.
 */
const byName = [
  ...["package.json", "package-lock.json", ".npmrc", ".nvmrc", "tsconfig.json"],
  ...["Pulumi.yaml", "Pulumi.prod.yaml", "Pulumi.staging.yaml", "platform/Pulumi.yaml"],
  ...["platform/Pulumi.shared.yaml", "service/pom.xml", "service/Dockerfile", ".gitignore"],
  ...["service/.mvn/jvm.config", "service/.mvn/maven.config"],
  ...[".circleci/config.yml", ".github/CODEOWNERS", "renovate.json"],
];
/**
 * Files that do not exist in the repository. A branch that adds one of these files needs the same
 * review as a branch that changes a file in `byName`.
 */
const notThere = ["service/.mvn/extensions.xml", ".trivyignore.yaml"];

interface Cruised {
  readonly modules: readonly { readonly source: string }[];
}

/**
 * Returns the files of this repository that the programs import, including imports by `import()`.
 */
function imported(): readonly string[] {
  const bin = join(root, "node_modules", "dependency-cruiser", "bin", "dependency-cruise.mjs");
  const args = [bin, "--config", "tools/arrows.cjs", "--output-type", "json", ...programs];
  const text = execFileSync("node", args, { cwd: root, encoding: "utf8", maxBuffer: 1e8 });
  const tracked = new Set(files());
  return (JSON.parse(text) as Cruised).modules
    .map(({ source }) => source)
    .filter((source) => tracked.has(source));
}

/** Returns the files that git tracks, and new files that git does not ignore. */
function files(): readonly string[] {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard"];
  return execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim().split("\n");
}

/**
 * Returns the files whose path occurs in the code of one of the sources. Omits pages of the
 * documentation, because no program uses their content.
 */
function named(sources: readonly string[]): readonly string[] {
  const code = sources.map(read).join("\n");
  return files().filter(
    (file) => !file.endsWith(".md") && (code.includes(`"${file}"`) || code.includes(`/${file}`)),
  );
}

interface Rule {
  readonly owners: string;
  readonly pattern: string;
}

/**
 * Returns the rules in the text of a file CODEOWNERS.
 *
 * @throws Error if a pattern has a form that `ownersOf` does not know
 */
function rules(text: string): readonly Rule[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [pattern = "", ...owners] = line.split(/ +/);
      if (!/^(?:\*|\/[\w./-]+)$/.test(pattern)) throw new Error(`unknown form of pattern: ${line}`);
      return { owners: owners.join(" "), pattern };
    });
}

/** Returns the owners of a file: "the last matching pattern takes the most precedence" (GitHub). */
function ownersOf(file: string, of: readonly Rule[]): string {
  const match = of.findLast(
    ({ pattern }) =>
      pattern === "*" ||
      `/${file}` === pattern ||
      `/${file}`.startsWith(pattern.endsWith("/") ? pattern : `${pattern}/`),
  );
  return match?.owners ?? "";
}

describe("the code owners", () => {
  const current = rules(read(".github/CODEOWNERS"));
  const others = (paths: readonly string[], of = current): readonly string[] =>
    paths.filter((path) => ownersOf(path, of) !== platform);
  let code: readonly string[];
  before(function () {
    this.timeout(120_000);
    code = imported();
  });

  it("M5 fails: the owners of the platform approve every change of code that runs with rights", () => {
    const rooms = new Set(code.map((file) => file.split("/")[0]));
    for (const room of ["cli", "components", "config", "environments.ts", "index.ts", "jobs.ts"])
      assert.ok(rooms.has(room), room);
    for (const room of [
      "lib",
      "operations",
      "pipeline",
      "platform",
      "policy",
      "program",
      "settings",
    ])
      assert.ok(rooms.has(room), room);
    assert.deepEqual(others(code), []);
  });

  it("M5 fails: they approve every change of a file that this code or its tools read", () => {
    const data = named(code);
    for (const file of ["Pulumi.yaml", "package.json", "package-lock.json"])
      assert.ok(data.includes(file), file);
    const tracked = new Set(files());
    assert.deepEqual(
      byName.filter((file) => !tracked.has(file)),
      [],
    );
    assert.deepEqual(
      notThere.filter((file) => tracked.has(file)),
      [],
    );
    assert.deepEqual(others([...data, ...byName, ...notThere]), []);
  });

  it("are asked for a file that is new, in any folder that is not listed", () => {
    assert.deepEqual(others(["new.ts", "new/file.sh", "cli/new.ts"]), []);
  });

  it("are compared by a test that finds a folder with rights that another team owns", () => {
    const wrong = rules(`* ${platform}\n/operations/release/ @example/orders\n`);
    assert.ok(others(code, wrong).includes("operations/release/promote.ts"));
    assert.throws(() => rules("*.ts @example/orders"), /unknown form/);
  });
});
