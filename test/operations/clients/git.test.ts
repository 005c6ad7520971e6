import assert from "node:assert/strict";
import { person, repositoryOf } from "../../../operations/clients/git";
import { defaultWorkspace } from "../../../operations/pulumi/run-pulumi";

describe("the person", () => {
  const variables = process.env;
  afterEach(() => {
    process.env = variables;
  });
  const named = async (CIRCLE_USERNAME: string, CIRCLE_BUILD_NUM: string): Promise<string> => {
    process.env = { ...variables, CIRCLE_BUILD_NUM, CIRCLE_USERNAME };
    const env = {
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "user.email",
      GIT_CONFIG_VALUE_0: "a@b",
    };
    Object.assign(process.env, env);
    return person(defaultWorkspace);
  };

  it("is the one that started the pipeline, in CI", async () => {
    assert.equal(await named("ada", "12"), "ada");
  });

  it("is the job whose page has the person, if CircleCI has no name", async () => {
    assert.equal(await named("", "12"), "CircleCI job 12");
  });

  it("is the one that git knows, on a laptop", async () => {
    assert.equal(await named("", ""), "a@b");
  });
});

describe("a remote's repository", () => {
  const urls = [
    "git@github.com:acme/orders.git",
    "github.com:acme/orders",
    "ssh://git@github.com/acme/orders.git",
    "ssh://git@GitHub.com:22/acme/orders",
    "https://github.com/acme/orders.git/",
    "https://ada:token@github.com/acme/orders",
    "git://github.com/acme/orders.git",
  ];
  for (const url of urls) {
    it(`is the same by ${url}, without who asks`, () => {
      assert.equal(repositoryOf(url, "/project"), "github.com/acme/orders");
    });
  }

  it("is another one with another owner, host or port", () => {
    const others = [
      "git@github.com:ada/orders.git",
      "https://git.example/acme/orders",
      "https://github.com:8443/acme/orders",
    ].map((url) => repositoryOf(url, "/project"));
    assert.deepEqual(others, [
      "github.com/ada/orders",
      "git.example/acme/orders",
      "github.com:8443/acme/orders",
    ]);
  });

  it("is a directory by its path", () => {
    const paths = ["/srv/orders.git", "file:///srv/orders.git", "../srv/orders"];
    for (const path of paths) assert.equal(repositoryOf(path, "/project"), "/srv/orders", path);
  });
});
