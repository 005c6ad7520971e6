import ts from "typescript";
import { type Source, membersOf, nodesIn, placeOf, type Place } from "./source";

/** Documentation of an arg, a part of an arg, or a component. */
interface Doc {
  readonly default?: string;
  readonly example?: string;
  readonly group?: string;
  readonly see?: string;
  readonly text: string;
}

/** One arg of a component, or one spec of `overrides`. */
export interface Arg {
  /**
   * Nodes of the syntax tree that declare the arg. The search for code that sets the arg needs
   * these nodes.
   */
  readonly declarations: readonly ts.Declaration[];
  readonly doc: Doc;
  /** Name, such as `replicas` or `overrides.podSpec`. */
  readonly name: string;
  readonly place: Place;
  readonly required: boolean;
  readonly symbol: ts.Symbol;
  readonly type: string;
}

export interface Component {
  readonly args: readonly Arg[];
  readonly doc: Doc;
  /** Name of the class. */
  readonly name: string;
  readonly place: Place;
  /** Type token, such as `services:k8s:WebService`. */
  readonly type: string;
}

/** Returns the documentation of a symbol. */
function docOf(symbol: ts.Symbol, checker: ts.TypeChecker): Doc {
  const tags = new Map(
    symbol.getJsDocTags(checker).map(({ name, text }) => [name, ts.displayPartsToString(text)]),
  );
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker));
  const tag = (key: string) => (tags.has(key) ? { [key]: tags.get(key) ?? "" } : {});
  return {
    text: unwrapped(text),
    ...tag("default"),
    ...tag("example"),
    ...tag("group"),
    ...tag("see"),
  };
}

/** Joins the lines of each paragraph, and replaces `{@link Name}` with `Name`. */
export function unwrapped(text: string): string {
  return text
    .replace(/\{@link (\w+)\}/g, "$1")
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.split(/\s*\n\s*/).join(" "))
    .join("\n")
    .trim();
}

/** Returns the type without `undefined`. For a list, returns the type of its elements. */
function insideOf(type: ts.Type, checker: ts.TypeChecker): ts.Type {
  const present = checker.getNonNullableType(type);
  const element = checker.getIndexTypeOfType(present, ts.IndexKind.Number);
  return element !== undefined && present.getProperty("length") !== undefined
    ? checker.getNonNullableType(element)
    : present;
}

function argOf(symbol: ts.Symbol, prefix: string, checker: ts.TypeChecker): readonly Arg[] {
  const declarations = membersOf(symbol);
  const [first] = declarations;
  if (first === undefined) return [];
  const written = ts.isPropertySignature(first) ? first.type?.getText() : undefined;
  return [
    {
      declarations,
      doc: docOf(symbol, checker),
      name: `${prefix}${symbol.name}`,
      place: placeOf(first),
      required: (symbol.flags & ts.SymbolFlags.Optional) === 0,
      symbol,
      type: (written ?? "").replace(/\s+/g, " ").replace(/ \| undefined$/, ""),
    },
  ];
}

/** Returns the parts of an arg whose value is an object or a list of objects. */
export function partsOf({ name, symbol }: Arg, checker: ts.TypeChecker): readonly Arg[] {
  const type = insideOf(checker.getTypeOfSymbol(symbol), checker);
  const parts = type.isUnion()
    ? type.types.flatMap((one) => checker.getPropertiesOfType(one))
    : checker.getPropertiesOfType(type);
  return parts.flatMap((part) => argOf(part, `${name}.`, checker));
}

/** Returns the type token that a component passes to Pulumi. */
function tokenIn(declaration: ts.ClassDeclaration): string | undefined {
  for (const node of nodesIn(declaration)) {
    if (!ts.isCallExpression(node) || node.expression.kind !== ts.SyntaxKind.SuperKeyword) continue;
    const [token] = node.arguments;
    return token !== undefined && ts.isStringLiteral(token) ? token.text : undefined;
  }
  return undefined;
}

function componentOf(declaration: ts.ClassDeclaration, checker: ts.TypeChecker): Component[] {
  const constructor = declaration.members.find(ts.isConstructorDeclaration);
  const args = constructor?.parameters[1];
  const symbol = declaration.name && checker.getSymbolAtLocation(declaration.name);
  const type = tokenIn(declaration);
  if (args === undefined || symbol === undefined || type === undefined) return [];
  const own = checker
    .getPropertiesOfType(checker.getTypeAtLocation(args))
    .flatMap((property) => argOf(property, "", checker));
  const overrides = own.filter(({ name }) => name === "overrides");
  const specs = overrides.flatMap((arg) => partsOf(arg, checker));
  return [
    {
      args: [...own, ...specs].sort((a, b) => (a.name < b.name ? -1 : 1)),
      doc: docOf(symbol, checker),
      name: symbol.name,
      place: placeOf(declaration),
      type,
    },
  ];
}

/** Returns all components of the repository, with their args. */
export function componentsIn({ checker, files }: Source): readonly Component[] {
  return files
    .flatMap((file) => file.statements.filter(ts.isClassDeclaration))
    .filter((one) =>
      one.heritageClauses?.some((clause) => /ComponentResource/.test(clause.getText())),
    )
    .flatMap((one) => componentOf(one, checker))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
