import { type Answers, type Asked, StandIn } from "./http-stand-in";

interface Text {
  readonly text: string;
  readonly type: string;
}
interface Message {
  readonly blocks?: readonly {
    readonly elements?: readonly Text[];
    readonly fields?: readonly Text[];
    readonly text?: Text;
    readonly type: string;
  }[];
  readonly text?: string;
}

/**
 * Stand-in for Slack's incoming webhooks. Like Slack, the stand-in refuses a message that is not
 * JSON, that has no text, that has more than 50 blocks, or that has a block that is empty or too
 * long.
 *
 * @see https://docs.slack.dev/reference/block-kit/blocks/section-block
 */
export class Slack extends StandIn {
  /**
   * @param fails function that chooses the response to a message: a response such as an error,
   *   undefined to send no response, or "none" for the response that Slack would give
   */
  constructor(fails: (asked: Asked, count: number) => ReturnType<Answers> | "none" = () => "none") {
    super((asked) => {
      const failure = fails(asked, this.asked.length);
      if (failure !== "none") return failure;
      const wrong = wrongIn(asked);
      return wrong === undefined ? { body: "ok", status: 200 } : { body: wrong, status: 400 };
    });
  }

  /**
   * The path and the whole text of each message, including messages that the stand-in has refused.
   */
  get messages(): readonly string[] {
    return this.asked.map(({ body, path }) => {
      const { blocks = [] } = JSON.parse(body) as Message;
      const texts = blocks.flatMap(({ elements = [], fields = [], text }) => [
        ...(text === undefined ? [] : [text]),
        ...elements,
        ...fields,
      ]);
      return [path, ...texts.map(({ text }) => text)].join("\n").replaceAll("\u200b", "");
    });
  }
}

function wrongIn({ body, headers, method }: Asked): string | undefined {
  if (method !== "POST" || headers["content-type"] !== "application/json") return "invalid_payload";
  let message: Message;
  try {
    message = JSON.parse(body) as Message;
  } catch {
    return "invalid_payload";
  }
  const { blocks = [], text = "" } = message;
  if (text === "") return "no_text";
  const good = blocks.every(({ elements = [], fields = [], text: own, type }) => {
    const isRight = (one: Text, most: number): boolean =>
      ["mrkdwn", "plain_text"].includes(one.type) && one.text !== "" && one.text.length <= most;
    if (type === "context") {
      return (
        elements.length > 0 && elements.length <= 10 && elements.every((e) => isRight(e, 3000))
      );
    }
    if (type !== "section" || (own === undefined && fields.length === 0)) return false;
    return (own === undefined || isRight(own, 3000)) && fields.every((one) => isRight(one, 2000));
  });
  return blocks.length <= 50 && good ? undefined : "invalid_blocks";
}
