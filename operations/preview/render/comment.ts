import { service } from "../../../config/service";
import { askGitHub as ask, type PullRequest } from "../../clients/github";
import { commentLimit } from "./limits";

const marker = `<!-- ${service}: preview -->`;
const TRIES = 3;
const PAGES = 30;

interface Comment {
  readonly body?: string;
  readonly html_url?: string;
  readonly id: number;
}

/**
 * Text that warns readers of the comment: the code of the branch writes the comment, and each
 * commit of the branch can change this code.
 */
const author =
  "_The code of this branch wrote this comment, so the comment proves nothing. Before an approval of production, the code of main writes the preview._";

const begin = (stack: string): string => `<!-- preview of ${stack} -->`;
const end = (stack: string): string => `<!-- end of ${stack} -->`;

/**
 * Returns the text of the comment with a new section for one stack. The function does not change
 * the sections of other stacks. This function is pure.
 */
export function withSection(body: string, stack: string, section: string): string {
  const sections = new Map<string, string>();
  for (const match of body.matchAll(/<!-- preview of (\S+) -->\n([\s\S]*?)\n<!-- end of \1 -->/g)) {
    sections.set(match[1] ?? "", match[2] ?? "");
  }
  sections.set(stack, section);
  const parts = [...sections].map(([name, text]) => `${begin(name)}\n${text}\n${end(name)}`);
  const whole = [marker, author, ...parts].join("\n\n");
  if (whole.length <= commentLimit) return whole;
  // The text is too long for one comment, so the function removes the details and keeps the
  // summaries.
  const lean = whole.replace(/<details>[\s\S]*?<\/details>/g, "");
  return lean.slice(0, commentLimit);
}

async function find(pull: PullRequest, path: string): Promise<Comment | undefined> {
  for (let page = 1; page <= PAGES; page += 1) {
    const comments = await ask<readonly Comment[]>(
      pull,
      "GET",
      `${path}?per_page=100&page=${String(page)}`,
    );
    const found = comments.find(({ body = "" }) => body.startsWith(marker));
    if (found !== undefined || comments.length < 100) return found;
  }
  return undefined;
}

/**
 * Writes a stack's section into the pull request's comment. Creates the comment if it does not
 * exist. Several previews may run at the same time, and one preview may overwrite the section of
 * another stack. So after each write, this function checks that the section is in the first comment
 * with the marker. If the section is not there, the function writes the section again. In total,
 * the function writes at most three times.
 *
 * @returns the comment's address.
 * @throws Error if GitHub refuses a request, or if three tries of a request fail because of the
 * server or the network. Each try has a timeout of ten seconds.
 */
export async function comment(pull: PullRequest, stack: string, section: string): Promise<string> {
  const issues = `/repos/${pull.repository}/issues`;
  const path = `${issues}/${String(pull.number)}/comments`;
  let found = await find(pull, path);
  for (let tried = 1; ; tried += 1) {
    const body = { body: withSection(found?.body ?? "", stack, section) };
    const written =
      found === undefined
        ? await ask<Comment>(pull, "POST", path, body)
        : await ask<Comment>(pull, "PATCH", `${issues}/comments/${String(found.id)}`, body);
    const first = await find(pull, path);
    const isThere = first?.id === written.id && first.body?.includes(section) === true;
    if (isThere || tried === TRIES) return written.html_url ?? "";
    if (first !== undefined && first.id !== written.id && found === undefined) {
      await ask(pull, "DELETE", `${issues}/comments/${String(written.id)}`);
    }
    found = first;
  }
}
