import { type Engine, onTerminal, policyOptions } from "./engine";

/** What will change in a stack. The one place where every command shows it. */
export async function showPreview(stack: string, engine: Engine): Promise<void> {
  await onTerminal(["preview", "--stack", stack, "--diff", ...policyOptions(engine)], engine);
}
