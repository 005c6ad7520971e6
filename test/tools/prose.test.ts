import assert from "node:assert";
import { Linter } from "eslint";
import tseslint from "typescript-eslint";
import { checkText } from "../../tools/prose/markdown";
import plugin from "../../tools/prose/eslint-plugin.mjs";
import { findings, words } from "../../tools/prose/words.mjs";

const inTypeScript = (text: string) =>
  new Linter()
    .verify(
      text,
      [
        {
          files: ["**/*.ts"],
          languageOptions: { parser: tseslint.parser },
          plugins: { prose: plugin },
          rules: { "prose/words": "error" },
        },
      ],
      "some.ts",
    )
    .map(({ line, column, message }) => `${String(line)}:${String(column)} ${message}`);
const inMarkdown = (text: string) => checkText(text, "docs/some.md");

describe("the word list", () => {
  for (const { pattern, instead, wrong, right } of words) {
    it(`${pattern}: finds its example, and lets a right sentence pass`, () => {
      assert.ok(
        findings(wrong).some(({ message }) => message.endsWith(`; instead: ${instead}`)),
        wrong,
      );
      assert.deepEqual(findings(right), []);
    });
  }

  it("finds words in any case, and across a line break", () => {
    // eslint-disable-next-line prose/words -- the finding under test
    assert.equal(findings("NOBODY knows.").length, 1);
    assert.equal(findings("A namespace of its\nown.").length, 1);
  });
});

describe("prose in Markdown", () => {
  it("is checked in paragraphs, titles, lists, tables and links, with the place", async () => {
    const text =
      // eslint-disable-next-line prose/words -- the finding under test
      "# Beside it\n\n- It shall\n  [mend](beside.md) *it*.\n\n| a |\n| --- |\n| nobody |\n";
    assert.deepEqual(
      (await inMarkdown(text)).map((line) => /:(\d+:\d+ "\w+")/.exec(line)?.[1]),
      // eslint-disable-next-line prose/words -- the finding under test
      ['1:3 "Beside"', '3:6 "shall"', '4:4 "mend"', '8:3 "nobody"'],
    );
  });

  it("leaves code, addresses and comments alone", async () => {
    assert.deepEqual(
      await inMarkdown(
        // eslint-disable-next-line prose/words -- the finding under test
        "`nobody` <!-- nobody --> [a](https://nobody.example/beside)\n\n```sh\nmend\n```\n",
      ),
      [],
    );
  });
});

describe("a table in Markdown", () => {
  const row = (cell: string) => inMarkdown(`| a | b |\n| --- | --- |\n| c | ${cell} |\n`);

  it("has cells of at most 60 characters", async () => {
    assert.deepEqual(await row("x".repeat(60)), []);
    assert.deepEqual(await row(`\`${"x".repeat(30)}\` *and* ${"x".repeat(30)}`), [
      "docs/some.md:3:6 table cell of 65 characters: write at most 60 characters, or use a list",
    ]);
  });

  it("may have links with longer addresses", async () => {
    assert.deepEqual(await row(`[ADR](https://example.com/${"x".repeat(60)})`), []);
  });
});

describe("prose in TypeScript", () => {
  it("is checked in comments, also if a sentence continues in the next line", () => {
    assert.deepEqual(
      inTypeScript("/**\n * In a namespace of its\n * own.\n */\n// It has the last\n// word.\n"),
      [
        // eslint-disable-next-line prose/words -- the finding under test
        '2:19 "of its own": do not write this; instead: "its own X" or "a separate X"',
        // eslint-disable-next-line prose/words -- the finding under test
        '5:15 "last word": do not write this; instead: say what decides, or "runs last"',
      ],
    );
  });

  it("is checked in strings and templates", () => {
    assert.deepEqual(
      // eslint-disable-next-line prose/words -- the finding under test
      inTypeScript('f("it shall go", `mend ${a}`);').map((line) => line.slice(0, 4)),
      ["1:7 ", "1:19"],
    );
  });

  it("leaves code, single words and names alone", () => {
    assert.deepEqual(
      inTypeScript(
        // eslint-disable-next-line prose/words -- the finding under test
        '// `nobody` runs it\nconst user = "nobody"; mend(beside, `${mend(fault)} fixes it`);',
      ),
      [],
    );
  });
});
