import assert from "node:assert/strict";
import {
  comment,
  commentLimit,
  type PullRequest,
  pullRequestFrom,
  sectionLimit,
  withSection,
} from "../../../operations/preview/comment";
import { type Answers, StandIn } from "../stand-in";

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
      pullRequestFrom({ ...env, GITHUB_API_URL: "http://127.0.0.1:1/" }).api,
      "http://127.0.0.1:1",
    );
  });

  it("is asked for by every variable that is missing", () => {
    assert.throws(() => pullRequestFrom({}), /PULL_REQUEST .*GITHUB_REPOSITORY .*GITHUB_TOKEN/);
  });
});

describe("the comment's text", () => {
  it("has one section for each stack, replaced in place", () => {
    const first = withSection("", "prod", "one");
    const second = withSection(first, "staging", "two");
    const third = withSection(second, "prod", "three");
    assert.match(third, /^<!-- services-orders: preview -->\n\n<!-- preview of prod -->\nthree\n/);
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
  const requests = () => github.asked.map(({ method, path }) => `${method} ${path}`);
  const list = "/repos/acme/orders/issues/7/comments?per_page=100&page=";

  it("makes the comment where there is none", async () => {
    await start(({ method }) =>
      method === "GET"
        ? { body: "[]", status: 200 }
        : { body: '{"id":1,"html_url":"http://here"}', status: 201 },
    );
    assert.equal(await comment(pull, "prod", "text"), "http://here");
    assert.deepEqual(requests(), [`GET ${list}1`, "POST /repos/acme/orders/issues/7/comments"]);
    assert.match(github.asked[1]?.body ?? "", /preview of prod -->\\ntext/);
    assert.equal(github.asked[0]?.headers.authorization, "Bearer hush");
  });

  it("changes the comment that is there, also on a later page, and keeps the other stacks", async () => {
    const others = Array.from({ length: 100 }, (_, id) => ({ body: "talk", id }));
    const ours = { body: withSection("", "staging", "kept"), id: 200 };
    await start(({ method, path }) =>
      method === "GET"
        ? { body: JSON.stringify(path.endsWith("=1") ? others : [ours]), status: 200 }
        : { body: '{"id":200}', status: 200 },
    );
    await comment(pull, "prod", "text");
    assert.deepEqual(requests(), [
      `GET ${list}1`,
      `GET ${list}2`,
      "PATCH /repos/acme/orders/issues/comments/200",
    ]);
    assert.match(github.asked[2]?.body ?? "", /kept/);
  });

  it("does not try again what GitHub refuses", async () => {
    await start(() => ({ body: "Bad credentials", status: 401 }));
    await assert.rejects(comment(pull, "prod", "text"), /401: Bad credentials/);
    assert.equal(github.asked.length, 1);
  });

  it("tries again where GitHub is broken for a moment", async () => {
    let broken = true;
    await start(({ method }) => {
      if (broken) {
        broken = false;
        return { body: "", status: 502 };
      }
      return method === "GET" ? { body: "[]", status: 200 } : { body: '{"id":1}', status: 201 };
    });
    await comment(pull, "prod", "text");
    assert.equal(github.asked.length, 3);
  });
});
