import type { Message } from "./slack-message";

const TIMEOUT_MS = 5_000;
const TRIES = 3;

const pause = async (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/**
 * Why Slack did not accept the message; undefined if it did.
 * Never quotes the webhook, because anyone who has its address can send.
 */
async function refusal(webhook: string, message: Message): Promise<string | undefined> {
  try {
    const answer = await fetch(webhook, {
      body: JSON.stringify(message),
      headers: { "Content-Type": "application/json" },
      method: "POST",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = (await answer.text()).slice(0, 100);
    return answer.ok ? undefined : `Slack answered ${String(answer.status)}: ${text}`;
  } catch (error) {
    const timedOut = error instanceof Error && error.name === "TimeoutError";
    return timedOut
      ? `no answer within ${String(TIMEOUT_MS / 1_000)} s`
      : "Slack cannot be reached";
  }
}

/**
 * Sends a message: three tries of five seconds, with one second between them.
 * A failure is a warning, never an error: a deployment must not fail because Slack does.
 *
 * @returns the warning, or undefined if Slack accepted the message.
 */
export async function send(
  webhook: string | undefined,
  message: Message,
  wait: (ms: number) => Promise<void> = pause,
): Promise<string | undefined> {
  if (webhook === undefined || webhook === "") {
    return "no message in Slack: SLACK_WEBHOOK_URL is not set";
  }
  if (!/^https?:\/\//.test(webhook)) {
    return "no message in Slack: SLACK_WEBHOOK_URL must be an http or https URL";
  }
  let reason: string | undefined;
  for (let tried = 1; tried <= TRIES; tried += 1) {
    if (tried > 1) await wait(1_000);
    reason = await refusal(webhook, message);
    if (reason === undefined) return undefined;
    // Slack rejected the message: another try would get the same answer.
    if (/answered 4(?!29)/.test(reason)) break;
  }
  return `no message in Slack: ${reason ?? ""}`;
}
