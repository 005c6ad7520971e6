import { duration } from "../../lib/time";
import { cut } from "../preview/changes/values";

/** What a message says. Only `event` and `stack` are required. */
export interface Notice {
  /** What a person or a schedule does with the stack, if that is not a deploy: `rollback`. */
  readonly action?: string;
  /** The release that a rollback must go to. Absent: the one before. */
  readonly backTo?: string;
  readonly branch?: string;
  /** Why it failed: the last lines of the command's output are enough. */
  readonly cause?: string;
  /** What changed, in one line: a preview's headline. */
  readonly changed?: string;
  readonly commit?: string;
  /** How long the canary runs, such as `2h`. */
  readonly duration?: string;
  readonly event: Event;
  /** Address of the CI job. */
  readonly job?: string;
  /** Share of production's requests that the canary must receive, in percent. */
  readonly percent?: string;
  /** Address of the preview: the pull request's comment, or the job. */
  readonly preview?: string;
  /** Why a person does it. */
  readonly reason?: string;
  readonly seconds?: number;
  readonly stack: string;
  /** Public URL of what runs. */
  readonly url?: string;
  readonly who?: string;
  /** Address of the CI workflow. It shows what would change, and has the button to approve. */
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
  /** What notifications and screen readers say. */
  readonly text: string;
}

/** Longest text of a field and of the cause. Slack's own limits are 2,000 and 3,000 characters. */
const fieldLimit = 300;
const causeLimit = 2_500;

/**
 * Text from outside, shown literally: without links, mentions or markup.
 * A zero-width space after each mrkdwn character removes the meaning of that character.
 */
export function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/[*_~`]/g, "$&\u200b");
}

/** A link. If Slack should not open the address: the address as text. */
function link(address: string, text: string): string {
  const good = /^https?:\/\/[^\s<>|]+$/.test(address);
  return good ? `<${address.replaceAll("&", "&amp;")}|${escaped(text)}>` : escaped(address);
}

/** A code block. The text inside cannot end the block early. */
export function quoted(text: string): string {
  const inside = escaped(text.replaceAll("```", "'''")).replaceAll("\u200b", "");
  return `\`\`\`${inside}\`\`\``;
}

/** A field of the message. There is no field without a text. */
function field(name: string, text: string | undefined): readonly Block[] {
  if (text === undefined || text === "") return [];
  return [{ text: `*${name}*\n${escaped(cut(text, fieldLimit))}`, type: "mrkdwn" }];
}

/** A part of a message, in Slack's markup. */
export const section = (text: string): Block => ({
  text: { text, type: "mrkdwn" },
  type: "section",
});

/** The last line of a message: what there is to see. Empty without an address. */
export function linksTo(
  addresses: readonly (readonly [address: string | undefined, text: string])[],
): readonly Block[] {
  const links = addresses.flatMap(([address, text]) =>
    address === undefined ? [] : [link(address, text)],
  );
  if (links.length === 0) return [];
  return [{ elements: [{ text: links.join("  ·  "), type: "mrkdwn" }], type: "context" }];
}

/** The message in Slack's Block Kit. Pure. The caller masks secrets first. */
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
    ...field("For", notice.duration),
    ...field("Took", seconds === undefined ? undefined : duration(seconds * 1000)),
    ...field("What changed", changed),
  ];
  return {
    blocks: [
      section(`${icon} *${escaped(title)}*`),
      ...(fields.length === 0 ? [] : [{ fields, type: "section" }]),
      ...(cause.trim() === "" ? [] : [section(quoted(tail(cause.trim())))]),
      ...linksTo([
        [url, "Open it"],
        [preview, "Preview"],
        [workflow, event === "approval" ? "Review and approve" : "Workflow"],
        [job, "Job"],
      ]),
    ],
    text: escaped(changed === undefined ? title : `${title}: ${cut(changed, fieldLimit)}`),
  };
}

/** The end of a text, where the cause is. Escaping can turn one character into five. */
function tail(text: string): string {
  let limit = causeLimit;
  let end = text.slice(-limit);
  while (escaped(end).length > causeLimit && limit > 1) {
    limit = Math.floor(limit * 0.8);
    end = text.slice(-limit);
  }
  return end.length === text.length ? end : `…${end}`;
}
