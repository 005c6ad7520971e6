/** Why a message goes to the channel of `SLACK_WEBHOOK_URL`, and not to the job's recipient. */
export interface Strayed {
  /** Recipient in the job's arg `onFailure`, such as `#orders-alerts`. */
  readonly recipient: string;
  /**
   * The missing environment variable for the webhook of the recipient. Undefined if the recipient
   * is not a Slack channel.
   */
  readonly variable?: string;
}

/** The destination of a message about a job. */
interface Destination {
  /** Undefined if the message goes to the recipient in the job's arg `onFailure`. */
  readonly strayed?: Strayed;
  readonly webhook: string | undefined;
}

const common = "SLACK_WEBHOOK_URL";

/**
 * Returns the name of the environment variable with the webhook of a Slack channel, such as
 * `SLACK_WEBHOOK_URL_ORDERS_ALERTS` for `#orders-alerts`. A Slack webhook writes to only one
 * channel, so each channel needs its own webhook.
 */
const variableOf = (channel: string): string =>
  `${common}_${channel.toUpperCase().replace(/[^A-Z0-9]/g, "_")}`;

/**
 * Returns the webhook for a job's recipient, such as `slack:#orders-alerts`. If the recipient has
 * no webhook, the message goes to the channel of `SLACK_WEBHOOK_URL`, and contains the name of the
 * recipient. A message in the wrong channel is better than no message.
 */
export function destinationOf(
  tell: string,
  env: Readonly<Record<string, string | undefined>>,
): Destination {
  const webhook = env[common];
  const [, channel] = /^slack:#(.+)$/.exec(tell) ?? [];
  if (channel === undefined) return { strayed: { recipient: tell }, webhook };
  const variable = variableOf(channel);
  const own = env[variable];
  return own === undefined || own === ""
    ? { strayed: { recipient: `#${channel}`, variable }, webhook }
    : { webhook: own };
}
