import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CommandError, command } from "../../lib/command";
import { type Workspace, defaultWorkspace } from "../pulumi/run-pulumi";

/**
 * Runs git in the project, without a shell. The callers make sure that git does not read a branch's
 * name as an option, because the name is untrusted text.
 */
export async function git(
  args: readonly string[],
  { cwd }: Pick<Workspace, "cwd">,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return (await command("git", args, { cwd, env, timeout: 60_000 })).trim();
}

/** Runs git and returns its output. Undefined if git fails or prints nothing. */
async function ifKnown(args: readonly string[], workspace: Workspace): Promise<string | undefined> {
  const answer = await git(args, workspace).catch(() => "");
  return answer === "" ? undefined : answer;
}

/** Runs `git diff` and returns the names of the files that differ. Undefined if git fails. */
async function differing(
  args: readonly string[],
  workspace: Workspace,
): Promise<readonly string[] | undefined> {
  const all = ["diff", "--name-only", "-z", ...args];
  const answer = await git(all, workspace).catch(() => undefined);
  return answer?.split("\0").filter((file) => file !== "");
}

/** Runs a git command, and returns true for exit code 0, false for 1, otherwise undefined. */
async function asked(args: readonly string[], workspace: Workspace): Promise<boolean | undefined> {
  try {
    await git(args, workspace);
    return true;
  } catch (error) {
    if (error instanceof CommandError && error.exitCode === 1) return false;
    return undefined;
  }
}

/**
 * Removes the suffix `-dirty...`, which marks uncommitted changes, from an image's commit. Returns
 * the full hash. Undefined if the rest of the text is not a full hash.
 */
export function committed(commit: string | undefined): string | undefined {
  return /^([0-9a-f]{40})(?:-dirty\..*)?$/.exec(commit ?? "")?.[1];
}

/** Commit that is checked out. Undefined outside a repository. */
export async function head(workspace: Workspace): Promise<string | undefined> {
  return committed(await ifKnown(["rev-parse", "--verify", "HEAD"], workspace));
}

/** Branch that is checked out. Undefined if `HEAD` is detached, for example in CI. */
export async function currentBranch(workspace = defaultWorkspace): Promise<string | undefined> {
  return ifKnown(["symbolic-ref", "--short", "-q", "HEAD"], workspace);
}

/** Whether `older` is in the history of `newer`. Undefined if one of the commits is missing. */
export async function isAncestor(
  older: string,
  newer: string,
  workspace: Workspace,
): Promise<boolean | undefined> {
  return asked(["merge-base", "--is-ancestor", older, newer], workspace);
}

/** Name of the git remote from which the commands read the branches. */
const remote = "origin";

/** Branches at the remote, each with its newest commit. Undefined if there is no remote. */
export async function remoteBranches(
  workspace: Workspace,
): Promise<ReadonlyMap<string, string> | undefined> {
  const remotes = await git(["remote"], workspace).catch(() => "");
  if (!remotes.split("\n").includes(remote)) return undefined;
  const lines = (await git(["ls-remote", "--heads", remote], workspace)).split("\n");
  return new Map(
    lines.flatMap((line) => {
      const [commit = "", ref = ""] = line.split("\t");
      return ref.startsWith("refs/heads/") ? [[ref.slice("refs/heads/".length), commit]] : [];
    }),
  );
}

/** Repository of the remote `origin`, from {@link repositoryOf}. Undefined without this remote. */
export async function remoteUrl(workspace: Workspace): Promise<string | undefined> {
  const url = await ifKnown(["remote", "get-url", remote], workspace);
  return url && repositoryOf(url, workspace.cwd);
}

/**
 * Host and path of the repository at a remote's URL, such as `github.com/acme/orders`. The result
 * is the same for ssh and https, and contains no user name and no token. For a repository in a
 * local directory, the result is the directory's path.
 */
