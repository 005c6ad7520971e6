import assert from "node:assert/strict";
import { mock } from "node:test";
import { tellPullRequest } from "../../../operations/review/tell";
import { reports } from "../../../lib/reports";
import { withSection } from "../../../operations/preview/render/comment";
import { commentLimit, sectionLimit } from "../../../operations/preview/render/limits";
import { issue, StandIn } from "../support/http-stand-in";

const stack = "review-a";
const previews = ["prod", "staging", stack].reduce(
  (text, one) => withSection(text, one, "x".repeat(sectionLimit)),
  "",
);

describe("the result of npm run review -- up, on the pull request", () => {
  let github: StandIn;
  let env: Readonly<Record<string, string>>;
  let comments: Map<number, string>;
  beforeEach(async () => {
    const made = issue([previews]);
    comments = made.comments;
    github = new StandIn(made.answers);
    env = {
      CIRCLE_SHA1: "0123456789",
      GITHUB_API_URL: await github.start(),
      GITHUB_REPOSITORY: "acme/orders",
      GITHUB_TOKEN: "hush",
      PULL_REQUEST: "7",
    };
  });
  afterEach(async () => {
    mock.restoreAll();
    await github.stop();
  });
  const tell = async (
    url?: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<string> => {
    await tellPullRequest(stack, url, { cwd: "", env: { ...env, ...more } });
    return [...comments.values()].join("\n");
  };
  const fails = (failure: string): void => {
    mock.getter(reports, "failure", () => failure);
  };

  it("is why it failed, next to the three previews", async () => {
    fails("Pod web-1: no\n\nLast lines of web-1:\n  ``` <!-- \n");
    const text = await tell();
    assert.match(
      text,
      /### :x: Deploy of `review-a` at `0123456` failed\n\n````text\nPod web-1: no/,
    );
    assert.equal(text.match(/x{21000}/g)?.length, 3);
  });

  it("fits into the comment, no matter how long the failure is", async () => {
    fails("line\n".repeat(10_000));
    const text = await tell();
    assert.ok(text.length <= commentLimit);
    assert.match(text, /line\n```\n<!-- end of review-a\/deploy -->$/);
  });

  it("is the address after the next deploy", async () => {
    fails("no");
    await tell();
    const text = await tell("https://review-a.example.com/");
    assert.match(
      text,
      /### Deploy of `review-a` at `0123456`\n\nhttps:\/\/review-a\.example\.com\//,
    );
    assert.doesNotMatch(text, /failed/);
  });

  it("is written nowhere without a token or a pull request, and a broken GitHub does not matter", async () => {
    const warned = mock.method(console, "error", () => undefined);
    await tell("https://a/", { GITHUB_TOKEN: "" });
    await tell("https://a/", { PULL_REQUEST: "0" });
    assert.equal(github.asked.length, 0);
    await tell("https://a/", { GITHUB_REPOSITORY: "wrong" });
    assert.match(String(warned.mock.calls[0]?.arguments[0]), /GITHUB_REPOSITORY/);
  });
});
