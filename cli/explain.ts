import type { Command } from "commander";
import type { RenderOptions } from "../tools/render/render";
import { UserError } from "../lib/errors";
import { addCommand, leaving } from "./command";
import { stackNameOf } from "./stack-argument";

/**
 * Returns the environment variables with which the program renders a stack. Without a sandbox,
 * stack `local` still needs the name of a registry.
 */
async function variablesFor(stack: string): Promise<Readonly<Record<string, string>>> {
  if (stack !== "local") return {};
  const { environment } = await import("../sandbox/environment");
  try {
    return environment();
  } catch (error) {
    // The sandbox is not set up on this machine, and the program only declares objects.
    if (!(error instanceof UserError)) throw error;
    const { registryName } = await import("../sandbox/layout");
    return { SANDBOX_REGISTRY: registryName() };
  }
}

/** Adds the commands that explain the program. They need no cluster, no state and no AWS. */
export function addExplain(program: Command): void {
  const add = (name: string): Command => addCommand(program, name);

  add("render")
    .description("prints the manifests of a stack's objects as YAML, without a cluster")
    .argument("<stack>", "local, staging, prod, review-<slug>, or review for this branch")
    .option("--json", "print them as JSON")
    .action(
      leaving(async (stack: string, options: RenderOptions) => {
        const { render } = await import("../tools/render/render");
        const { defaultWorkspace, withEnv } = await import("../operations/pulumi/run-pulumi");
        const name = await stackNameOf(stack);
        await render(name, options, withEnv(defaultWorkspace, await variablesFor(name)));
      }),
    );
}
