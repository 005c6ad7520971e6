import assert from "node:assert/strict";
import {
  evaluate,
  ExpressionError,
  namesIn,
  parseExpression,
} from "../../pipeline/checks/expression";

const value = (text: string, known: Readonly<Record<string, string | number | boolean>> = {}) =>
  evaluate(parseExpression(text), known);

describe("an expression", () => {
  it("binds not before comparisons, comparisons before and, and before or", () => {
    assert.equal(value("false and false or true"), true);
    assert.equal(value("false and (false or true)"), false);
    assert.equal(value("not a and b", { a: true, b: false }), false);
    assert.equal(value("not (a and b)", { a: true, b: false }), true);
    assert.equal(value("1 == 2 or 2 == 2"), true);
  });

  it("compares texts, numbers, beginnings and patterns", () => {
    const known = { "pipeline.git.branch": "feature/a", "pipeline.parameters.percent": 10 };
    assert.equal(value('pipeline.git.branch starts-with "feature/"', known), true);
    assert.equal(value("pipeline.git.branch matches /feature\\/.*/", known), true);
    assert.equal(value("pipeline.git.branch matches /feature/", known), false);
    assert.equal(value("pipeline.parameters.percent >= 10", known), true);
    assert.equal(value("pipeline.parameters.percent < 10", known), false);
    assert.equal(value('pipeline.parameters.percent == "10"', known), false);
    assert.equal(value("pipeline.git.branch != 'main'", known), true);
  });

  it("has a value only as far as what is known decides it", () => {
    assert.equal(value("unknown"), undefined);
    assert.equal(value("unknown and false"), false);
    assert.equal(value("unknown or true"), true);
    assert.equal(value("unknown and true"), undefined);
    assert.equal(value("not unknown"), undefined);
    assert.equal(value("unknown == 1"), undefined);
  });

  it("gives the names that it asks for", () => {
    assert.deepEqual(namesIn(parseExpression('a.b == "x" and not (c or d-e)')), [
      "a.b",
      "c",
      "d-e",
    ]);
  });

  for (const [text, says, at] of [
    ['(a == "x"', '"(" is not closed', 0],
    ['a == "x")', 'unexpected ")"', 8],
    ['a == "x', "a string has no closing quote", 5],
    ["a ==", "it ends where a value is expected", 4],
    ["a and and b", '"and" stands where a value is expected', 6],
    ["a & b", 'unexpected character "&"', 2],
    ["a b", 'unexpected "b"', 2],
    ["", "it ends where a value is expected", 0],
  ] as const) {
    it(`says what is wrong with ${text === "" ? "nothing" : text}`, () => {
      assert.throws(
        () => parseExpression(text),
        (error) => error instanceof ExpressionError && error.message === says && error.at === at,
      );
    });
  }
});
