import { Octokit } from "@octokit/core";
import { retry } from "@octokit/plugin-retry";
import { UserError } from "../../lib/errors";

const TIMEOUT_MS = 10_000;
const TRIES = 3;

/** A pull request, and the API address and the token for requests about the pull request. */
export interface PullRequest {
  /** Base URL of GitHub's REST API, without a slash at its end. */
  readonly api: string;
  readonly number: number;
  /** The repository of the pull request, in the form `owner/name`. */
  readonly repository: string;
  readonly token: string;
}

/**
 * Reads the pull request from the environment variables: from CircleCI's own variables, or from
 * PULL_REQUEST and GITHUB_REPOSITORY. Undefined if no variable names a pull request.
 *
 * @throws UserError if the number, the repository or the token is missing or wrong. The error names
 * the variables to set.
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
  const issues = [
    ...(Number.isInteger(number) && number > 0 ? [] : ["PULL_REQUEST (its number)"]),
    ...(/^[\w.-]+\/[\w.-]+$/.test(repository) ? [] : ["GITHUB_REPOSITORY (owner/name)"]),
    ...(token === "" ? ["GITHUB_TOKEN"] : []),
  ];
  if (issues.length > 0) {
    throw new UserError(`to ask GitHub about the pull request, set ${issues.join(", ")}`);
  }
  const api = (env["GITHUB_API_URL"] ?? "https://api.github.com").replace(/\/+$/, "");
  return { api, number, repository, token };
}

const GitHub = Octokit.plugin(retry);

/**
 * Sends a request to GitHub. Tries at most three times if the server or the network fails. Each try
 * has a timeout of 10 s.
 *
 * @throws Error with GitHub's response
 */
export async function askGitHub<T>(
  pull: PullRequest,
  method: string,
  path: string,
  body: object = {},
): Promise<T> {
  const github = new GitHub({
    baseUrl: pull.api,
    request: {
      // This timeout is for each try, not for all tries together.
      fetch: async (url: string, init: RequestInit) =>
        fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) }),
    },
    retry: { retries: TRIES - 1, retryAfterBaseValue: 500 },
  });
  try {
    return (
      await github.request(`${method} ${path}`, {
        ...body,
        headers: { authorization: `Bearer ${pull.token}` },
      })
    ).data as T;
  } catch (error) {
    const { message, status } = error as { message: string; status?: number };
    const answered = status === undefined ? "failed" : `was answered with ${String(status)}`;
    throw new Error(`${method} ${path} ${answered}: ${message.slice(0, 200)}`);
  }
}

/** Whether the pull request is still open: neither merged nor closed. */
export async function isOpen(pull: PullRequest): Promise<boolean> {
  const path = `/repos/${pull.repository}/pulls/${String(pull.number)}`;
  return (await askGitHub<{ readonly state: string }>(pull, "GET", path)).state === "open";
}
