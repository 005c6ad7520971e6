import type { Command } from "commander";
import type { ExplainOptions } from "../tools/explain/explain";
import type { RenderOptions } from "../tools/render/render";
import { UserError } from "../lib/errors";
import { addCommand, exitWithWrongUse, leaving, refusingWrongUse } from "./command";
import { stackNameOf } from "./stack-argument";
import type { Workspace } from "../operations/pulumi/run-pulumi";

/**
 * Returns the directory and the environment variables with which `render` and `explain` run the
 * program. The program needs the name of a registry for stack `local`, even if the sandbox does not
 * exist on this machine.
 */
async function workspaceToRender(stack: string): Promise<Workspace> {
  const { defaultWorkspace, withEnv } = await import("../operations/pulumi/run-pulumi");
  return stack === "local" ? withEnv(defaultWorkspace, await sandboxVariables()) : defaultWorkspace;
}

async function sandboxVariables(): Promise<Readonly<Record<string, string>>> {
  const { localEnvironment } = await import("../sandbox/own-cluster/environment");
  try {
    return localEnvironment();
  } catch (error) {
    // The sandbox is not set up on this machine. The program does not need a running sandbox,
    // because the program only declares objects.
    if (!(error instanceof UserError)) throw error;
    const { registryName } = await import("../sandbox/layout");
    return { SANDBOX_REGISTRY: registryName() };
  }
}

/**
 * Adds the commands that explain the program. These commands do not need a cluster, a state or an
 * AWS account.
 */
export function addExplain(program: Command): void {
  const add = (name: string): Command => addCommand(program, name);

  add("render")
    .description("prints the manifests of a stack's objects as YAML, without a cluster")
    .argument("<stack>", "local, staging, prod, review-<slug>, or review for this branch")
    .option("--json", "print the manifests as JSON")
    .action(
      leaving(async (stack: string, options: RenderOptions) => {
        const { render } = await import("../tools/render/render");
        const name = await stackNameOf(stack);
        await render(name, options, await workspaceToRender(name));
      }),
    );
  add("explain")
    .description(
      "explains an arg, a setting, a component, an object or a field: what it does, which lines set it, and the impact of a change",
    )
    .argument(
      "<word>",
      "such as replicas, WebService.maxSurge, Deployment or Deployment.spec.strategy",
    )
    .option("--json", "print the answer as JSON")
    .exitOverride(exitWithWrongUse)
    .action(
      refusingWrongUse(async (word: string, options: ExplainOptions) => {
        const { explain } = await import("../tools/explain/explain");
        await explain(word, options, workspaceToRender);
      }),
    );
}
