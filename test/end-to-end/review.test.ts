import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { contentHash } from "../../components/conventions/content-hash";
import { stackOf } from "../../operations/stacks/review-stack";
import { command } from "../../lib/command";
import { options } from "../../sandbox/layout";
import { Clone } from "./support/clone";
import { platformsOf } from "./support/cluster";
import { apply, kubectl, refused, succeeded } from "./support/commands";

const first = "ops-feature/A_b";
/**
 * Environment variable for a build. With this variable, the build creates an image for two
 * platforms.
 */
const platforms = { SANDBOX_PLATFORMS: "linux/amd64, linux/arm64" };
const hostOf = (branch: string): string =>
  `services-orders-${stackOf(branch).slice("review-".length)}.localhost`;
const namespaceOf = (branch: string): string => `services-orders-${stackOf(branch)}`;

/**
 * `npm run test:reviews` sets this variable. With this variable, the tests deploy ten review stacks
 * at the same time, which is the maximum that the company allows. Without this variable, the tests
 * deploy and allow five.
 */
const everything = process.env["REVIEWS"] === "all";

/** Branches with difficult names. One name contains a shell command. */
const branches = [
  first,
  // The slug of the first branch is also a branch name.
  stackOf(first).slice("review-".length),
  "ops-x`$(id)`",
  "ops-1",
  "ops-2",
  ...(everything
    ? ["ops-feature/a-b", `ops-${"long".repeat(49)}`, "ops-ветка/заказы", "ops-3", "ops-4"]
    : []),
];
const count = branches.length;

/**
 * Requests the orders from a branch's host. Returns the version of the service that answers, and
 * the number of orders.
 */
async function answer(branch: string): Promise<{ orders: number; version: string }> {
  const url = `http://127.0.0.1:${String(options().ingressPort)}/orders`;
  const args = ["-sS", "-i", "--max-time", "10", "-H", `Host: ${hostOf(branch)}`, url];
  const [head = "", body = ""] = (await command("curl", args)).split("\r\n\r\n");
  assert.match(head, /^HTTP\/1\.1 200/);
  const { orders = [] } = JSON.parse(body) as { orders?: unknown[] };
  return { orders: orders.length, version: /^Service-Version: (.*)$/im.exec(head)?.[1] ?? "" };
}

async function namespaces(): Promise<readonly string[]> {
  const names = await kubectl(["get", "namespaces", "-o", "name"]);
  return names.split("\n").filter((name) => name.includes("/services-orders-review-ops-"));
}

