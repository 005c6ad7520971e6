import { dateOf } from "../../lib/time";
import { type Workspace, askJson } from "../pulumi/run-pulumi";

/** One update of a stack, from Pulumi's history. */
export interface Update {
  /**
   * The person who started the update. Undefined if the person used `pulumi up` and not our
   * commands.
   */
  readonly by: string | undefined;
  readonly branch: string | undefined;
  /**
   * Commit of the code in the image. For an update with `pulumi up`, the field contains the
   * checked-out commit.
   */
  readonly commit: string | undefined;
  readonly ended: Date | undefined;
  /**
   * Image of the release. Undefined if the person used `pulumi up`, or if the update itself built
   * the image.
   */
  readonly imageRef: string | undefined;
  /** URL of the CircleCI job. */
  readonly link: string | undefined;
  /**
   * The checked-out commit. The update took the program, the jobs and the stack settings file from
   * this commit.
   */
  readonly program: string | undefined;
  readonly reason: string | undefined;
  readonly started: Date;
  readonly succeeded: boolean;
}

/** An update in the output of `pulumi stack history --json`. */
interface Recorded {
  readonly endTime?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly kind: string;
  readonly message?: string;
  readonly result: string;
  readonly startTime: string;
}

/** Facts that our commands write into the message of an update. */
export interface Told {
  readonly branch: string;
  readonly by: string;
  readonly commit: string;
  readonly imageRef?: string | undefined;
  readonly reason?: string | undefined;
}

const form = /^Release of (\S+) at (\S+)(?: as (\S+))? by ([^:]+?)(?:: (.*))?$/s;

/** Returns the message for an update. Pulumi keeps the message in the stack's history. */
export function messageOf({ branch, by, commit, imageRef, reason }: Told): string {
  const image = imageRef === undefined ? "" : ` as ${imageRef}`;
  const person = by.replaceAll(":", " ");
  return `Release of ${branch} at ${commit}${image} by ${person}${reason === undefined ? "" : `: ${reason}`}`;
}

/** Largest number of entries that `updatesOf` reads from the history. */
const most = 200;

/** Returns the updates of a stack, the newest first, without refreshes and removals. */
export async function updatesOf(stack: string, workspace: Workspace): Promise<readonly Update[]> {
  const args = ["stack", "history", "--stack", stack, "--page-size", String(most)];
  const recorded = (await askJson(args, workspace)) as readonly Recorded[];
  return recorded.filter(({ kind }) => kind === "update").map(read);
}

function read({ endTime, environment = {}, message = "", result, startTime }: Recorded): Update {
  const [told, branch, commit, imageRef, by, reason] = form.exec(message) ?? [];
  return {
    branch,
    by,
    commit: told === undefined ? environment["git.head"] : commit,
    ended: dateOf(endTime),
    imageRef,
    link: environment["ci.build.url"],
    program: environment["git.head"],
    reason,
    started: dateOf(startTime) ?? new Date(0),
    succeeded: result === "succeeded",
  };
}
