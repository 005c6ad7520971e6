import {
  clusterGroup,
  type ClusterCiRoleName,
  reviewGroup,
  reviewUser,
} from "../../../components/conventions/ci-roles";
import { command, CommandError } from "../../../lib/command";
import { environment } from "../../../sandbox/environment";

/** A person or job with its own rights in the cluster, as the API server would know it. */
export interface Actor {
  /** Runs kubectl with these rights. */
  readonly kubectl: (args: readonly string[], input?: object) => Promise<string>;
  readonly name: string;
}

function actor(name: string, impersonation: readonly string[]): Actor {
  return {
    kubectl: (args, input) =>
      command("kubectl", [...impersonation, ...args], {
        env: environment(),
        timeout: 120_000,
        ...(input === undefined ? {} : { input: JSON.stringify(input) }),
      }),
    name,
  };
}

/** The person that set up the cluster. */
export const administrator = actor("the administrator", []);

/** A job of a branch, with CircleCI's token. */
export function branchJob(branch: string, projectId: string): Actor {
  return actor(`a job of ${branch}`, [
    ...["--as", reviewUser(branch), "--as-group", reviewGroup(projectId)],
  ]);
}

/** A job with the IAM role of a purpose. */
export function roleJob(purpose: ClusterCiRoleName): Actor {
  const group = clusterGroup(purpose);
  return actor(`the role ${purpose}`, ["--as", `${group}:test`, "--as-group", group]);
}

/** Server-side apply: Pulumi makes and changes objects with it. */
export function apply(who: Actor, object: object): Promise<string> {
  return who.kubectl(["apply", "--server-side", "-f", "-"], object);
}

/** What the API server says when it refuses; an error when it does not. */
export async function refusal(request: Promise<string>): Promise<string> {
  try {
    await request;
  } catch (error) {
    if (error instanceof CommandError && /forbidden|denied/i.test(error.output)) {
      return error.output;
    }
    throw error;
  }
  throw new Error("the request was allowed");
}
