import { duration } from "../../lib/time";
import { cut } from "../preview/changes/values";

/** Content of a message. Only `event` and `stack` are required. */
export interface Notice {
  /**
   * The command that a person or a schedule started, such as `rollback`. Undefined for a deploy.
   */
  readonly action?: string;
  /** For a rollback: the release to deploy. Default: the previous release. */
  readonly backTo?: string;
  readonly branch?: string;
  /**
   * Why the command failed, and the last lines of logs. The message contains only the start of a
   * long text.
   */
  readonly cause?: string;
  /** What changed, in one line, such as a preview's headline. */
  readonly changed?: string;
  readonly commit?: string;
  /** How long the canary runs, such as `2h`. */
  readonly duration?: string;
  readonly event: Event;
  /** URL of the CI job. */
  readonly job?: string;
  /** Share of production's requests that the canary must receive, in percent. */
  readonly percent?: string;
  /** URL of the page with the preview, such as the pull request. */
  readonly preview?: string;
  /** The reason that a person gave for the action. */
  readonly reason?: string;
  readonly seconds?: number;
  readonly stack: string;
  /** Public URL of the service. */
  readonly url?: string;
  readonly who?: string;
  /**
   * URL of the CI workflow's page. On this page, a person finds the job with the preview, and can
   * give the approval.
   */
  readonly workflow?: string;
}

export const events = {
  approval: { icon: ":raised_hand:", says: "waits for an approval" },
  canceled: { icon: ":no_entry_sign:", says: "was canceled" },
  deployed: { icon: ":white_check_mark:", says: "is deployed" },
  done: { icon: ":white_check_mark:", says: "is done" },
  failed: { icon: ":x:", says: "failed" },
  removed: { icon: ":wastebasket:", says: "is removed" },
  skipped: { icon: ":fast_forward:", says: "was skipped: a newer pipeline came first" },
} as const;

export type Event = keyof typeof events;

export type Block = Readonly<Record<string, unknown>>;

export interface Message {
  readonly blocks: readonly Block[];
  /** The text for notifications and screen readers. */
  readonly text: string;
}

/** Longest text of a field, in characters. Slack's limit is 2,000. */
const fieldLimit = 300;
/** Longest text of the cause, in characters. Slack's limit is 3,000. */
const causeLimit = 2_500;

/**
 * Escapes untrusted text, so that Slack shows the text literally: without links, mentions or
 * markup. Slack's markup (mrkdwn) gives `*`, `_`, `~` and the backtick a special meaning. A
 * zero-width space after one of these characters makes Slack show the character literally.
 */
export function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/[*_~`]/g, "$&\u200b");
}

/**
 * Returns a link in Slack's markup. If the address is not a valid http or https URL, returns the
 * address as plain text.
 */
function link(address: string, text: string): string {
  const good = /^https?:\/\/[^\s<>|]+$/.test(address);
  return good ? `<${address.replaceAll("&", "&amp;")}|${escaped(text)}>` : escaped(address);
}

/** A code block. The text inside cannot end the block early. */
export function quoted(text: string): string {
  const inside = escaped(text.replaceAll("```", "'''")).replaceAll("\u200b", "");
  return `\`\`\`${inside}\`\`\``;
}

/** Returns a field of the message. Empty if the field has no text. */
function field(name: string, text: string | undefined): readonly Block[] {
  if (text === undefined || text === "") return [];
  return [{ text: `*${name}*\n${escaped(cut(text, fieldLimit))}`, type: "mrkdwn" }];
}

/** Returns a section of a message. The text of the section is in Slack's markup. */
export const section = (text: string): Block => ({
  text: { text, type: "mrkdwn" },
  type: "section",
});

/** Returns the last line of a message: the links. Empty if all addresses are undefined. */
export function linksTo(
  addresses: readonly (readonly [address: string | undefined, text: string])[],
): readonly Block[] {
  const links = addresses.flatMap(([address, text]) =>
    address === undefined ? [] : [link(address, text)],
  );
  if (links.length === 0) return [];
  return [{ elements: [{ text: links.join("  ·  "), type: "mrkdwn" }], type: "context" }];
}

/**
 * Creates the message for a notice, in Slack's Block Kit. This function is pure. The caller must
 * mask secrets before the call.
 */
export function messageOf(notice: Notice): Message {
  const { action, branch, cause = "", changed, commit, event, job } = notice;
  const { percent, preview, seconds, stack, url, who, workflow } = notice;
  const { icon, says } = events[event];
  const title = `${action === undefined ? stack : `${action} of ${stack}`} ${says}`;
  const fields = [
    ...field("Who", who),
    ...field("Branch", branch),
    ...field("Commit", commit?.slice(0, 7)),
    ...field("Back to", notice.backTo),
    ...field("Reason", notice.reason),
    ...field("Requested share", percent === undefined ? undefined : `${percent} %`),
    ...field("Runs for", notice.duration),
    ...field("Took", seconds === undefined ? undefined : duration(seconds * 1000)),
    ...field("What changed", changed),
  ];
  return {
    blocks: [
      section(`${icon} *${escaped(title)}*`),
      ...(fields.length === 0 ? [] : [{ fields, type: "section" }]),
      ...(cause.trim() === "" ? [] : [section(quoted(start(cause.trim())))]),
      ...linksTo([
        [url, "Open the service"],
        [preview, "Preview"],
        [workflow, event === "approval" ? "Review and approve" : "Workflow"],
        [job, "Job"],
      ]),
    ],
    text: escaped(changed === undefined ? title : `${title}: ${cut(changed, fieldLimit)}`),
  };
}

/**
 * Returns the whole text, or the start of the text if the text is too long. The start contains the
 * cause of a failure, and the lines of logs come after the cause. The limit applies to the escaped
 * text. One character of the text can become five characters in the escaped text.
 */
function start(text: string): string {
  let limit = causeLimit;
  let shown = text.slice(0, limit);
  while (escaped(shown).length > causeLimit && limit > 1) {
    limit = Math.floor(limit * 0.8);
    shown = text.slice(0, limit);
  }
  return shown.length === text.length ? shown : `${shown}…`;
}
