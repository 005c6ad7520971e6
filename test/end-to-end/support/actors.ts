import {
  clusterGroup,
  type ClusterCiRoleName,
  reviewGroup,
  reviewUser,
} from "../../../components/conventions/ci-roles";
import { service } from "../../../config/service";
import { command, CommandError } from "../../../lib/command";
import { environment } from "../../../sandbox/environment";

/**
 * A person or a job that uses the cluster. For every actor except `administrator`, kubectl
 * impersonates the user and the groups that the person or the job would have.
 */
export interface Actor {
  /** Runs kubectl with the permissions of the actor, and returns what kubectl prints. */
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

/** The person who set up the cluster. */
export const administrator = actor("the administrator", []);

/** Returns the actor for a job of a branch. The job logs in with a token of CircleCI. */
export function branchJob(branch: string, projectId: string): Actor {
  return actor(`a job of ${branch}`, [
    ...["--as", reviewUser(branch), "--as-group", reviewGroup(projectId)],
  ]);
}

/** Returns the actor for a job that has the IAM role for this purpose. */
export function roleJob(purpose: ClusterCiRoleName): Actor {
  const group = clusterGroup(purpose);
  return actor(`the role ${purpose}`, ["--as", `${group}:test`, "--as-group", group]);
}

/** Returns a person who has a group of the platform. */
export function person(group: string): Actor {
  return actor(`a person of ${group}`, ["--as", `${service}:person:ada`, "--as-group", group]);
}

/** Creates or changes an object with server-side apply, as Pulumi does. */
export function apply(who: Actor, object: object): Promise<string> {
  return who.kubectl(["apply", "--server-side", "-f", "-"], object);
}

/**
 * Returns the message with which the API server refuses the request. Throws an error if the API
 * server accepts the request.
 */
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
