import assert from "node:assert/strict";
import { type PullRequest, pullRequestFrom } from "../../../../operations/clients/github";
import { comment, withSection } from "../../../../operations/preview/render/comment";
import { commentLimit, sectionLimit } from "../../../../operations/preview/render/limits";
import { type Answers, issue, StandIn } from "../../support/http-stand-in";

describe("the pull request to comment on", () => {
  it("is found in CircleCI's variables, at GitHub unless another address is given", () => {
    const env = {
      CIRCLE_PROJECT_REPONAME: "services-orders",
      CIRCLE_PROJECT_USERNAME: "acme",
      CIRCLE_PULL_REQUEST: "https://github.com/acme/services-orders/pull/7",
      GITHUB_TOKEN: "hush",
    };
    const pull = {
      api: "https://api.github.com",
      number: 7,
      repository: "acme/services-orders",
      token: "hush",
    };
    assert.deepEqual(pullRequestFrom(env), pull);
    assert.equal(
      pullRequestFrom({ ...env, GITHUB_API_URL: "http://127.0.0.1:1/" })?.api,
      "http://127.0.0.1:1",
    );
  });

  it("is asked for by every variable that is missing", () => {
    assert.throws(
      () => pullRequestFrom({ PULL_REQUEST: "x" }),
      /PULL_REQUEST .*GITHUB_REPOSITORY .*GITHUB_TOKEN/,
    );
  });

  it("is undefined when the branch does not have one yet", () => {
    assert.equal(pullRequestFrom({ GITHUB_TOKEN: "hush" }), undefined);
  });
});

describe("the comment's text", () => {
  it("has one section for each stack, replaced in place", () => {
    const first = withSection("", "prod", "one");
    const second = withSection(first, "staging", "two");
    const third = withSection(second, "prod", "three");
    assert.match(
      third,
      /^<!-- services-orders: preview -->\n\n_The code of this branch wrote .*_\n\n<!-- preview of prod -->\nthree\n/,
    );
    assert.match(third, /<!-- preview of staging -->\ntwo\n/);
    assert.doesNotMatch(third, /one/);
  });

  it("fits three stacks of the greatest length into GitHub's limit", () => {
    const section = "x".repeat(sectionLimit);
    const body = ["prod", "staging", `review-${"s".repeat(30)}`].reduce(
      (text, stack) => withSection(text, stack, section),
      "",
    );
    assert.ok(body.length <= commentLimit);
    assert.equal(body.match(/x{21000}/g)?.length, 3);
  });
});

describe("commenting on a pull request", () => {
  let github: StandIn;
  let pull: PullRequest;
  const start = async (answers: Answers) => {
    github = new StandIn(answers);
    pull = { api: await github.start(), number: 7, repository: "acme/orders", token: "hush" };
  };
  afterEach(async () => {
    await github.stop();
  });
  const written = () =>
    github.asked
      .filter(({ method }) => method !== "GET")
      .map(({ method, path }) => `${method} ${path}`);

  it("makes the comment when there is none", async () => {
    const { answers, comments } = issue(["talk"]);
    await start(answers);
    assert.equal(await comment(pull, "prod", "text"), "http://here/2");
    assert.deepEqual(written(), ["POST /repos/acme/orders/issues/7/comments"]);
    assert.equal(comments.get(2), withSection("", "prod", "text"));
    assert.equal(github.asked[0]?.headers.authorization, "Bearer hush");
  });

  it("changes the comment that is there, also on a later page, and keeps the other stacks", async () => {
    const talk = Array.from({ length: 100 }, () => "talk");
    const { answers, comments } = issue([...talk, withSection("", "staging", "kept")]);
    await start(answers);
    await comment(pull, "prod", "text");
    assert.deepEqual(written(), ["PATCH /repos/acme/orders/issues/comments/101"]);
    assert.match(comments.get(101) ?? "", /staging -->\nkept[\s\S]*prod -->\ntext/);
  });

  it("leaves one comment with all of them when previews of several stacks comment at the same time", async () => {
    const { answers, comments } = issue([]);
    await start(answers);
    const stacks = ["prod", "staging", "review-a"];
    await Promise.all(stacks.map(async (stack) => comment(pull, stack, `of ${stack}`)));
    assert.equal(comments.size, 1);
    const [body = ""] = [...comments.values()];
    for (const stack of stacks) assert.ok(body.includes(`of ${stack}`), stack);
  });

  it("does not try again what GitHub refuses", async () => {
    await start(() => ({ body: "Bad credentials", status: 401 }));
    await assert.rejects(comment(pull, "prod", "text"), /401: Bad credentials/);
    assert.equal(github.asked.length, 1);
  });

  it("tries again when GitHub is broken for a moment", async () => {
    let broken = true;
    const { answers, comments } = issue([]);
    await start((asked) => {
      if (broken) {
        broken = false;
        return { body: "", status: 502 };
      }
      return answers(asked);
    });
    await comment(pull, "prod", "text");
    assert.equal(comments.size, 1);
  });
});