export function repositoryOf(url: string, cwd: string): string {
  const short = (path: string): string => path.replace(/\/+$/, "").replace(/\.git$/, "");
  if (/^[a-z][a-z+]*:\/\//i.test(url)) {
    const { host, hostname, pathname, protocol } = new URL(url);
    // The result omits the port of an ssh URL, because https uses a different port for the same
    // repository.
    const where = protocol === "https:" || protocol === "http:" ? host : hostname;
    return short(`${where.toLowerCase()}${pathname}`);
  }
  const [, where, path = ""] = /^(?:[^@/]*@)?([^:/]+):(.*)$/.exec(url) ?? [];
  if (where === undefined) return short(resolve(cwd, url));
  return short(`${where.toLowerCase()}/${path.replace(/^\/+/, "")}`);
}

/** Fetches all commits of a branch. A shallow or old clone may not have some of these commits. */
export async function fetchBranch(branch: string, workspace: Workspace): Promise<void> {
  const shallow = await git(["rev-parse", "--is-shallow-repository"], workspace);
  const whole = shallow === "true" ? ["--unshallow"] : [];
  await git(["fetch", "--quiet", ...whole, remote, `refs/heads/${branch}`], workspace);
}

/**
 * Fetches a branch, and returns its newest commit at the remote. If the fetch fails, for example
 * without a network, returns the commit of the last fetch. Undefined if there is no remote, or the
 * branch is unknown.
 */
export async function remoteTip(branch: string, workspace: Workspace): Promise<string | undefined> {
  // Git and ssh must not ask for a password, because a preview must not wait for a person.
  const quietly = { GIT_TERMINAL_PROMPT: "0", GIT_SSH_COMMAND: "ssh -o BatchMode=yes" };
  const fetched = ["fetch", "--quiet", remote, `refs/heads/${branch}`];
  await command("git", fetched, { cwd: workspace.cwd, env: quietly, timeout: 20_000 }).catch(
    () => undefined,
  );
  return ifKnown(
    ["rev-parse", "--verify", "--quiet", `refs/remotes/${remote}/${branch}`],
    workspace,
  );
}

/** The result of a merge of two commits. */
export interface Merge {
  /** The merge commit. Undefined if the two commits conflict. */
  readonly commit: string | undefined;
  /** Paths of the files in which the two commits conflict. */
  readonly conflicts: readonly string[];
}

/**
 * Merges a commit with the working directory, including uncommitted changes. Changes no branch, no
 * index and no file in the working directory. Undefined if git fails, for example because git is
 * older than 2.38.
 */
export async function mergedWith(commit: string, workspace: Workspace): Promise<Merge | undefined> {
  const here = await snapshot(workspace);
  const merge = ["merge-tree", "--write-tree", "--name-only", "--no-messages", commit, here];
  try {
    const tree = await git(merge, workspace);
    const parents = ["-p", commit, "-p", here];
    return { commit: await commitOf(tree, parents, workspace), conflicts: [] };
  } catch (error) {
    if (!(error instanceof CommandError) || error.exitCode !== 1) return undefined;
    const [, ...conflicts] = error.output.trim().split("\n");
    return { commit: undefined, conflicts };
  }
}

/**
 * Creates a commit with the content of the working directory, and returns the commit's hash.
 * Returns the hash of HEAD if there are no uncommitted changes.
 */
async function snapshot(workspace: Workspace): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "services-index-"));
  try {
    // The command uses a separate index, so it does not change the user's staged changes.
    const index = { GIT_INDEX_FILE: join(directory, "index") };
    await git(["read-tree", "HEAD"], workspace, index);
    await git(["add", "--all"], workspace, index);
    const tree = await git(["write-tree"], workspace, index);
    const [before, commit] = (await git(["log", "-1", "--format=%T %H"], workspace)).split(" ");
    return tree === before ? (commit ?? "") : await commitOf(tree, ["-p", "HEAD"], workspace);
  } finally {
    rmSync(directory, { force: true, recursive: true });
  }
}

