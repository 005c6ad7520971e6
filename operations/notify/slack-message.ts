/** What a message says. Only `event` and `stack` are required. */
export interface Notice {
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
  failed: { icon: ":x:", says: "failed" },
  removed: { icon: ":wastebasket:", says: "is removed" },
  skipped: { icon: ":fast_forward:", says: "was skipped: a newer pipeline came first" },
} as const;

export type Event = keyof typeof events;

type Block = Readonly<Record<string, unknown>>;

export interface Message {
  readonly blocks: readonly Block[];
  /** What notifications and screen readers say. */
  readonly text: string;
}

/** Longest text of a field and of the cause. Slack's own limits are 2,000 and 3,000 characters. */
const fieldLimit = 300;
const causeLimit = 2_500;

function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}

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

function lasting(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60
    ? `${String(whole)} s`
    : `${String(Math.floor(whole / 60))} min ${String(whole % 60)} s`;
}

/** A code block. The text inside cannot end the block early. */
function quoted(text: string): string {
  const inside = escaped(text.replaceAll("```", "'''")).replaceAll("\u200b", "");
  return `\`\`\`${inside}\`\`\``;
}

/** The message in Slack's Block Kit. Pure. The caller masks secrets first. */
export function messageOf(notice: Notice): Message {
  const { branch, cause, changed, commit, duration, event, job } = notice;
  const { percent, preview, seconds, stack, url, who, workflow } = notice;
  const { icon, says } = events[event];
  const title = `${stack} ${says}`;
  const fields: readonly (readonly [string, string | undefined])[] = [
    ["Who", who === undefined ? undefined : escaped(cut(who, fieldLimit))],
    ["Branch", branch === undefined ? undefined : escaped(cut(branch, fieldLimit))],
    ["Commit", commit === undefined ? undefined : escaped(commit.slice(0, 7))],
    ["Requested share", percent === undefined ? undefined : `${escaped(percent)} %`],
    ["For", duration === undefined ? undefined : escaped(duration)],
    ["Took", seconds === undefined ? undefined : lasting(seconds)],
    ["What changed", changed === undefined ? undefined : escaped(cut(changed, fieldLimit))],
  ];
  const links = [
    ...(url === undefined ? [] : [link(url, "Open it")]),
    ...(preview === undefined ? [] : [link(preview, "Preview")]),
    ...(workflow === undefined
      ? []
      : [link(workflow, event === "approval" ? "Review and approve" : "Workflow")]),
    ...(job === undefined ? [] : [link(job, "Job")]),
  ];
  const given = fields.flatMap(([name, text]) =>
    text === undefined || text === "" ? [] : [{ text: `*${name}*\n${text}`, type: "mrkdwn" }],
  );
  return {
    blocks: [
      { text: { text: `${icon} *${escaped(title)}*`, type: "mrkdwn" }, type: "section" },
      ...(given.length === 0 ? [] : [{ fields: given, type: "section" }]),
      ...(cause === undefined || cause.trim() === ""
        ? []
        : [
            {
              text: { text: quoted(tail(cause.trim())), type: "mrkdwn" },
              type: "section",
            },
          ]),
      ...(links.length === 0
        ? []
        : [{ elements: [{ text: links.join("  ·  "), type: "mrkdwn" }], type: "context" }]),
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
