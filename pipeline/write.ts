import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { project } from "../lib/project";
import type { Config } from "./model";
import { picture } from "./picture";
import { deployProject } from "../config/circleci";
import { inDeployProject, inOneProject, pipelines } from "./pipelines";

/** Directory in which CircleCI looks for pipelines. */
export const directory = ".circleci";

/** First line of every file that `npm run pipeline` writes. */
const firstLine =
  "# Written by `npm run pipeline` from pipeline/. Do not edit: the next run overwrites it, and a test fails until then.";

const head = [
  firstLine,
  "# What each job is for, and what to set up in CircleCI: docs/pipeline.md",
  "",
].join("\n");

/**
 * Returns a pipeline as YAML for CircleCI. For the same pipeline, the text is the same on every
 * machine.
 */
export function yaml(config: Config): string {
  return `${head}${stringify(config, { aliasDuplicateObjects: false, lineWidth: 0 })}`;
}

/**
 * Page with the pictures of the pipelines. Each picture is between two comments. The first comment
 * contains the file and the workflow of the picture.
 */
const illustrated = "docs/pipeline.md";
const marks =
  /(<!-- picture of (\S+): written by npm run pipeline -->\n)[^]*?(<!-- end of picture -->)/g;

function illustrate(text: string): string {
  return text.replace(marks, (_, start: string, name: string, end: string) => {
    const [file = "", workflow = ""] = name.split("#");
    // The page shows the pipelines for one CircleCI project. With a deploy project, most jobs are
    // the same, but the jobs belong to two projects.
    const found = inOneProject[file]?.workflows[workflow];
    if (found === undefined) throw new Error(`there is no workflow ${workflow} in ${file}`);
    return `${start}\n\`\`\`mermaid\n${picture(found)}\`\`\`\n\n${end}`;
  });
}

/** Returns the text of every generated file, by the file's path in the repository. */
export function files(root: string = project): ReadonlyMap<string, string> {
  return new Map([
    ...Object.entries(pipelines).map(
      ([name, config]) => [`${directory}/${name}`, yaml(config)] as const,
    ),
    [illustrated, illustrate(readFileSync(join(root, illustrated), "utf8"))],
  ]);
}

/**
 * `npm run pipeline`: writes all generated files, and removes generated files of pipelines that no
 * longer exist.
 */
export function write(root: string = project): void {
  removeStale(join(root, directory), pipelines);
  for (const [file, text] of files(root)) writeFileSync(join(root, file), text);
  console.log(
    `Wrote ${Object.keys(pipelines).join(", ")} to ${directory}, and the pictures to ${illustrated}`,
  );
  if (deployProject !== undefined) writeDeployProject(resolve(root, deployProject.directory));
}

/**
 * Removes the files in `from` that `npm run pipeline` wrote for pipelines that are not in
 * `current`. Creates the directory `from` if the directory does not exist.
 */
function removeStale(from: string, current: Readonly<Record<string, Config>>): void {
  mkdirSync(from, { recursive: true });
  for (const name of readdirSync(from)) {
    if (!name.endsWith(".yml") || current[name] !== undefined) continue;
    const file = join(from, name);
    if (readFileSync(file, "utf8").startsWith(firstLine)) rmSync(file);
  }
}

/**
 * Writes the files of the deploy project into a clone of its repository, and removes generated
 * files of pipelines that no longer exist. A person must commit the files in that clone.
 */
export function writeDeployProject(to: string): void {
  removeStale(to, inDeployProject);
  for (const [name, config] of Object.entries(inDeployProject)) {
    writeFileSync(join(to, name), yaml(config));
  }
  console.log(`Wrote ${Object.keys(inDeployProject).join(", ")} to ${to}: commit them there`);
}
