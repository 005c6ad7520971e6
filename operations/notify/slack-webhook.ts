import { AbortError, makeRetriable } from "p-retry";
import type { Message } from "./slack-message";

const TIMEOUT_MS = 5_000;
const TRIES = 3;

/**
 * Sends a message once. The error never contains the webhook's address, because anyone who has this
 * address can send messages.
 */
async function post(webhook: string, message: Message): Promise<void> {
  const answer = await fetch(webhook, {
    body: JSON.stringify(message),
    headers: { "Content-Type": "application/json" },
    method: "POST",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    const timedOut = error instanceof Error && error.name === "TimeoutError";
    const limit = `no answer within ${String(TIMEOUT_MS / 1_000)} s`;
    throw new Error(timedOut ? limit : "Slack cannot be reached");
  });
  if (answer.ok) return;
  const { status } = answer;
  const reason = `Slack answered ${String(status)}: ${(await answer.text()).slice(0, 100)}`;
  // Slack rejected the message and would reject it again, so there is no further try.
  if (status >= 400 && status < 500 && status !== 429) throw new AbortError(reason);
  throw new Error(reason);
}

/**
 * Sends a message. Tries up to three times, each time with a timeout of five seconds, and waits one
 * second before the next try. If the last try fails, the function returns a warning and throws no
 * error, because a deploy must not fail when Slack fails.
 *
 * @returns the warning, or undefined if Slack accepted the message.
 */
export async function send(
  webhook: string | undefined,
  message: Message,
  pauseMs = 1_000,
): Promise<string | undefined> {
  if (webhook === undefined || webhook === "") {
    return "no message in Slack: SLACK_WEBHOOK_URL is not set";
  }
  if (!/^https?:\/\//.test(webhook)) {
    return "no message in Slack: SLACK_WEBHOOK_URL must be an http or https URL";
  }
  const retries = { factor: 1, minTimeout: pauseMs, retries: TRIES - 1 };
  return makeRetriable(post, retries)(webhook, message).then(
    () => undefined,
    (error: unknown) => `no message in Slack: ${error instanceof Error ? error.message : ""}`,
  );
}
