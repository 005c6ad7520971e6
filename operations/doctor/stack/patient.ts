import type { Settings } from "../../../settings";
import type { StartingCluster } from "../../clients/kubectl";
import type { Workspace } from "../../pulumi/run-pulumi";
import type { Outputs } from "../../pulumi/stacks";
import type { Row } from "../finding";

/** The stack to check, and facts that several checks use. The command reads each fact only once. */
export interface StackPatient {
  /** The cluster of the stack. Rejected if the cluster does not answer. */
  readonly cluster: Promise<StartingCluster>;
  /** Returns the number of milliseconds until all checks must have ended, at least 1. */
  readonly left: () => number;
  /**
   * Outputs of the stack's last successful update, without outputs that are secret. Undefined if
   * the stack does not exist. Rejected if the state cannot be read.
   */
  readonly outputs: Promise<Outputs | undefined>;
  readonly settings: Settings;
  readonly workspace: Workspace;
}

/** What to do if the role has no permission for a request. */
export const askAdministrator = "Ask an administrator of the cluster for this permission";

/**
 * One question about what the commands need for a stack. If the check throws an error, the result
 * is unknown, and the message of the error is the reason.
 */
export type StackCheck = (patient: StackPatient) => Promise<readonly Row[]>;
