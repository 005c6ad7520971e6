import assert from "node:assert/strict";
import { send } from "../../../operations/notify/slack-webhook";
import { type Answers, StandIn } from "../support/http-stand-in";

const message = { blocks: [], text: "prod is deployed" };
/** Pause between two attempts, in milliseconds. */
const atOnce = 0;

describe("sending to Slack", () => {
  let slack: StandIn;
  const start = async (answers: Answers) => {
    slack = new StandIn(answers);
    return slack.start();
  };
  afterEach(async () => {
    await slack.stop();
  });

  it("gives the message to the webhook once", async () => {
    const url = await start(() => ({ body: "ok", status: 200 }));
    assert.equal(await send(`${url}/hook`, message, atOnce), undefined);
    assert.deepEqual(
      slack.asked.map(({ body, method, path }) => [method, path, JSON.parse(body)]),
      [["POST", "/hook", message]],
    );
  });

  it("is tried three times while Slack is broken, and is a warning then", async () => {
    const url = await start(() => ({ body: "sorry", status: 503 }));
    assert.match((await send(url, message, atOnce)) ?? "", /Slack answered 503: sorry/);
    assert.equal(slack.asked.length, 3);
  });

  it("is not tried again when Slack refuses it", async () => {
    const url = await start(() => ({ body: "invalid_blocks", status: 400 }));
    assert.match((await send(url, message, atOnce)) ?? "", /invalid_blocks/);
    assert.equal(slack.asked.length, 1);
  });

  it("to a webhook that does not answer is a warning without the webhook, which is a password", async () => {
    const url = await start(() => ({ status: 200 }));
    await slack.stop();
    slack = new StandIn(() => ({ status: 200 }));
    await slack.start();
    const warning = (await send(`${url}/T0/hush`, message, atOnce)) ?? "";
    assert.match(warning, /cannot be reached/);
    assert.doesNotMatch(warning, /hush/);
  });

  it("without a webhook says which variable is missing", async () => {
    await start(() => ({ status: 200 }));
    assert.match((await send(undefined, message, atOnce)) ?? "", /SLACK_WEBHOOK_URL/);
  });
});
