import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const components = join(__dirname, "../components");

/** Every file of the components, parsed; not type-checked, so that it is quick. */
export const sources = readdirSync(components, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .sort()
  .map((file) => {
    const text = readFileSync(join(components, file), "utf8");
    return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  });

/** Every interface of the components. */
export const interfaces: readonly ts.InterfaceDeclaration[] = sources.flatMap((source) =>
  source.statements.filter(ts.isInterfaceDeclaration),
);

/** The interface of a name; there must be one. */
export function interfaceOf(name: string): ts.InterfaceDeclaration {
  const [found, other] = interfaces.filter((declaration) => declaration.name.text === name);
  if (found === undefined || other !== undefined) throw new Error(`not one interface ${name}`);
  return found;
}

/** Its own properties, and those of what it extends. */
export function propertiesOf(name: string): readonly ts.PropertySignature[] {
  const declaration = interfaceOf(name);
  const inherited = (declaration.heritageClauses ?? [])
    .flatMap(({ types }) => [...types])
    .flatMap(({ expression }) => propertiesOf(expression.getText()));
  return [...inherited, ...declaration.members.filter(ts.isPropertySignature)];
}
