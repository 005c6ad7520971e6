import assert from "node:assert/strict";
import { repositoryOf } from "../../../operations/clients/git";

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