describe("review stacks", () => {
  let clone: Clone;
  /**
   * Environment variables that name the image of all stacks. A test sets these variables after it
   * has built the image.
   */
  let release: Record<string, string>;

  before(async () => {
    clone = await Clone.make(everything ? {} : { REVIEW_STACKS_MAX: String(count) });
  });
  after(async () => {
    // If all tests have passed, these namespaces do not exist any more.
    const all = branches.map(namespaceOf);
    await kubectl(["delete", "namespace", ...all, "--ignore-not-found", "--timeout=150s"]);
    clone.remove();
  });

  /**
   * Returns the paths of all files that belong to a branch's stack in the Pulumi state: the stack
   * itself, its locks, history and backups.
   */
  const traces = (branch: string): readonly string[] =>
    readdirSync(clone.state, { encoding: "utf8", recursive: true }).filter(
      (file) => file.includes(stackOf(branch)) && /\.\w+$/.test(file),
    );

  it("are refused for a branch that is not at the remote, and nothing is made", async () => {
    await clone.git("checkout", "--quiet", "-b", first);
    refused(await clone.npm(["review", "up"]), /not at the remote: push it first/);
    assert.deepEqual(traces(first), []);
  });

  it("get their image first, for two platforms if asked, without being changed", async () => {
    await clone.push(first);
    const run = succeeded(await clone.npm(["image", "review"], platforms));
    const imageRef = run.output.trim().split("\n").at(-1) ?? "";
    assert.match(imageRef, /services-orders@sha256:[0-9a-f]{64}$/);
    const stack = ["--stack", stackOf(first)];
    assert.deepEqual(JSON.parse(await clone.pulumi(["stack", "output", "--json", ...stack])), {});
    assert.deepEqual(await namespaces(), []);
    assert.deepEqual(await platformsOf(imageRef), ["linux/amd64", "linux/arm64"]);
    const tags = await clone.pulumi(["stack", "tag", "ls", "--json", ...stack]);
    for (const name of ["branch", "clusterUid"]) {
      assert.ok(tags.includes(`"${name}":`), `${name} in ${tags}`);
    }
    const commit = await clone.git("rev-parse", "HEAD");
    release = { RELEASE_COMMIT: commit, RELEASE_IMAGE_REF: imageRef };
  });

  it("get another image for a jar of other code, even with the same size and time", async () => {
    const { directory } = clone;
    const code = join(directory, "service", "src", "main", "resources", "other");
    const jars = join(directory, "service", "target", "image");
    const jarOf = (hash: string): string => join(jars, `services-orders-${hash}.jar`);
    const kept = join(directory, "service", "target", "kept.jar");
    const before = contentHash(directory);
    const bytes = readFileSync(jarOf(before));
    const { atime, mtime } = statSync(jarOf(before));
    renameSync(jarOf(before), kept);
    writeFileSync(code, "");
    const after = contentHash(directory);
    try {
      writeFileSync(jarOf(after), Buffer.concat([bytes.subarray(0, -1), Buffer.from([0])]));
      utimesSync(jarOf(after), atime, mtime);
      const run = succeeded(await clone.npm(["image", "review"], platforms));
      const imageRef = run.output.trim().split("\n").at(-1);
      assert.notEqual(imageRef, release["RELEASE_IMAGE_REF"]);
    } finally {
      rmSync(code);
      rmSync(jarOf(after), { force: true });
      renameSync(kept, jarOf(before));
    }
  });

  it("go from nothing to an answering URL, with orders in them", async () => {
    const run = succeeded(await clone.npm(["review", "up"]));
    const { orders, version } = await answer(first);
    console.log(`      from nothing to its URL in ${run.seconds.toFixed(0)} s (goal: 60)`);
    assert.ok(orders > 0);
    assert.ok(version.startsWith(release["RELEASE_COMMIT"]?.slice(0, 7) ?? "?"), version);
    assert.match(run.output, new RegExp(`http://${hostOf(first)}:\\d+/`));
    assert.match(
      (await clone.npm(["review", "list"])).output,
      /branch ops-feature\/A_b, owner ada@/,
    );
  });

  it("are the same stacks for plain pulumi, from a second clean clone", async () => {
    const second = await clone.second();
    try {
      await command("git", ["checkout", "--quiet", "-b", first], { cwd: second });
      const stack = ["--stack", stackOf(first)];
      await clone.pulumi(["preview", "--expect-no-changes", ...stack], second);
    } finally {
      rmSync(second, { force: true, recursive: true });
    }
  });

  it("are neither updated nor removed in a cluster other than their own", async () => {
    const set = ["stack", "tag", "set", "--stack", stackOf("ops-1"), "clusterUid", "elsewhere"];
    await clone.push("ops-1");
    await clone.pulumi(["stack", "init", stackOf("ops-1"), "--no-select"]);
    await clone.pulumi(set);
    refused(await clone.npm(["review", "up", "ops-1"], release), /is in the cluster elsewhere/);
    refused(await clone.npm(["review", "down", "ops-1"]), /is in the cluster elsewhere/);
    await clone.pulumi(["stack", "rm", "--yes", "--remove-backups", stackOf("ops-1")]);
  });

  it("leave a foreign namespace of their name as it is, up and down", async () => {
    const metadata = { labels: { team: "other" }, name: namespaceOf("ops-1") };
    await apply({ apiVersion: "v1", kind: "Namespace", metadata });
    const now = async (): Promise<string> =>
      kubectl(["get", "namespace", namespaceOf("ops-1"), "-o", "jsonpath={.metadata}"]);
    const was = await now();
    refused(
      await clone.npm(["review", "up", "ops-1"], release),
      /exists and does not belong to this stack.*Nothing was changed/,
    );
    succeeded(await clone.npm(["review", "down", "ops-1"]));
    assert.equal(await now(), was);
    assert.deepEqual(traces("ops-1"), []);
    await kubectl(["delete", "namespace", namespaceOf("ops-1")]);
  });

  it("go when branch, checkout, config and namespace are gone, and a killed update's lock is left", async () => {
    await clone.git("checkout", "--quiet", "main");
    await clone.deleteBranch(first);
    rmSync(join(clone.directory, `Pulumi.${stackOf(first)}.yaml`), { force: true });
    await kubectl(["delete", "namespace", namespaceOf(first)]);
    const locks = join(clone.state, ".pulumi/locks/organization/services-orders", stackOf(first));
    mkdirSync(locks, { recursive: true });
    const dead = { hostname: hostname(), pid: 2 ** 22 + 1, timestamp: new Date(), username: "ada" };
    writeFileSync(join(locks, "dead.json"), JSON.stringify(dead));
    succeeded(await clone.npm(["review", "down", first]));
    assert.deepEqual(traces(first), []);
    assert.ok(!existsSync(join(clone.directory, `Pulumi.${stackOf(first)}.yaml`)));
  });

  it("are not made again by a deploy that comes after their removal", async () => {
    const late = { ...release, RELEASE_BRANCH: first };
    refused(await clone.npm(["deploy", stackOf(first), "--yes"], late), /not at the remote/);
    assert.deepEqual(traces(first), []);
  });

  it("come up together, each answering on its own host", async () => {
    for (const branch of branches) await clone.push(branch);
    const started = Date.now();
    const runs = await Promise.all(
      branches.map(async (branch) => clone.npm(["review", "up", branch], release)),
    );
    runs.forEach(succeeded);
    const answers = await Promise.all(branches.map(answer));
    const each = runs.map(({ seconds }) => seconds.toFixed(0)).join(" ");
    const all = ((Date.now() - started) / 1000).toFixed(0);
    console.log(`      ${String(count)} together: all in ${all} s; each: ${each}`);
    assert.equal(answers.length, count);
    assert.equal((await namespaces()).length, count);
    const list = (await clone.npm(["review", "list"])).output;
    for (const branch of branches) assert.ok(list.includes(`branch ${branch},`), branch);
  });

  it("are no more than are allowed", async () => {
    const more = "ops-one-more";
    const reached = `limit reached \\(${String(count)} of ${String(count)}\\)`;
    await clone.push(more);
    const run = await clone.npm(["review", "up", more], release);
    refused(run, new RegExp(`Review stack ${reached}`));
    const previewed = succeeded(
      await clone.npm(["preview", stackOf(more)], { ...release, RELEASE_BRANCH: more }),
    );
    assert.match(previewed.output, new RegExp(`a deploy will be refused: .* ${reached}`));
  });

  it("are swept when their branch is gone or they have expired, and no others", async () => {
    const [gone, expired] = ["ops-1", "ops-2"];
    await clone.deleteBranch(gone);
    const old = "services-orders/last-update=2020-01-01T00:00:00Z";
    await kubectl(["annotate", "namespace", namespaceOf(expired), "--overwrite", old]);
    const dry = succeeded(await clone.npm(["sweep"]));
    assert.match(dry.output, /goes +stack +review-ops-1: branch "ops-1" is gone/);
    assert.match(dry.output, /goes +stack +review-ops-2: expired/);
    assert.match(dry.output, /Nothing was changed/);
    assert.equal((await namespaces()).length, count);
    succeeded(await clone.npm(["sweep", "--apply"]));
    assert.equal((await namespaces()).length, count - 2);
    assert.deepEqual([...traces(gone), ...traces(expired)], []);
  });

  it("go down together, and leave nothing", async () => {
    const started = Date.now();
    const left = branches.filter((branch) => traces(branch).length > 0);
    assert.equal(left.length, count - 2);
    const [plain = "", ...others] = left;
    // A developer can also remove a review stack with `pulumi` itself.
    const destroy = ["destroy", "--yes", "--skip-preview", "--remove", "--stack", stackOf(plain)];
    const env = { PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true" };
    const [, ...runs] = await Promise.all([
      clone.pulumi(destroy, clone.directory, env),
      ...others.map(async (b) => clone.npm(["review", "down", b])),
    ]);
    runs.forEach(succeeded);
    // `pulumi destroy --remove` keeps backups of the state. `down` removes these backups.
    succeeded(await clone.npm(["review", "down", plain]));
    console.log(
      `      ${String(left.length)} together: all gone in ${((Date.now() - started) / 1000).toFixed(0)} s`,
    );
    assert.deepEqual(await namespaces(), []);
    assert.deepEqual(branches.flatMap(traces), []);
    const files = readdirSync(clone.directory).filter((name) => name.startsWith("Pulumi.review-"));
    assert.deepEqual(files, []);
  });
});
