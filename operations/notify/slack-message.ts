/** What a message tells; everything but `event` and `stack` may be missing. */
export interface Notice {
  readonly branch?: string;
  /** Why it failed; the last lines of what the command said are enough. */
  readonly cause?: string;
  /** What changed, in one line: a preview's headline. */
  readonly changed?: string;
  readonly commit?: string;
  /** How long a canary will live, such as `2h`. */
  readonly duration?: string;
  readonly event: Event;
  /** Address of the CI job. */
  readonly job?: string;
  /** Share of production's requests that a canary is to get. */
  readonly percent?: string;
  /** Address of the preview: the pull request's comment, or the job. */
  readonly preview?: string;
  readonly seconds?: number;
  readonly stack: string;
  /** Public URL of what runs. */
  readonly url?: string;
  readonly who?: string;
  /** Address of the CI workflow: where an approval is given, and what it would change is shown. */
  readonly workflow?: string;
}

export const events = {
  approval: { icon: ":raised_hand:", says: "waits for an approval" },
  canceled: { icon: ":no_entry_sign:", says: "was canceled" },
  deployed: { icon: ":white_check_mark:", says: "is deployed" },
  failed: { icon: ":x:", says: "failed" },
  removed: { icon: ":wastebasket:", says: "is removed" },
  skipped: { icon: ":fast_forward:", says: "was left alone: a newer pipeline came first" },
} as const;

export type Event = keyof typeof events;

type Block = Readonly<Record<string, unknown>>;

export interface Message {
  readonly blocks: readonly Block[];
  /** What notifications and screen readers say. */
  readonly text: string;
}

/** Longest text of one field, and of the cause; Slack takes 2,000 and 3,000 characters. */
const fieldLimit = 300;
const causeLimit = 2_500;

function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}

/**
 * Text from outside, as it is: no link, no mention, no markup. A zero-width space after each of
 * mrkdwn's marks removes its meaning.
 */
export function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/[*_~`]/g, "$&\u200b");
}

/** A link, or only the text if Slack should not open the address. */
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

/** A block of text as it is; it cannot end before it does. */
function quoted(text: string): string {
  const inside = escaped(text.replaceAll("```", "'''")).replaceAll("\u200b", "");
  return `\`\`\`${inside}\`\`\``;
}

/** The message as Slack's Block Kit. Pure; secrets must be masked before. */
export function messageOf(notice: Notice): Message {
  const { branch, cause, changed, commit, duration, event, job } = notice;
  const { percent, preview, seconds, stack, url, who, workflow } = notice;
  const { icon, says } = events[event];
  const title = `${stack} ${says}`;
  const fields: readonly (readonly [string, string | undefined])[] = [
    ["Who", who === undefined ? undefined : escaped(cut(who, fieldLimit))],
    ["Branch", branch === undefined ? undefined : escaped(cut(branch, fieldLimit))],
    ["Commit", commit === undefined ? undefined : escaped(commit.slice(0, 7))],
    ["Share asked for", percent === undefined ? undefined : `${escaped(percent)} %`],
    ["For", duration === undefined ? undefined : escaped(duration)],
    ["Took", seconds === undefined ? undefined : lasting(seconds)],
    ["What changed", changed === undefined ? undefined : escaped(cut(changed, fieldLimit))],
  ];
  const links = [
    ...(url === undefined ? [] : [link(url, "Open it")]),
    ...(preview === undefined ? [] : [link(preview, "Preview")]),
    ...(workflow === undefined
      ? []
      : [link(workflow, event === "approval" ? "Look and approve" : "Workflow")]),
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

/** The end of a text, because the cause is there; escaping may make each character five. */
function tail(text: string): string {
  let limit = causeLimit;
  let end = text.slice(-limit);
  while (escaped(end).length > causeLimit && limit > 1) {
    limit = Math.floor(limit * 0.8);
    end = text.slice(-limit);
  }
  return end.length === text.length ? end : `…${end}`;
}
