/**
 * Returns the stack in the arguments of a Pulumi command. Undefined if the arguments name no stack.
 */
export function stackIn(args: readonly string[]): string | undefined {
  const [what = "", action = "", name] = args;
  if (what === "stack" && ["init", "rm", "select"].includes(action)) return name;
  return args.includes("--stack") ? args[args.indexOf("--stack") + 1] : undefined;
}
