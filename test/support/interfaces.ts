import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const components = join(__dirname, "../../components");

/**
 * All files of the components, parsed but not type-checked, because type-checking would be slow.
 */
export const sources = readdirSync(components, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .sort()
  .map((file) => {
    const text = readFileSync(join(components, file), "utf8");
    return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  });

/** All interfaces of the components. */
export const interfaces: readonly ts.InterfaceDeclaration[] = sources.flatMap((source) =>
  source.statements.filter(ts.isInterfaceDeclaration),
);

/**
 * Returns the interface with this name. Throws if no interface or several interfaces have this
 * name.
 */
function interfaceOf(name: string): ts.InterfaceDeclaration {
  const [found, other] = interfaces.filter((declaration) => declaration.name.text === name);
  if (found === undefined || other !== undefined) throw new Error(`not one interface ${name}`);
  return found;
}

/** Returns the properties of an interface, and the properties that it inherits. */
export function propertiesOf(name: string): readonly ts.PropertySignature[] {
  const declaration = interfaceOf(name);
  const inherited = (declaration.heritageClauses ?? [])
    .flatMap(({ types }) => [...types])
    .flatMap(({ expression, typeArguments = [] }) => {
      const [type, keys] = typeArguments.map((each) => each.getText());
      const utility = expression.getText();
      if (utility !== "Omit" && utility !== "Pick") return propertiesOf(utility);
      const named = new Set(keys?.match(/\w+/g));
      return propertiesOf(type ?? "").filter(
        (member) => named.has(member.name.getText()) === (utility === "Pick"),
      );
    });
  const own = declaration.members.filter(ts.isPropertySignature);
  // If an interface declares an inherited property again, the list contains only the declaration in
  // this interface.
  const names = new Set(own.map((member) => member.name.getText()));
  return [...inherited.filter((member) => !names.has(member.name.getText())), ...own];
}

/** Yields the names of all types that a node mentions. */
function* mentioned(node: ts.Node): Generator<string> {
  if (ts.isTypeReferenceNode(node)) yield node.typeName.getText();
  for (const child of node.getChildren()) yield* mentioned(child);
}

/**
 * Returns the interfaces that callers of the components use: all interfaces whose names end with
 * `Args`, and all interfaces that these interfaces mention.
 */
export function argInterfaces(): readonly ts.InterfaceDeclaration[] {
  const aliases = sources.flatMap((source) => source.statements.filter(ts.isTypeAliasDeclaration));
  const found = new Set<ts.InterfaceDeclaration | ts.TypeAliasDeclaration>(
    interfaces.filter(({ name }) => name.text.endsWith("Args")),
  );
  // This loop also visits the declarations that it adds to the set.
  for (const declaration of found) {
    const names = new Set(mentioned(declaration));
    for (const next of [...interfaces, ...aliases]) if (names.has(next.name.text)) found.add(next);
  }
  return [...found].filter(ts.isInterfaceDeclaration);
}
