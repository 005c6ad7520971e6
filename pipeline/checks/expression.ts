/**
 * A CircleCI expression, such as the value of `when`. An expression consists of pipeline values,
 * texts, numbers, `true`, `false`, patterns (`/.../`), parentheses, and the operators `and or not
 * == != starts-with matches > >= < <=`. `not` has a higher precedence than comparisons, as in
 * CircleCI's documentation.
 */
export type Expression =
  | { readonly kind: "literal"; readonly value: string | number | boolean }
  | { readonly kind: "pattern"; readonly value: string }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "not"; readonly of: Expression }
  | {
      readonly kind: "and" | "or" | "compare";
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    };

interface Token {
  readonly kind: "text" | "number" | "pattern" | "word" | "symbol";
  readonly text: string;
  readonly at: number;
}

/**
 * Error in an expression. `at` is the position of the error: the number of characters before the
 * error.
 */
export class ExpressionError extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const tokenForms: readonly (readonly [Token["kind"] | undefined, RegExp])[] = [
  [undefined, /\s+/y],
  ["text", /"[^"]*"|'[^']*'/y],
  ["number", /\d+(?:\.\d+)?/y],
  ["pattern", /\/(?:[^/\\]|\\.)+\//y],
  ["symbol", /==|!=|>=|<=|>|<|\(|\)/y],
  ["word", /[A-Za-z_][\w.-]*/y],
];
const comparisons = ["==", "!=", "starts-with", "matches", ">", ">=", "<", "<="];

function tokens(text: string): readonly Token[] {
  const found: Token[] = [];
  for (let at = 0; at < text.length;) {
    const start = at;
    for (const [kind, form] of tokenForms) {
      form.lastIndex = at;
      const match = form.exec(text)?.[0];
      if (match === undefined) continue;
      if (kind !== undefined) found.push({ at, kind, text: match });
      at += match.length;
      break;
    }
    if (at === start) {
      const rest = text.slice(at);
      throw new ExpressionError(
        /^["']/.test(rest)
          ? "a string has no closing quote"
          : `unexpected character "${rest.charAt(0)}"`,
        at,
      );
    }
  }
  return found;
}

/** Parses an expression. Throws an {@link ExpressionError} if the expression is invalid. */
export function parseExpression(text: string): Expression {
  const rest = [...tokens(text)];
  const open: Token[] = [];
  const fail = (message: string, token = rest[0]): never => {
    throw new ExpressionError(message, token?.at ?? text.length);
  };
  const take = (...texts: readonly string[]): string | undefined =>
    rest[0] !== undefined && rest[0].kind !== "text" && texts.includes(rest[0].text)
      ? rest.shift()?.text
      : undefined;
  const chain = (operator: "and" | "or", next: () => Expression): Expression => {
    let left = next();
    while (take(operator) !== undefined) left = { kind: operator, left, operator, right: next() };
    return left;
  };
  const either = (): Expression => chain("or", () => chain("and", comparison));
  const comparison = (): Expression => {
    const left = single();
    const operator = take(...comparisons);
    return operator === undefined ? left : { kind: "compare", left, operator, right: single() };
  };
  const single = (): Expression => {
    if (take("not") !== undefined) return { kind: "not", of: single() };
    const token = rest.shift();
    if (token === undefined) return fail("it ends where a value is expected");
    if (token.text === "(" && token.kind === "symbol") {
      open.push(token);
      const inside = either();
      if (take(")") === undefined) fail('"(" is not closed', open.at(-1));
      open.pop();
      return inside;
    }
    if (token.kind === "text") return { kind: "literal", value: token.text.slice(1, -1) };
    if (token.kind === "number") return { kind: "literal", value: Number(token.text) };
    if (token.kind === "pattern") return { kind: "pattern", value: token.text.slice(1, -1) };
    if (token.text === "true" || token.text === "false")
      return { kind: "literal", value: token.text === "true" };
    if (token.kind !== "word" || ["and", "or", ...comparisons].includes(token.text))
      return fail(`"${token.text}" stands where a value is expected`, token);
    return { kind: "name", name: token.text };
  };
  const all = either();
  if (rest.length > 0) fail(`unexpected "${rest[0]?.text ?? ""}"`);
  return all;
}

/** Returns the names of all pipeline values that an expression uses. */
export function namesIn(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case "name":
      return [expression.name];
    case "not":
      return namesIn(expression.of);
    case "literal":
    case "pattern":
      return [];
    default:
      return [...namesIn(expression.left), ...namesIn(expression.right)];
  }
}

export type Value = string | number | boolean | undefined;

/**
 * Returns the value of an expression. Undefined if the result depends on pipeline values that are
 * not in `known`.
 */
export function evaluate(
  expression: Expression,
  known: Readonly<Record<string, string | number | boolean>>,
): Value {
  switch (expression.kind) {
    case "literal":
    case "pattern":
      return expression.value;
    case "name":
      return Object.hasOwn(known, expression.name) ? known[expression.name] : undefined;
    case "not": {
      const value = evaluate(expression.of, known);
      return value === undefined ? undefined : !value;
    }
    case "and":
    case "or": {
      const decides = expression.kind === "or";
      const left = evaluate(expression.left, known);
      const right = evaluate(expression.right, known);
      if (left !== undefined && Boolean(left) === decides) return left;
      if (left !== undefined) return right;
      return right !== undefined && Boolean(right) === decides ? right : undefined;
    }
    case "compare":
      return compare(
        expression.operator,
        evaluate(expression.left, known),
        evaluate(expression.right, known),
      );
  }
}

function compare(operator: string, left: Value, right: Value): Value {
  if (left === undefined || right === undefined) return undefined;
  switch (operator) {
    case "==":
      return left === right;
    case "!=":
      return left !== right;
    case "starts-with":
      return String(left).startsWith(String(right));
    case "matches":
      return new RegExp(`^(?:${String(right)})$`).test(String(left));
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    case "<":
      return left < right;
    default:
      return left <= right;
  }
}
