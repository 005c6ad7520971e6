import ts from "typescript";
import type { Arg, Component } from "./components";
import { type Place, type Source, fileOf, membersOf, nodesIn, placeOf } from "./source";

/** A place in the program that sets an arg. */
export interface Use {
  readonly place: Place;
  /** Keys of the settings that the value depends on. */
  readonly settings: readonly string[];
  /** The value in the source code. */
  readonly text: string;
}

/** Files that set args. */
const setters = /^(?:index\.ts|jobs\.ts|program\/|platform\/)/;
/** Files that define settings. */
const tables = /^settings\/(?:table|database)\.ts$/;

/**
 * Limit of the search for settings. The search visits at most about `longest * longest` nodes of
 * the code.
 */
const longest = 8;

/** Finds the lines of the program that set args, and the settings from which the values come. */
export class Uses {
  /** For each declaration of a property, the elements of object literals that set this property. */
  readonly #values = new Map<ts.Node, ts.ObjectLiteralElementLike[]>();
  /**
   * For each component class and each arg, the declarations of the property that the program passes
   * to the constructor.
   */
  readonly #given = new Map<string, Map<string, Set<ts.Declaration>>>();
  readonly #imported = new Map<ts.SourceFile, ReadonlySet<ts.Node>>();
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
    for (const file of source.files) {
      if (!setters.test(fileOf(file)) && !fileOf(file).startsWith("settings/")) continue;
      for (const node of nodesIn(file)) {
        if (ts.isObjectLiteralExpression(node)) this.#addLiteral(node);
        if (ts.isNewExpression(node)) this.#addGiven(node);
      }
    }
  }

  #addLiteral(literal: ts.ObjectLiteralExpression): void {
    const { checker } = this.#source;
    const type = checker.getContextualType(literal);
    if (type === undefined) return;
    for (const element of literal.properties) {
      const name = element.name?.getText();
      if (name === undefined) continue;
      for (const node of membersOf(propertyOf(type, name, checker))) {
        this.#values.set(node, [...(this.#values.get(node) ?? []), element]);
      }
    }
  }

  #addGiven(node: ts.NewExpression): void {
    const args = node.arguments?.[1];
    if (args === undefined) return;
    const { checker } = this.#source;
    const name = node.expression.getText();
    const given = this.#given.get(name) ?? new Map<string, Set<ts.Declaration>>();
    for (const property of checker.getPropertiesOfType(checker.getTypeAtLocation(args))) {
      const all = given.get(property.name) ?? new Set();
      for (const member of membersOf(property)) all.add(member);
      given.set(property.name, all);
    }
    this.#given.set(name, given);
  }

  /** Returns the places in the program that set an arg of a component. */
  of(component: Component, { declarations, name }: Arg): readonly Use[] {
    const given = [...(this.#given.get(component.name)?.get(name) ?? [])];
    const written = given.filter((node) => !ts.isPropertySignature(node));
    const inJobs = written.flatMap((node) => this.#membersIn(node));
    const members = new Set<ts.Node>([...declarations, ...given, ...inJobs]);
    const values = [...members]
      .flatMap((node) => this.#values.get(node) ?? [])
      .filter((node) => declarations.every((one) => this.#knows(node, component, one)));
    return this.#usesOf([...written, ...values]);
  }

  /** Returns the interface members in jobs.ts on which the value of a node depends. */
  #membersIn(node: ts.Node): readonly ts.Declaration[] {
    return nodesIn(node)
      .filter(ts.isIdentifier)
      .flatMap((one) => membersOf(this.#source.checker.getSymbolAtLocation(one)))
      .filter((one) => ts.isPropertySignature(one) && fileOf(one) === "jobs.ts");
  }

  /**
   * Whether a value in the source code can belong to this component. Several components have the
   * args of `PodArgs`, so the declaration of such an arg does not show the component. In this case,
   * the value belongs to this component only if the file that contains the value also imports
   * another interface that declares args of this component.
   */
  #knows(value: ts.Node, component: Component, declaration: ts.Declaration): boolean {
    const owner = declaration.parent;
    const others = ownersOf(component.args.flatMap((arg) => arg.declarations));
    if (!others.delete(owner) || others.size === 0) return true;
    return [...this.#importedBy(value.getSourceFile())].some((one) => others.has(one));
  }

  /** Returns the interfaces that declare the properties of the types that a file imports. */
  #importedBy(file: ts.SourceFile): ReadonlySet<ts.Node> {
    const known = this.#imported.get(file);
    if (known !== undefined) return known;
    const { checker } = this.#source;
    const specifiers = file.statements
      .filter(ts.isImportDeclaration)
      .flatMap(({ importClause }) => (importClause === undefined ? [] : nodesIn(importClause)))
      .filter(ts.isImportSpecifier);
    const properties = specifiers.flatMap(({ name }) => {
      const symbol = checker.getSymbolAtLocation(name);
      const target = symbol && checker.getAliasedSymbol(symbol);
      const isType = ((target?.flags ?? 0) & ts.SymbolFlags.Type) !== 0;
      return target !== undefined && isType
        ? checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(target))
        : [];
    });
    const found = ownersOf(properties.flatMap(membersOf));
    this.#imported.set(file, found);
    return found;
  }

  #usesOf(nodes: readonly ts.Node[]): readonly Use[] {
    return [...new Set(nodes)]
      .filter((node) => setters.test(fileOf(node)))
      .map((node) => {
        const settings = [...new Set(this.#settingsIn(node, new Set()))].sort();
        const written = this.#writtenAt(node);
        return { place: placeOf(written), settings, text: written.getText().replace(/\s+/g, " ") };
      })
      .sort((a, b) => a.place.file.localeCompare(b.place.file) || a.place.line - b.place.line);
  }

  /**
   * Returns the node that contains the value. If the node only names a variable, such as `replicas`
   * in `{ replicas }`, returns the declaration of the variable.
   */
  #writtenAt(node: ts.Node): ts.Node {
    if (!ts.isShorthandPropertyAssignment(node)) return node;
    const symbol = this.#source.checker.getShorthandAssignmentValueSymbol(node);
    return symbol?.declarations?.find(ts.isVariableDeclaration) ?? node;
  }

  /** Returns the settings on which the value of a node depends. */
  #settingsIn(node: ts.Node, seen: Set<ts.Node>): readonly string[] {
    if (seen.has(node) || seen.size > longest * longest) return [];
    seen.add(node);
    const { checker } = this.#source;
    const value = ts.isPropertyAssignment(node) ? node.initializer : node;
    return nodesIn(value)
      .filter(ts.isIdentifier)
      .flatMap((identifier) => {
        const { parent } = identifier;
        const symbol = ts.isShorthandPropertyAssignment(parent)
          ? checker.getShorthandAssignmentValueSymbol(parent)
          : checker.getSymbolAtLocation(identifier);
        return (symbol?.declarations ?? []).flatMap((declared) => this.#from(declared, seen));
      });
  }

  /** Returns the settings on which the value of a declared name depends. */
  #from(declared: ts.Declaration, seen: Set<ts.Node>): readonly string[] {
    if (seen.has(declared)) return [];
    const file = fileOf(declared);
    if (tables.test(file) && ts.isPropertyAssignment(declared)) {
      return [declared.name.getText()];
    }
    if (!/^(?:program|settings)\//.test(file)) return [];
    const { checker } = this.#source;
    if (ts.isBindingElement(declared)) {
      seen.add(declared);
      const property = (declared.propertyName ?? declared.name).getText();
      const type = checker.getTypeAtLocation(declared.parent);
      const members = type.getProperty(property)?.declarations ?? [];
      return members.flatMap((member) => this.#from(member, seen));
    }
    if (ts.isPropertySignature(declared)) {
      const values = this.#values.get(declared) ?? [];
      return values.flatMap((value) => this.#settingsIn(value, seen));
    }
    if (ts.isVariableDeclaration(declared) && declared.initializer !== undefined) {
      return this.#settingsIn(declared.initializer, seen);
    }
    return [];
  }
}

/** Returns the interfaces that declare these members. */
function ownersOf(members: readonly ts.Declaration[]): Set<ts.Node> {
  return new Set(members.filter(ts.isPropertySignature).map(({ parent }) => parent));
}

function propertyOf(type: ts.Type, name: string, checker: ts.TypeChecker): ts.Symbol | undefined {
  const present = checker.getNonNullableType(type);
  return (
    checker.getPropertyOfType(present, name) ??
    (present.isUnion()
      ? present.types.map((one) => checker.getPropertyOfType(one, name)).find(Boolean)
      : undefined)
  );
}
