/** Where a message about a job goes. */
interface Destination {
  /** Why this is not the channel of the job's recipient. Undefined if it is. */
  readonly strayed?: string;
  readonly webhook: string | undefined;
}

const common = "SLACK_WEBHOOK_URL";

/**
 * Returns the environment variable with the webhook of a Slack channel, such as
 * `SLACK_WEBHOOK_URL_ORDERS_ALERTS` for `#orders-alerts`. Slack ties a webhook to one channel, so
 * each channel needs its own.
 */
const variableOf = (channel: string): string =>
  `${common}_${channel.toUpperCase().replace(/[^A-Z0-9]/g, "_")}`;

/**
 * Returns the webhook for a job's recipient, such as `slack:#orders-alerts`. If there is none, the
 * message goes to the channel of `SLACK_WEBHOOK_URL`, and says for whom it is: a message in the
 * wrong channel is better than no message.
 */
export function destinationOf(
  tell: string,
  env: Readonly<Record<string, string | undefined>>,
): Destination {
  const webhook = env[common];
  const [, channel] = /^slack:#(.+)$/.exec(tell) ?? [];
  if (channel === undefined) {
    return { strayed: `This message is for ${tell}. The notifier only writes to Slack.`, webhook };
  }
  const variable = variableOf(channel);
  const own = env[variable];
  return own === undefined || own === ""
    ? { strayed: `This message is for #${channel}. ${variable} is not set.`, webhook }
    : { webhook: own };
}