async function commitOf(
  tree: string,
  parents: readonly string[],
  workspace: Workspace,
): Promise<string> {
  const author = ["-c", "user.name=preview", "-c", "user.email=preview@localhost"];
  return git([...author, "commit-tree", tree, ...parents, "-m", "Preview of a merge"], workspace);
}

/** Files below a directory that differ between two commits. Undefined if a commit is unknown. */
export async function changedFiles(
  from: string,
  to: string,
  directory: string,
  workspace: Workspace,
): Promise<readonly string[] | undefined> {
  return differing([from, to, "--", directory], workspace);
}

/**
 * Names of the files and folders in a directory of a commit. Undefined if the clone does not have
 * the commit or the directory.
 */
export async function filesAt(
  commit: string,
  directory: string,
  workspace: Workspace,
): Promise<readonly string[] | undefined> {
  const tree = ["ls-tree", "--name-only", "-z", `${commit}:${directory}`];
  const names = await git(tree, workspace).catch(() => undefined);
  return names?.split("\0").filter((name) => name !== "");
}

/**
 * Entries below a directory of a commit that are not plain files: symbolic links and submodules.
 * Undefined if the clone does not have the commit.
 */
export async function unusualFilesAt(
  commit: string,
  directory: string,
  workspace: Workspace,
): Promise<readonly string[] | undefined> {
  const tree = ["ls-tree", "-r", "-z", "--full-tree", commit, "--", directory];
  const entries = await git(tree, workspace).catch(() => undefined);
  return entries
    ?.split("\0")
    .filter((entry) => entry !== "" && !entry.startsWith("100"))
    .map((entry) => entry.slice(entry.indexOf("\t") + 1));
}

/**
 * Content of a file in a commit. Undefined if the clone does not have the commit or the file, or if
 * the file is empty.
 */
export async function fileAt(
  commit: string,
  path: string,
  workspace: Workspace,
): Promise<string | undefined> {
  return ifKnown(["show", `${commit}:${path}`], workspace);
}

/**
 * Returns the full hash of a commit. The name of the commit can be, for example, a branch or a
 * short hash. Undefined if the clone has no commit with this name.
 */
export async function fullCommit(name: string, workspace: Workspace): Promise<string | undefined> {
  return ifKnown(["rev-parse", "--verify", "--end-of-options", `${name}^{commit}`], workspace);
}

/**
 * Commits in the history of `newer` that are not in the history of `older`, one line for each
 * commit. Undefined if the clone does not have one of the two commits.
 */
export async function commitsBetween(
  older: string,
  newer: string,
  workspace: Workspace,
): Promise<readonly string[] | undefined> {
  const range = `${older}..${committed(newer) ?? newer}`;
  const answer = await git(["log", "--oneline", "--end-of-options", range], workspace).catch(
    () => undefined,
  );
  return answer?.split("\n").filter((line) => line !== "");
}

/** Whether files differ between a commit and the working directory. Undefined if git fails. */
export async function differs(
  commit: string,
  paths: readonly string[],
  workspace: Workspace,
): Promise<boolean | undefined> {
  const same = await asked(["diff", "--quiet", commit, "--", ...paths], workspace);
  return same === undefined ? undefined : !same;
}

/** Tracked files with uncommitted changes. Undefined outside a repository. */
export async function uncommitted(workspace: Workspace): Promise<readonly string[] | undefined> {
  return differing(["HEAD"], workspace);
}

/**
 * Name or email address of the person who started the command or, in CI, the pipeline. CircleCI has
 * no name for a person without an account at the repository's host, such as GitHub. The result then
 * names the CircleCI job, because the job's page shows the person.
 */
export async function person(workspace: Workspace): Promise<string> {
  const { CIRCLE_BUILD_NUM: job = "", CIRCLE_USERNAME: name = "" } = process.env;
  if (name !== "") return name;
  if (job !== "") return `CircleCI job ${job}`;
  const email = await ifKnown(["config", "user.email"], workspace);
  return email ?? process.env["USER"] ?? "unknown";
}
