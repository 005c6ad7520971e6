import assert from "node:assert/strict";
import { join } from "node:path";
import { recordDeploy, assertDeployable, unchangedSince } from "../../../operations/deploy/deploy";
import { type Release, promotedTag, releaseEnv } from "../../../operations/stacks/release";
import { stackOf } from "../../../operations/stacks/review-stack";
import { reviewUp } from "../../../operations/review/up";
import type { Settings } from "../../../settings";
import { command } from "../../../lib/command";
import { Programs, kubeSystem, reviewTarget } from "../support/programs";

const branch = "feature/a";

describe("a deploy of a review stack", () => {
  let programs: Programs;
  /**
   * Commits of the branch: `first` is the parent of `second` and of `rebased`, which replaces
   * `second` after a rebase.
   */
  let first: string;
  let second: string;
  let rebased: string;

  async function git(...args: readonly string[]): Promise<string> {
    return (await command("git", ["-C", programs.directory, ...args])).trim();
  }

  async function commit(message: string): Promise<string> {
    const author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    await git(...author, "commit", "--quiet", "--allow-empty", "--message", message);
    return git("rev-parse", "HEAD");
  }

  /** Sets the remote branch to the commit `remote`, and the local branch to the commit `here`. */
  async function at(here: string, remote: string): Promise<void> {
    await git("push", "--quiet", "--force", "origin", `${remote}:refs/heads/${branch}`);
    await git("checkout", "--quiet", "-B", branch, here);
  }

  /**
   * Throws an error if the code refuses to deploy `commit` while the stack runs the commit
   * `running`.
   */
  async function refused(commit: string, running: string, deployed = running): Promise<void> {
    const last = { outputs: { commit: running }, tags: { deployed } };
    const target = reviewTarget(programs.workspace(), { last });
    const settings = { ...target.settings, release: { branch, commit } } as Settings;
    await assertDeployable({ ...target, settings }, false);
  }

  before(async () => {
    programs = new Programs();
    await git("init", "--quiet");
    const remote = join(programs.directory, "remote");
    await git("init", "--quiet", "--bare", remote);
    await git("remote", "add", "origin", remote);
    first = await commit("first");
    second = await commit("second");
    await git("checkout", "--quiet", first);
    rebased = await commit("rebased");
  });
  after(() => {
    programs.remove();
  });

  it("is refused when it comes late, with an older image or an older program", async () => {
    await at(first, second);
    const message = new RegExp(`newer than ${first.slice(0, 7)}.*--allow-older`);
    await assert.rejects(refused(first, second), message);
    await assert.rejects(refused(first, first, second), message);
  });

  it("continues with what runs already", async () => {
    await at(second, second);
    await refused(second, second);
  });

  it("continues after a rebase, and after a force push that took the branch back", async () => {
    await at(rebased, rebased);
    await refused(rebased, second);
    await at(first, first);
    await refused(first, second);
  });

  it("is refused in another cluster also when no update has succeeded", async () => {
    await at(second, second);
    const last = { outputs: {}, tags: { clusterUid: "there" } };
    const target = reviewTarget(programs.workspace(), { last });
    await assert.rejects(assertDeployable(target, false), /is in the cluster there.* to here/);
  });

  it("stops when another update that it waited for has changed the stack, and otherwise continues", async () => {
    const last = { outputs: { commit: first }, tags: {} };
    for (const [commit, fate] of [
      [first, "continues"],
      [second, "stops"],
    ] as const) {
      programs.add("pulumi", { "*stack output*": `echo '{"commit":"${commit}"}'` });
      const before = unchangedSince(reviewTarget(programs.workspace(), { last }));
      await before();
      const again = before();
      if (fate === "continues") await again;
      else await assert.rejects(again, /Another update has changed stack .* while this update/);
    }
  });

  describe("by review up", () => {
    const pulumi = (tags: Readonly<Record<string, string>>): void => {
      const stack = stackOf(branch);
      programs.add("pulumi", {
        "*stack ls*": `echo '[{"name":"${stack}"}]'`,
        "*stack output*": `echo '{"commit":"${second}"}'`,
        "*stack tag ls*": `echo '${JSON.stringify(tags)}'`,
      });
      programs.add("kubectl", { "*": `echo '${kubeSystem}'` });
    };
    const env = (): Readonly<Record<string, string>> => ({
      ...{ RELEASE_COMMIT: first, SANDBOX_EKS_CLUSTER: "none" },
    });

    it("is refused too, unless older code is what is wanted", async () => {
      await at(first, second);
      pulumi({ branch: "another" });
      const workspace = programs.workspace(env());
      await assert.rejects(reviewUp(branch, {}, workspace), /newer than .*--allow-older/);
      await assert.rejects(
        reviewUp(branch, { allowOlder: true }, workspace),
        /belongs to branch "another"/,
        "the next thing that is asked",
      );
    });

    it("is held to the approved plan before anything is changed", async () => {
      await at(second, second);
      pulumi({});
      const approved = join(programs.directory, "none.json");
      const up = reviewUp(branch, { approved }, programs.workspace(env()));
      await assert.rejects(up, /none\.json is not a plan of an approved preview/);
      assert.ok(!programs.calls.some((call) => /\b(?:up|preview)\b/.test(call)));
    });
  });
});

describe("what was promoted", () => {
  const release: Release = {
    branch: "main",
    commit: "a".repeat(40),
    imageRef: `registry/services-orders@sha256:${"a".repeat(64)}`,
  };
  let programs: Programs;
  beforeEach(() => {
    programs = new Programs();
  });
  afterEach(() => {
    programs.remove();
  });

  /** Whether a deploy of `release` removes the stack tag for the promoted release `found`. */
  async function removes(found: Release): Promise<boolean> {
    const tags = JSON.stringify({ [promotedTag]: JSON.stringify(found) });
    programs.add("pulumi", { "*stack tag ls*": `echo '${tags}'` });
    const target = reviewTarget(programs.workspace(releaseEnv(release)));
    await recordDeploy({ ...target, settings: { ...target.settings, stack: "prod" } });
    return programs.calls.some((call) => call.includes(`stack tag rm --stack prod ${promotedTag}`));
  }

  it("is forgotten once it is deployed", async () => {
    assert.ok(await removes(release));
  });

  it("is kept when someone promoted it while another release was deployed", async () => {
    const imageRef = `registry/services-orders@sha256:${"b".repeat(64)}`;
    assert.ok(!(await removes({ ...release, imageRef, reason: "a revert" })));
  });
});
