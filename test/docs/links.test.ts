import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

const root = join(__dirname, "..", "..");

const markdownIn = (directory: string): readonly string[] =>
  readdirSync(join(root, directory), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${directory}/${name}`)
    .sort();

const docs = markdownIn("docs");
/**
 * The pages that people write. A program writes the pages in docs/reference/, so this test does not
 * check the links of these pages.
 */
const written = docs.filter((file) => !file.startsWith("docs/reference/"));
const pages = ["README.md", "CONTRIBUTING.md", ".github/pull_request_template.md", ...written];

const text = (file: string): string => readFileSync(join(root, file), "utf8");
const withoutCode = (markdown: string): string => markdown.replace(/^ *```[^]*?^ *```$/gm, "");

/**
 * Returns the links of a page to files of the repository: the path from the root, and the heading.
 */
function linksOf(file: string): readonly (readonly [path: string, heading: string])[] {
  return [...withoutCode(text(file)).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = ""]) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [path = "", heading = ""] = target.split("#");
    return [[path === "" ? file : normalize(join(dirname(file), path)), heading] as const];
  });
}

/** Returns the headings of a page in the form that GitHub uses in links. */
function anchorsOf(file: string): readonly string[] {
  return [...withoutCode(text(file)).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

const topLevel = readdirSync(root);
/**
 * Paths that pages name, but that the repository does not contain. These are files that commands
 * create, files that a reader may add, and a file of the earlier Helm chart.
 */
const notCommitted = /^(node_modules|reports|service\/target|\.trivyignore\.yaml|values\.yaml)/;

/**
 * Whether a text in backticks has the form of a path in the repository: a path below an existing
 * top-level folder, or the name of a file.
 */
function isPath(code: string): boolean {
  if (!/^[\w.@/-]+$/.test(code) || notCommitted.test(code)) return false;
  const [first = ""] = code.replace(/^\//, "").split("/");
  // A single word such as `test` is a command, a stack or a job.
  return code.includes("/") ? topLevel.includes(first) : /^[\w-]+\.(ts|md|json|ya?ml)$/.test(code);
}

const pathsOf = (file: string): readonly string[] =>
  [...withoutCode(text(file)).matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code).filter(isPath);

const { scripts } = JSON.parse(text("package.json")) as { scripts: Record<string, string> };

describe("the documentation", () => {
  for (const file of pages) {
    it(`${file} leads to files and headings that exist`, () => {
      for (const [path, heading] of linksOf(file)) {
        assert.ok(existsSync(join(root, path)), `${path} does not exist`);
        if (heading === "" || !path.endsWith(".md")) continue;
        assert.ok(anchorsOf(path).includes(heading), `${path} has no heading #${heading}`);
      }
    });

    it(`${file} names only paths that exist`, () => {
      for (const path of pathsOf(file)) {
        const near = ["", dirname(file), ".circleci"].map((directory) =>
          join(root, directory, path),
        );
        assert.ok(near.some(existsSync), `${path} does not exist`);
      }
    });

    it(`${file} names only commands that exist`, () => {
      for (const [, name = ""] of text(file).matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g)) {
        // A checklist may name a command that is not in package.json, because a step of the
        // checklist adds this command.
        const isAdded = text(file).includes(`"${name}": "node cli/entry.mjs`);
        assert.ok(name in scripts || isAdded, `npm run ${name} is not in package.json`);
      }
    });
  }

  it("can be found: every page is a link in docs/README.md or in an index that it names", () => {
    const indexes = [
      "README.md",
      "CONTRIBUTING.md",
      "docs/guide.md",
      ...docs.filter((file) => file.endsWith("README.md")),
    ];
    const linked = new Set(indexes.flatMap(linksOf).map(([path]) => path));
    assert.deepEqual(
      written.filter((file) => file !== "docs/README.md" && !linked.has(file)),
      [],
    );
  });

  it("has a README of at most 120 lines", () => {
    assert.ok(text("README.md").split("\n").length - 1 <= 120);
  });

  it("answers where at least 25 things are, each with a path", () => {
    const [, answers = ""] =
      /\n## Where do I find[^\n]*\n([^]*)$/.exec(text("docs/architecture.md")) ?? [];
    const questions = [...answers.matchAll(/^- \*\*.+:\*\* (.+)$/gm)];
    assert.ok(questions.length >= 25, String(questions.length));
    for (const [line, answer = ""] of questions) {
      assert.ok(
        [...answer.matchAll(/`([^`]+)`/g)].some(([, code = ""]) => isPath(code)),
        line,
      );
    }
  });

  it("lists every decision record, with its status", () => {
    const index = text("docs/adr/README.md");
    for (const file of readdirSync(join(root, "docs", "adr"))) {
      const [number] = /^\d{4}/.exec(file) ?? [];
      if (number === undefined) continue;
      assert.ok(index.includes(`](${file})`), file);
      assert.match(index, new RegExp(`^- ${number}: accepted \\d{4}-\\d\\d-\\d\\d`, "m"));
    }
  });

  it("names the versions that are pinned", () => {
    const versions = text("docs/versions.md");
    for (const [, name = "", version = "", file = ""] of versions.matchAll(
      /^\| (.+?) +\| (\S+) +\| `(.+?)` +\|$/gm,
    )) {
      const pinned = text(file);
      const [, key] = /^`(.+)`$/.exec(name) ?? [];
      const line = key === undefined ? version : `"${key}": "${version}"`;
      assert.ok(pinned.includes(line), `${name} is not ${version} in ${file}`);
    }
    const [, block = ""] =
      /export const versions = \{([^]*?)\n\}/.exec(text("sandbox/install/parts.ts")) ?? [];
    for (const [, version = ""] of block.matchAll(/"([\d.]+)"/g)) {
      assert.ok(versions.includes(`| ${version} `), version);
    }
  });
});

describe("the files for editors and GitHub", () => {
  it("map the schema of settings to every file of a stack, and to no other", () => {
    const settings = JSON.parse(text(".vscode/settings.json")) as {
      "yaml.schemas": Record<string, readonly string[]>;
    };
    for (const [schema, files] of Object.entries(settings["yaml.schemas"])) {
      assert.ok(existsSync(join(root, schema)), schema);
      const stacks = readdirSync(root).filter((name) => /^Pulumi\..+\.yaml$/.test(name));
      assert.deepEqual(
        stacks.filter((name) => !files.includes(name)),
        [],
      );
      const platform = readdirSync(join(root, "platform"));
      assert.deepEqual(
        platform.filter((name) => files.includes(name)),
        [],
      );
    }
  });

  it("name paths that exist in CODEOWNERS", () => {
    for (const [, path = ""] of text(".github/CODEOWNERS").matchAll(/^\/(\S+)/gm)) {
      assert.ok(existsSync(join(root, path)), path);
    }
  });

  it("name the Node.js that package.json asks for", () => {
    const { engines } = JSON.parse(text("package.json")) as { engines: { node: string } };
    assert.equal(/\d+/.exec(engines.node)?.[0], text(".nvmrc").trim());
  });
});
