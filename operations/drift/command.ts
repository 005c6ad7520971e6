import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { traitsOf } from "../../environments";
import { canaryStack } from "../stacks/running-canary";
import { withoutRelease } from "../stacks/release";
import { assertStackName } from "../stacks/stack-name";
import { noSuchStack } from "../pulumi/connect";
import { type Workspace, defaultWorkspace } from "../pulumi/run-pulumi";
import { type Drift, linesOf } from "./drift";
import { readDrift } from "./read";
import { reportOf } from "./report";

export interface DriftOptions {
  readonly json?: boolean;
  /**
   * File to which the command writes the differences as JSON, in addition to its standard output.
   * If this option is set, the exit code is 0 even if the cluster differs, because the caller reads
   * the result from the file.
   *
   * @default undefined
   */
  readonly output?: string;
}

/** Exit code if the cluster differs from what the last update wrote. */
const differs = 3;

/**
 * `npm run drift -- STACK`: prints what someone has changed in the cluster since the stack's last
 * update. The command reads the stack's state and the cluster, changes nothing, and does not lock
 * the stack.
 *
 * @throws UserError if the stack is unknown, if the state backend or the cluster does not answer,
 * or if the cluster is not the cluster of the stack. In these cases, the command writes no file.
 */
export async function drift(
  stack: string,
  { json = false, output }: DriftOptions = {},
  given: Workspace = defaultWorkspace,
): Promise<void> {
  assertStackName(stack);
  const seen = await readDrift(stack, withoutRelease(given));
  if (seen === undefined) throw noSuchStack(stack);
  const { drift: found, oldPods } = seen;
  const lines = linesOf(found);
  const report = `${JSON.stringify(reportOf(stack, found), undefined, 2)}\n`;
  if (json) process.stdout.write(report);
  else {
    const all = [headline(stack, lines.length), ...lines, ...advice(stack, found), ...oldPods];
    console.log(all.join("\n"));
  }
  if (output !== undefined) {
    mkdirSync(dirname(output), { recursive: true });
    writeFileSync(output, report);
  } else if (lines.length > 0) process.exitCode = differs;
}

function headline(stack: string, differences: number): string {
  if (differences === 0) {
    return `Stack ${stack}: everything is as the last update left it. The values of Secrets are not read.`;
  }
  const count = differences === 1 ? "1 difference" : `${String(differences)} differences`;
  return `Stack ${stack}: ${count} since the last update:`;
}

/**
 * Returns lines that say how to undo the changes, how to keep the changes, and which log names the
 * person who made the changes.
 */
function advice(stack: string, { changed, gone }: Drift): readonly string[] {
  if (changed.length + gone.length === 0) return [];
  const { quick, to } = wayBack(stack);
  const [first] = changed;
  // The sandbox (stack `local`) has no audit log.
  const audit =
    first === undefined || stack === "local"
      ? []
      : [
          "The cluster records the tool, but not the person. To find the person, run this query on the audit log of EKS in CloudWatch Logs Insights:",
          `  filter objectRef.name = "${first.live.metadata.name}" and verb in ["patch", "update", "delete"] | fields @timestamp, user.username, verb, userAgent`,
        ];
  return [
    "",
    `To take everything back: ${to}`,
    ...(quick
      ? []
      : [
          "To keep a change: write the cluster's value into the program or the stack settings file, and deploy.",
        ]),
    ...audit,
  ];
}

/**
 * Returns the command that undoes the changes in the cluster. `quick` is true for the sandbox, for
 * review stacks and for the canary. No one needs to keep changes in these stacks, so the advice
 * does not say how to keep changes.
 */
function wayBack(stack: string): { readonly quick: boolean; readonly to: string } {
  if (stack === "local") return { quick: true, to: "npm run up" };
  if (stack === canaryStack) return { quick: true, to: "npm run canary -- stop, then start" };
  if (traitsOf(stack)?.perBranch === true) return { quick: true, to: "npm run review -- up" };
  return { quick: false, to: `npm run deploy -- ${stack} --take-back` };
}
