import type { Workspace } from "../../operations/pulumi/run-pulumi";
import { answersTo } from "./find";
import { readKnowledge } from "./knowledge";
import { readStacks, shownStack } from "./stacks";
import { linesOf } from "./text";

export interface ExplainOptions {
  readonly json?: boolean;
}

/**
 * `npm run explain -- WORD`: prints what an arg, a setting, a component, an object or a field does,
 * where the program sets it, and the impact of a change on the running service. Reads no cluster.
 *
 * @throws UnknownWord with the most similar words, if nothing has this name.
 */
export async function explain(
  word: string,
  { json = false }: ExplainOptions,
  workspaceOf: (stack: string) => Promise<Workspace>,
): Promise<void> {
  // Turns source maps off, because the command is faster without source maps. `render()` explains
  // why.
  process.setSourceMapsEnabled(false);
  const stacks = await readStacks(workspaceOf);
  for (const { issue, stack } of stacks) {
    if (issue === undefined) continue;
    process.stderr.write(
      `The answer does not contain stack ${shownStack(stack)}, because the program refuses its settings: ${issue}\n`,
    );
  }
  const answers = answersTo(word, readKnowledge(stacks));
  process.stdout.write(
    json
      ? `${JSON.stringify({ answers, version: 1 }, undefined, 2)}\n`
      : `${answers.map((answer) => linesOf(answer).join("\n")).join("\n\n")}\n`,
  );
}
