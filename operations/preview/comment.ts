import { UserError } from "../../tools/progress";
import { commentLimit } from "./limits";

const marker = "<!-- services-orders: preview -->";
const TIMEOUT_MS = 10_000;
const TRIES = 3;
const PAGES = 30;

/** Where the comment goes. */
export interface PullRequest {
  /** Base URL of GitHub's REST API, without a slash at its end. */
  readonly api: string;
  readonly number: number;
  /** As `owner/name`. */
  readonly repository: string;
  readonly token: string;
}

/**
 * The pull request of CircleCI's variables; undefined where the branch has none.
 *
 * @throws UserError naming every other variable that is missing or wrong.
 */
export function pullRequestFrom(
  env: Readonly<Record<string, string | undefined>>,
): PullRequest | undefined {
  const url = /\/pull\/(\d+)$/.exec(env["CIRCLE_PULL_REQUEST"] ?? "")?.[1];
  const number = Number(env["PULL_REQUEST"] ?? url ?? 0);
  if (number === 0) return undefined;
  const owner = env["CIRCLE_PROJECT_USERNAME"] ?? "";
  const repository = env["GITHUB_REPOSITORY"] ?? `${owner}/${env["CIRCLE_PROJECT_REPONAME"] ?? ""}`;
  const token = env["GITHUB_TOKEN"] ?? "";
  const faults = [
    ...(Number.isInteger(number) && number > 0 ? [] : ["PULL_REQUEST (its number)"]),
    ...(/^[\w.-]+\/[\w.-]+$/.test(repository) ? [] : ["GITHUB_REPOSITORY (owner/name)"]),
    ...(token === "" ? ["GITHUB_TOKEN"] : []),
  ];
  if (faults.length > 0) {
    throw new UserError(`to comment on a pull request, set ${faults.join(", ")}`);
  }
  const api = (env["GITHUB_API_URL"] ?? "https://api.github.com").replace(/\/+$/, "");
  return { api, number, repository, token };
}

interface Comment {
  readonly body?: string;
  readonly html_url?: string;
  readonly id: number;
}

const begin = (stack: string): string => `<!-- preview of ${stack} -->`;
const end = (stack: string): string => `<!-- end of ${stack} -->`;

/** The comment's text with one stack's section set, and the others as they were. Pure. */
export function withSection(body: string, stack: string, section: string): string {
  const sections = new Map<string, string>();
  for (const match of body.matchAll(/<!-- preview of (\S+) -->\n([\s\S]*?)\n<!-- end of \1 -->/g)) {
    sections.set(match[1] ?? "", match[2] ?? "");
  }
  sections.set(stack, section);
  const parts = [...sections].map(([name, text]) => `${begin(name)}\n${text}\n${end(name)}`);
  const whole = [marker, ...parts].join("\n\n");
  if (whole.length <= commentLimit) return whole;
  // More stacks than were thought of: the details go, the summaries stay.
  const lean = whole.replace(/<details>[\s\S]*?<\/details>/g, "");
  return lean.slice(0, commentLimit);
}

class Refused extends Error {
  constructor(
    readonly status: number,
    text: string,
  ) {
    super(text);
  }
}

const pause = async (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

async function once<T>(pull: PullRequest, method: string, path: string, body?: object): Promise<T> {
  const answer = await fetch(`${pull.api}${path}`, {
    method,
    headers: {
      Accept: "application/vnd.github+json",
      Authorization: `Bearer ${pull.token}`,
      "X-GitHub-Api-Version": "2022-11-28",
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await answer.text();
  if (!answer.ok) {
    throw new Refused(
      answer.status,
      `${method} ${path} was answered with ${String(answer.status)}: ${text.slice(0, 200)}`,
    );
  }
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** Asks GitHub, three times where it is the server or the way to it that fails. */
async function ask<T>(pull: PullRequest, method: string, path: string, body?: object): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await once<T>(pull, method, path, body);
    } catch (error) {
      const final = error instanceof Refused && error.status < 500 && error.status !== 429;
      if (final || tried === TRIES) throw error;
      await pause(tried * 1_000);
    }
  }
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
 * Writes a stack's section into the one comment that a pull request has, or makes that comment.
 * Previews of several stacks may do so at once: each looks afterwards whether its section is in the first
 * comment, and does it again where another one was faster.
 *
 * @returns the comment's address.
 * @throws Error after three tries of at most ten seconds each, for each of the requests.
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
