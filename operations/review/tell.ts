import { reports } from "../../lib/reports";
import { code, fenced } from "../preview/render/markdown";
import { type Workspace, variables } from "../pulumi/run-pulumi";

/**
 * Longest text about a failure, in characters. The comment also contains previews. The previews
 * need the remaining characters of GitHub's limit.
 */
const limit = 1_500;

/**
 * Writes the result of a deploy into the comment on the branch's pull request: the stack's address,
 * or the reason why the deploy failed. Without a GitHub token or a pull request, the function does
 * nothing. If GitHub refuses or does not answer, the function prints a warning and throws no error.
 * So the command still ends with the result of the deploy.
 *
 * @param url address of the stack. Undefined if the deploy failed
 */
export async function tellPullRequest(
  stack: string,
  url: string | undefined,
  workspace: Workspace,
): Promise<void> {
  const env = variables(workspace);
  if ((env["GITHUB_TOKEN"] ?? "") === "") return;
  const at = env["CIRCLE_SHA1"] === undefined ? "" : ` at ${code(env["CIRCLE_SHA1"].slice(0, 7))}`;
  const title = `${code(stack)}${at}`;
  const section =
    url === undefined
      ? `### :x: Deploy of ${title} failed\n\n${fenced(reports.failure.slice(0, limit).trim())}`
      : `### Deploy of ${title}\n\n${url}`;
  try {
    const { pullRequestFrom } = await import("../clients/github");
    const { comment } = await import("../preview/render/comment");
    const pull = pullRequestFrom(env);
    if (pull !== undefined) await comment(pull, `${stack}/deploy`, section);
  } catch (error) {
    console.error(`warning: no comment on the pull request: ${String(error)}`);
  }
}
