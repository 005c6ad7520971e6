import { UserError } from "../../lib/errors";

const TIMEOUT_MS = 10_000;
const TRIES = 3;

/** A pull request, and the way to ask GitHub about it. */
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
    throw new UserError(`to ask GitHub about the pull request, set ${faults.join(", ")}`);
  }
  const api = (env["GITHUB_API_URL"] ?? "https://api.github.com").replace(/\/+$/, "");
  return { api, number, repository, token };
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

/**
 * Asks GitHub, three times where it is the server or the way to it that fails; 10 s at most each.
 *
 * @throws Error with what GitHub answered.
 */
export async function askGitHub<T>(
  pull: PullRequest,
  method: string,
  path: string,
  body?: object,
): Promise<T> {
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

/** Whether the pull request is still open: neither merged nor closed. */
export async function isOpen(pull: PullRequest): Promise<boolean> {
  const path = `/repos/${pull.repository}/pulls/${String(pull.number)}`;
  return (await askGitHub<{ readonly state: string }>(pull, "GET", path)).state === "open";
}
