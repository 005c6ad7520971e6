import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { command } from "../../lib/command";
import { UserError } from "../../lib/errors";
import { type ReadWorkflow, workflowsOf } from "../checks/shape";
import { Source } from "../checks/source";
import type { Project } from "../contexts";
import { directory } from "../write";

/** Where the pipeline files come from. */
interface From {
  /** Directory of the deploy project's configuration, in a clone of its repository. */
  readonly deployDirectory: string | undefined;
  /** Commit or branch of this repository that contains the service project's files. */
  readonly ref: string;
  readonly root: string;
}

export interface FoundWorkflow {
  readonly found: ReadWorkflow;
  readonly project: Project;
  readonly source: Source;
}

/**
 * Finds a workflow by its name, in the committed files of this repository and in `deployDirectory`.
 * If there is a deploy project, both projects have a workflow `main`. In this case, the function
 * returns the deploy project's workflow for the name `main`, because the service project's workflow
 * does not deploy.
 */
export async function find(workflow: string, from: From): Promise<FoundWorkflow> {
  const all = [...(await ofService(from)), ...ofDeploy(from)].flatMap(({ project, source }) =>
    workflowsOf(source).map((found) => ({ found, project, source })),
  );
  const match = all.findLast(({ found }) => found.name === workflow);
  if (match === undefined) {
    const names = all.map(({ found }) => found.name).join(", ");
    throw new UserError(`there is no workflow "${workflow}"; there are ${names || "none"}`);
  }
  return match;
}

interface OfProject {
  readonly project: Project;
  readonly source: Source;
}

async function ofService({ ref, root }: From): Promise<readonly OfProject[]> {
  const git = async (...args: readonly string[]): Promise<string> =>
    command("git", args, { cwd: root, timeout: 30_000 });
  const listed = await git("ls-tree", "--name-only", ref, `${directory}/`);
  const files = listed.split("\n").filter((name) => name.endsWith(".yml"));
  return Promise.all(
    files.map(async (file) => ({
      project: "service" as const,
      source: new Source(file, await git("show", `${ref}:${file}`)),
    })),
  );
}

function ofDeploy({ deployDirectory, root }: From): readonly OfProject[] {
  if (deployDirectory === undefined) return [];
  const folder = resolve(root, deployDirectory);
  if (!existsSync(folder)) {
    throw new UserError(
      `${folder} does not exist: clone the deploy project's repository, and run npm run pipeline`,
    );
  }
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yml"))
    .map((name) => ({
      project: "deploy" as const,
      source: new Source(`${deployDirectory}/${name}`, readFileSync(join(folder, name), "utf8")),
    }));
}
