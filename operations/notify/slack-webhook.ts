import type { Message } from "./slack-message";

const TIMEOUT_MS = 5_000;
const TRIES = 3;

const pause = async (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/**
 * Why it was not taken; undefined where it was. Never quotes the webhook: its address is its
 * password.
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
 * Sends a message: three tries of five seconds, and a second between. What is not sent is a
 * warning, never an error: no deployment fails because Slack does.
 *
 * @returns the warning, or undefined where Slack has it.
 */
export async function send(
  webhook: string | undefined,
  message: Message,
  wait: (ms: number) => Promise<void> = pause,
): Promise<string | undefined> {
  if (webhook === undefined || webhook === "") {
    return "SLACK_WEBHOOK_URL is not set, so no message is sent";
  }
  if (!/^https?:\/\//.test(webhook))
    return "SLACK_WEBHOOK_URL is not an address; no message is sent";
  let reason: string | undefined;
  for (let tried = 1; tried <= TRIES; tried += 1) {
    if (tried > 1) await wait(1_000);
    reason = await refusal(webhook, message);
    if (reason === undefined) return undefined;
    // Slack has understood it and does not want it: that does not change.
    if (/answered 4(?!29)/.test(reason)) break;
  }
  return `no message in Slack: ${reason ?? ""}`;
}
