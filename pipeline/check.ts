import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { project } from "../lib/project";
import { UserError } from "../lib/errors";
import { commands } from "./checks/commands";
import { conditions } from "./checks/conditions";
import { graph } from "./checks/graph";
import { keys } from "./checks/keys";
import { production } from "./checks/contexts";
import { againstSchema, circleciSchema, SchemaMissing } from "./checks/schema";
import { type Finding, show, Source } from "./checks/source";
import { values } from "./checks/values";
import { directory } from "./write";

/**
 * Returns the issues in the text of a pipeline's file, in the order of the file. This check works
 * offline. For the check against CircleCI's schema, see {@link checkFiles}.
 */
export function check(file: string, text: string): readonly Finding[] {
  const source = new Source(file, text);
  if (source.faults.length > 0) return source.faults;
  return [keys, graph, values, conditions, production, commands]
    .flatMap((rule) => [...rule(source)])
    .sort((one, other) => one.line - other.line || one.column - other.column);
}

/**
 * `npm run pipeline -- check`: checks every YAML file in .circleci. A person may have edited these
 * files by hand.
 */
export async function checkFiles(root: string = project): Promise<void> {
  const found: Finding[] = [];
  const schema = await circleciSchema().catch((error: unknown) => {
    if (!(error instanceof SchemaMissing) || process.env["CI"] === "true") throw error;
    console.log(`Check against the schema: skipped, because ${error.message}`);
    return undefined;
  });
  const names = readdirSync(join(root, directory)).filter((name) => /\.ya?ml$/.test(name));
  for (const name of names) {
    const file = `${directory}/${name}`;
    const text = readFileSync(join(root, file), "utf8");
    found.push(...check(file, text));
    if (schema !== undefined) found.push(...againstSchema(new Source(file, text), schema));
  }
  for (const finding of found) console.log(show(finding));
  if (found.length > 0) {
    throw new UserError(
      `${String(found.length)} issues in ${directory}. Fix them in pipeline/, then write the files again with "npm run pipeline"`,
    );
  }
  console.log(`${names.join(", ")}: good`);
}
