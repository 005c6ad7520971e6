import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { summaryOf } from "../../../operations/preview/impact/summary";
import { textOf } from "../../../operations/preview/render/text";
import { unreleased } from "../../../operations/preview/unreleased";
import { command } from "../../../lib/command";
import { events, object } from "../support/steps";

describe("code that is not released", () => {
  let directory: string;
  let running: string;
  const workspace = (env: Readonly<Record<string, string>> = {}) => ({
    cwd: directory,
    env: { RELEASE_IMAGE_REF: "", ...env },
  });
  const git = async (...args: string[]): Promise<string> =>
    (await command("git", args, { cwd: directory, timeout: 30_000 })).trim();
  const commit = async (file: string, text: string): Promise<string> => {
    writeFileSync(join(directory, file), text);
    await git("add", file);
    await git("commit", "--quiet", "--message", text);
    return git("rev-parse", "--short=7", "HEAD");
  };
  const seen = (commitId: string) => {
    const state = { metadata: { labels: { commit_id: commitId }, name: "services-orders" } };
    const made = { after: state, before: state, in: ["WebService", "services-orders"] } as const;
    return events([object("same", "apps/v1:Deployment", made)]);
  };
  const text = async (stack: string, commitId = running, env = {}): Promise<string> => {
    const notes = await unreleased(stack, workspace(env), seen(commitId));
    return textOf(summaryOf(stack, seen(commitId), 0, notes));
  };

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-unreleased-"));
    await git("init", "--quiet", "--initial-branch=main");
    await git("config", "user.name", "Ada");
    await git("config", "user.email", "ada@example.com");
    mkdirSync(join(directory, "service", "src", "main"), { recursive: true });
    running = await commit("service/src/main/Orders.java", "1");
    await commit("README.md", "more");
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });

  it("is not mentioned when only other files changed: the preview is its one line", async () => {
    assert.equal(await text("prod"), "Preview of prod: nothing changes\n");
  });

  it("stays out of production until it is promoted, and the preview says so", async () => {
    await commit("service/src/main/Orders.java", "2");
    assert.equal(
      await text("prod"),
      "Preview of prod: nothing changes\n" +
        `note: the service's code differs from production's release (${running}): ` +
        "production keeps its image until someone promotes a release\n",
    );
  });

  it("is not mentioned when a release was chosen, in another stack, or of a commit that git does not know", async () => {
    for (const one of [
      text("prod", running, { RELEASE_IMAGE_REF: "image" }),
      text("staging"),
      text("prod", "0000000"),
      text("prod", `${running}-dirty.abcdef0`),
    ]) {
      assert.match(await one, /: nothing changes\n$/);
    }
  });
});
