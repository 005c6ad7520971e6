import { traitsOf, stackForms } from "../../environments";
import { UserError } from "../../lib/errors";
import { canaryStack } from "../stacks/running-canary";
import { withoutRelease } from "../stacks/release";
import { noSuchStack } from "../pulumi/connect";
import { type Workspace, defaultWorkspace } from "../pulumi/run-pulumi";
import { type Drift, linesOf, shown } from "./drift";
import { readDrift } from "./read";

export interface DriftOptions {
  readonly json?: boolean;
}

/** Exit code when something differs. */
const differs = 3;

/**
 * `npm run drift -- STACK`: what was changed in the cluster since the stack's last update. Reads
 * the state and the cluster, changes nothing, and takes no lock.
 */
export async function drift(
  stack: string,
  { json = false }: DriftOptions = {},
  given: Workspace = defaultWorkspace,
): Promise<void> {
  if (traitsOf(stack) === undefined) {
    throw new UserError(`Unknown stack "${stack}". Expected one of: ${stackForms}`);
  }
  const found = await readDrift(stack, withoutRelease(given));
  if (found === undefined) throw noSuchStack(stack);
  const lines = linesOf(found);
  if (json) process.stdout.write(`${JSON.stringify(asJson(stack, found), undefined, 2)}\n`);
  else console.log([headline(stack, lines.length), ...lines, ...advice(stack, found)].join("\n"));
  if (lines.length > 0) process.exitCode = differs;
}

function headline(stack: string, differences: number): string {
  if (differences === 0) {
    return `Stack ${stack}: everything is as the last update left it. Secrets are not read.`;
  }
  const count = differences === 1 ? "1 difference" : `${String(differences)} differences`;
  return `Stack ${stack}: ${count} since the last update:`;
}

/** What to do next, and where the person's name is. */
function advice(stack: string, { changed, gone }: Drift): readonly string[] {
  if (changed.length + gone.length === 0) return [];
  const { quick, to } = wayBack(stack);
  const [first] = changed;
  // The sandbox has no audit log.
  const audit =
    first === undefined || stack === "local"
      ? []
      : [
          "The cluster knows the tool, not the person. The audit log of EKS has the person (CloudWatch Logs Insights):",
          `  filter objectRef.name = "${first.live.metadata.name}" and verb in ["patch", "update", "delete"] | fields @timestamp, user.username, verb, userAgent`,
        ];
  return [
    "",
    `To take everything back: ${to}`,
    ...(quick
      ? []
      : ["To keep a field: write its value into the program or the stack's file, and deploy."]),
    ...audit,
  ];
}

/** The command that gives the objects back what the last update wrote. */
function wayBack(stack: string): { readonly quick: boolean; readonly to: string } {
  if (stack === "local") return { quick: true, to: "npm run up" };
  if (stack === canaryStack) return { quick: true, to: "npm run canary -- stop, then start" };
  if (traitsOf(stack)?.perBranch === true) return { quick: true, to: "npm run review -- up" };
  return { quick: false, to: `npm run deploy -- ${stack} --take-back` };
}

function asJson(stack: string, { changed, gone }: Drift): object {
  return {
    stack,
    gone: gone.map(({ kind, metadata: { name, namespace } }) => ({ kind, name, namespace })),
    changed: changed.map(({ differences, live: { kind, metadata } }) => ({
      kind,
      name: metadata.name,
      namespace: metadata.namespace,
      fields: differences.map(({ by, declared, live, path, time }) => ({
        path,
        declared: shown(kind, path, declared ?? null),
        live: shown(kind, path, live ?? null),
        by: by ?? null,
        time: time ?? null,
      })),
    })),
    version: 1,
  };
}
