import { reasonOf } from "../../../lib/command";
import { messageOf } from "../../../lib/errors";
import { lockStore } from "../../locks/lock-store";
import { holderOf } from "../../locks/unlock";
import { stackNames } from "../../pulumi/connect";
import { type Workspace, ask, stateOfProject, variables } from "../../pulumi/run-pulumi";
import { type Deployment, type Outputs, outputsIn } from "../../pulumi/stacks";
import { type Finding, ok, unknown, wrong } from "../finding";
import type { StackCheck } from "./patient";

/**
 * Reads the outputs of a stack's last successful update. Undefined if the stack does not exist.
 *
 * @param timeout in milliseconds
 */
export async function readOutputs(
  stack: string,
  workspace: Workspace,
  timeout: number,
): Promise<Outputs | undefined> {
  try {
    const limit = { killSignal: "SIGKILL", timeout } as const;
    const answer = await ask(["stack", "export", "--stack", stack], workspace, limit);
    const { deployment = {} } = JSON.parse(answer) as { readonly deployment?: Deployment };
    return outputsIn(deployment.resources ?? []);
  } catch (error) {
    if (messageOf(error).includes("no stack named")) return undefined;
    throw error;
  }
}

/** Whether the state backend answers, and the state of the stack can be read. */
export const state: StackCheck = async ({ outputs, settings, workspace }) => {
  const { stack } = settings;
  const backend = variables(workspace)["PULUMI_BACKEND_URL"] ?? "the backend of pulumi login";
  const asked = [stackNames(workspace), outputs] as const;
  const finding = await Promise.all(asked).then(
    ([, found]): Finding =>
      ok(
        found === undefined
          ? `${backend} answers. Stack ${stack} does not exist yet: its first deploy creates it`
          : `${backend} has stack ${stack}`,
      ),
    (error: unknown) => wrong(reasonOf(error).replace(/\.$/, "")),
  );
  return [{ check: "state", ...finding }];
};

/** Whether another process holds the lock of the stack. */
export const lock: StackCheck = async ({ settings, workspace }) => {
  const { stack } = settings;
  const backend = stateOfProject(workspace);
  if (backend.backendUrl === "") {
    return [
      { check: "lock", ...unknown("set PULUMI_BACKEND_URL to the URL of the state backend") },
    ];
  }
  const { locks } = await lockStore(stack, backend).read();
  const finding =
    locks.length === 0
      ? ok("no lock")
      : unknown(
          `locked by ${locks.map(holderOf).join("; ")}. Commands wait for at most 10 minutes. ` +
            `If this process has ended: npm run unlock -- ${stack}`,
        );
  return [{ check: "lock", ...finding }];
};
