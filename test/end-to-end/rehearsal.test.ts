import assert from "node:assert/strict";
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { service } from "../../config/service";
import { project } from "../../lib/project";
import { stackOf } from "../../operations/stacks/review-stack";
import { policiesOf } from "../../platform/admission/admission-policies";
import { settings as platform } from "../support/platform";
import { edit, kubectl, refused, type Run, succeeded } from "./support/commands";
import { podsOf, servingPods, until } from "./support/cluster";
import { Environments, type Who } from "./support/environments";
import { answersOf, Requests } from "./support/requests";
import { stepByStep } from "./support/step-by-step";

/**
 * `npm run rehearse` sets this variable. Without this variable, the rehearsal skips two long parts:
 * an update while a canary crashes, and a hotfix.
 */
const everything = process.env["REHEARSAL"] === "all";

const host = "services-orders.rehearsal.localhost";
const namespace = "services-orders";
const branches = ["env-feature/A_b", "env-feature/a-b"] as const;
/**
 * The branch that the tests build last. The jars of this branch still exist later, so the tests can
 * start a canary of this branch without Maven.
 */
const [, last] = branches;
const hostOf = (branch: string): string =>
  `services-orders-${stackOf(branch).slice("review-".length)}.localhost`;
const short = (commit: string): string => commit.slice(0, 7);

const line = (text: string): void => {
  console.log(`      ${text}`);
};

/**
 * Returns the kind, the name and the UID of production's objects of these kinds, one object per
 * line.
 */
async function uids(): Promise<string> {
  const kinds = "namespaces,deployments,services,ingresses,cronjobs,poddisruptionbudgets,pods";
  const path = "jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.uid}{'\\n'}{end}";
  const own = await kubectl(["-n", namespace, "get", kinds, "-o", path]);
  return own
    .split("\n")
    .filter((row) => !row.startsWith("Namespace/") || row.includes(`/${namespace} `))
    .join("\n");
}

/**
 * Tests all environments of the service on one sandbox. Each test continues where the previous test
 * ended.
 */
describe("a rehearsal of all environments", () => {
  stepByStep();
  /** The password of production's database. Only a Secret may contain the password. */
  const planted = `planted-${randomBytes(12).toString("hex")}`;
  let all: Environments;
  /** Two commits: production runs `released`, and `candidate` is the branch's last commit. */
  let released: string;
  let candidate: string;
  let usualSeconds: number;
  /** Requests to production between the start and the end of a canary. */
  let duringCanary: Requests | undefined;

  const imageOf = async (stack: string): Promise<string> =>
    (await outputs(stack))["imageRef"] ?? "";
  const outputs = async (stack: string): Promise<Record<string, string>> =>
    JSON.parse(
      await all.pulumi("preview", "stack", "output", "--json", "--stack", stack),
    ) as Record<string, string>;
  /**
   * Checks that a preview shows no change. The preview first compares the state with the cluster.
   */
  const unchanged = async (who: Who, stack: string): Promise<void> => {
    await all.pulumi(who, "preview", "--stack", stack, "--expect-no-changes", "--refresh");
  };
  /**
   * Commits a change to the service that results in a different image, builds the service, and
   * returns the commit.
   */
  const change = async (text: string): Promise<string> => {
    appendFileSync(join(all.clone.directory, "service/src/main/resources/rehearsal.txt"), text);
    const commit = await all.clone.commit(text);
    succeeded(await all.clone.npm(["build"]));
    return commit;
  };
  /** Changes the number of production's pods in the stack settings file, and deploys production. */
  const scale = async (from: string, to: string): Promise<void> => {
    await all.clone.git("checkout", "--quiet", "main");
    const replicas = (count: string): string => `replicas: "${count}"`;
    edit(all.clone.directory, "Pulumi.prod.yaml", replicas(from), replicas(to));
    await all.clone.commit(`${to} pods`);
    await all.clone.push("main");
    succeeded(await all.run("prod", ["deploy", "prod", "--yes"]));
  };
  const canary = async (...args: string[]): Promise<Run> => all.run("prod", ["canary", ...args]);
  const start = async (branch: string, ...more: string[]): Promise<Run> =>
    canary("start", branch, "--for", "2h", "--yes", ...more);
  const canaryEndpoints = async (): Promise<number> =>
    (await servingPods(namespace)).filter((name) => name.includes("-canary-")).length;

  before(async () => {
    all = await Environments.make(planted);
  });
  after(async () => {
    await duringCanary?.stop();
    await all.remove();
  });

  it("makes the platform: registries and roles in AWS, rights and policies in the cluster", async () => {
    await all.prepare();
    const roles = (await all.moto.aws("iam", "list-roles")) as { Roles: { RoleName: string }[] };
    const registries = (await all.moto.aws("ecr", "describe-repositories")) as {
      repositories: { repositoryName: string }[];
    };
    // Admission policies whose names do not begin with the service's name belong to the sandbox,
    // and refuse nothing.
    const policies = (await kubectl(["get", "validatingadmissionpolicies", "-o", "name"]))
      .split("\n")
      .map((name) => name.slice(name.indexOf("/") + 1))
      .filter((name) => name.startsWith(`${service}-`));
    const environments = ["review", "staging", "prod"] as const;
    const expected = Object.keys(policiesOf({ ...platform, environments }));
    line(`roles: ${roles.Roles.map(({ RoleName }) => RoleName).join(", ")}`);
    line(`registries: ${registries.repositories.map((one) => one.repositoryName).join(", ")}`);
    line(`${String(policies.length)} admission policies`);
    assert.equal(roles.Roles.length, 7);
    assert.deepEqual(policies.sort(), expected.map((name) => `${service}-${name}`).sort());
  });

  it("deploys staging with the rights of staging", async () => {
    const image = succeeded(await all.run("staging", ["image", "staging"]));
    assert.match(image.output.trim(), /@sha256:[0-9a-f]{64}$/);
    const run = succeeded(await all.run("staging", ["deploy", "staging", "--yes"]));
    line(`staging from nothing in ${run.seconds.toFixed(0)} s, its image built before`);
    succeeded(await all.run("preview", ["smoke", "staging"]));
    await all.pulumi("preview", "preview", "--stack", "staging", "--expect-no-changes");
    await unchanged("preview", "staging");
    released = (await outputs("staging"))["commit"] ?? "";
  });

  it("promotes what staging runs, and deploys it to production, by its digest", async () => {
    succeeded(await all.run("prod", ["promote"]));
    refused(await all.run("prod", ["deploy", "prod"]), /Pass --yes .*Nothing was changed/);
    const run = succeeded(await all.run("prod", ["deploy", "prod", "--yes"]));
    line(`production from nothing in ${run.seconds.toFixed(0)} s`);
    succeeded(await all.run("preview", ["smoke", "prod"]));
    assert.equal(await imageOf("prod"), await imageOf("staging"));
    await unchanged("preview", "prod");
  });

  it("keeps production as it is when staging gets a new release", async () => {
    const was = await imageOf("prod");
    await change("Staging changes\n");
    await all.clone.push("main");
    succeeded(await all.run("staging", ["deploy", "staging", "--yes"]));
    assert.notEqual(await imageOf("staging"), was);
    await unchanged("preview", "prod");
  });

  it("updates production under requests, none of which fails", async () => {
    const requests = new Requests(host);
    succeeded(await all.run("prod", ["promote"]));
    const run = succeeded(await all.run("prod", ["deploy", "prod", "--yes"]));
    await requests.stop();
    usualSeconds = run.seconds;
    line(`an update of production: ${run.seconds.toFixed(0)} s, ${String(requests.sent)} requests`);
    assert.deepEqual(requests.failures, []);
    released = (await outputs("prod"))["commit"] ?? "";
  });

  it("gives two branches a review stack each, with only the rights of each branch", async () => {
    for (const branch of branches) {
      await all.clone.git("checkout", "--quiet", "-B", branch, "main");
      candidate = await change(`Of ${branch}\n`);
      await all.clone.push(branch);
      const run = succeeded(await all.run({ branch }, ["review", "up"]));
      line(`${branch}: ${hostOf(branch)} in ${run.seconds.toFixed(0)} s, with its image`);
      const versions = await answersOf(hostOf(branch), 5, 10);
      assert.deepEqual([...versions.keys()], [short(candidate)]);
    }
    assert.notEqual(hostOf(branches[0]), hostOf(branches[1]));
    await all.clone.git("checkout", "--quiet", last);
    candidate = await all.clone.git("rev-parse", "HEAD");
    const list = succeeded(await all.clone.npm(["review", "list"])).output;
    for (const branch of branches) assert.ok(list.includes(`branch ${branch},`), list);
  });

  it("denies a branch what belongs to another branch or to production", async () => {
    const [own, other] = branches.map((branch) => ({ branch }));
    assert.ok(own !== undefined && other !== undefined);
    const release = {
      RELEASE_BRANCH: other.branch,
      RELEASE_COMMIT: "unknown",
      RELEASE_IMAGE_REF: await imageOf("prod"),
    };
    refused(await all.run(other, ["deploy", "prod", "--yes"], release), /forbidden|denied/i);
    await assert.rejects(
      all.pulumi(other, "up", "--stack", stackOf(own.branch), "--yes", "--refresh"),
      /forbidden|denied/i,
    );
    await assert.rejects(
      all.pulumi("preview", "destroy", "--stack", "staging", "--yes", "--skip-preview"),
      /forbidden|denied/i,
    );
  });

  it("refuses a canary whose share is far from what is asked, with a migration, or on other code", async () => {
    refused(await start(last, "--percent", "25"), /not on the remote's main/);
    await all.clone.git("checkout", "--quiet", "main");
    refused(
      await start(last, "--percent", "10"),
      /= 1 canary pod next to 3 .*: 25 % of the requests, 10 % requested[^]*more than twice/,
    );
    const image = ["--image", await imageOf("prod")];
    await all.clone.git("checkout", "--quiet", "-b", "env-migrating");
    const migration = "service/src/main/resources/db/migration/V99__more.sql";
    writeFileSync(join(all.clone.directory, migration), "SELECT 1;");
    const migrating = await all.clone.commit("A migration");
    await all.clone.git("checkout", "--quiet", "main");
    refused(
      await start("env-migrating", "--percent", "25", ...image, "--commit", migrating),
      /database migrations that production does not have: .*V99__more\.sql/,
    );
    await all.clone.git("checkout", "--quiet", "--orphan", "env-orphan");
    const orphan = await all.clone.commit("Something else");
    await all.clone.git("checkout", "--quiet", "main");
    refused(
      await start("env-orphan", "--percent", "25", ...image, "--commit", orphan),
      /does not contain the commit that production runs/,
    );
  });

  if (everything) {
    it("updates production next to a canary that crashes, as fast as without", async () => {
      // This image exists, but does not contain the service. So a container with this image ends
      // immediately after each start.
      const crashing = all.clone.env["SANDBOX_POSTGRES_IMAGE"] ?? "";
      const image = ["--image", crashing, "--commit", candidate, "--percent", "25"];
      let starting = 0;
      const began = all.run(
        "prod",
        ["canary", "start", last, "--for", "2h", "--yes", ...image],
        {},
        { text: "Updating (prod-canary)", then: (pid) => (starting = pid) },
      );
      await until("a canary that crashes", async () =>
        (await podsOf(namespace, "canary")).some(({ restarts }) => restarts > 0),
      );
      // Sends SIGINT, as Ctrl-C does, so that the test does not wait until the rollout fails.
      process.kill(-starting, "SIGINT");
      assert.notEqual((await began).code, 0);
      const requests = new Requests(host);
      succeeded(
        await all.run("prod", [
          ...["promote", "--image", await imageOf("staging"), "--commit", released],
          ...["--branch", "again", "--reason", "next to a canary"],
        ]),
      );
      const run = succeeded(await all.run("prod", ["deploy", "prod", "--yes"]));
      await requests.stop();
      const ratio = run.seconds / usualSeconds;
      line(
        `an update next to a crashing canary: ${run.seconds.toFixed(0)} s, ${ratio.toFixed(2)} of an update without (goal: 1.2)`,
      );
      assert.deepEqual(requests.failures, []);
      assert.ok((await podsOf(namespace, "canary")).every(({ ready }) => !ready));
      succeeded(await all.run("canary-removal", ["canary", "stop"]));
    });
  }

  it("lets one canary pod next to nine answer 10 % of the requests; no request fails", async () => {
    await scale("3", "9");
    duringCanary = new Requests(host);
    const run = succeeded(await start(last, "--percent", "10"));
    assert.match(run.output, /= 1 canary pod next to 9 .*: 10 % of the requests, 10 % requested/);
    assert.equal(await canaryEndpoints(), 1);
    refused(await start(last, "--percent", "10"), /is already running/);
    const status = succeeded(await canary("status")).output;
    assert.match(
      status,
      /1 canary and 9 production pods are Ready: 10 % of the requests, 10 % requested/,
    );
    const screen = succeeded(await all.run("preview", ["status", "prod"])).output;
    assert.match(screen, /pods +9 of 9 ready\n +canary +env-feature\/a-b, 10 %, expires in/);
    assert.match(screen, /lock +none\n/);
    assert.doesNotMatch(screen, /unknown/);

    const versions = await answersOf(host, 2_000, 10);
    const own = versions.get(short(candidate)) ?? 0;
    line(
      `${String(own)} of 2,000 requests answered by the canary (${(own / 20).toFixed(1)} %, 10 % requested)`,
    );
    assert.equal(
      [...versions.values()].reduce((sum, n) => sum + n, 0),
      2_000,
    );
    assert.ok(own >= 120 && own <= 280, String(own));
    assert.deepEqual(duringCanary.failures, []);
  });

  it("sweeps a canary that has expired, and leaves production as it is; no request fails", async () => {
    const was = (await uids()).split("\n").filter((row) => !row.includes("-canary"));
    const sweep = async (): Promise<Run> =>
      all.run("canary-removal", ["sweep", "--only", "canary", "--apply"]);
    assert.match(
      succeeded(await sweep()).output,
      /stays +canary +prod-canary: runs branch "env-feature\/a-b" and expires in/,
    );
    const past = ["expires", new Date(0).toISOString()];
    await all.pulumi("prod", "stack", "tag", "set", "--stack", "prod-canary", ...past);
    const sweeping = sweep();
    const began = Date.now();
    await until("the canary is not an endpoint", async () => (await canaryEndpoints()) === 0, 60);
    line(
      `no longer an endpoint ${((Date.now() - began) / 1000).toFixed(1)} s after the start of the sweep`,
    );
    assert.match(
      succeeded(await sweeping).output,
      /goes +canary +prod-canary: runs branch "env-feature\/a-b" and expired/,
    );
    assert.ok(duringCanary !== undefined);
    await duringCanary.stop();
    line(`${String(duringCanary.sent)} requests from its start to its end`);
    assert.deepEqual(duringCanary.failures, []);
    assert.deepEqual((await uids()).split("\n"), was);
    assert.match((await canary("status")).output, /No canary runs/);
    // Each later update then replaces three pods, and not nine.
    await scale("9", "3");
  });

  it("protects production: destroy changes no object", async () => {
    const was = await uids();
    const destroy = all.pulumi("prod", "destroy", "--stack", "prod", "--yes");
    await assert.rejects(destroy, /protect/);
    assert.equal(await uids(), was);
  });

  it("refuses to deploy older code than what runs", async () => {
    const older = await all.clone.git("rev-parse", `${released}^`);
    const late = {
      RELEASE_BRANCH: "main",
      RELEASE_COMMIT: older,
      RELEASE_IMAGE_REF: await imageOf("prod"),
    };
    refused(await all.run("prod", ["deploy", "prod", "--yes"], late), /newer than .*--allow-older/);
  });

  it("takes production back to the release before, without a failed request, and holds it", async () => {
    await all.clone.git("checkout", "--quiet", "main");
    const bad = await imageOf("prod");
    const [[, , ...because] = []] = recipe("### Back to older code");
    assert.deepEqual(because, ["--reason", "checkout fails"]);
    const file = "reports/preview-prod.json";
    const shown = await all.run("preview", ["rollback", "prod", ...because, "--preview", file]);
    assert.match(succeeded(shown).output, /would also hold stack prod. Nothing was changed/);
    assert.equal(await imageOf("prod"), bad);
    const requests = new Requests(host);
    const approved = ["--approved", file, "--yes"];
    const back = await all.run("prod", ["rollback", "prod", ...because, ...approved]);
    await requests.stop();
    succeeded(back);
    line(
      `back to the release before: ${back.seconds.toFixed(0)} s, ${String(requests.sent)} requests`,
    );
    assert.deepEqual(requests.failures, []);
    const good = await imageOf("prod");
    assert.notEqual(good, bad);
    assert.match(back.output, /The rollback undoes \d+ commits:/);
    assert.equal(await all.clone.git("status", "--porcelain", "jobs.ts"), "");

    refused(await all.run("prod", ["deploy", "prod", "--yes"]), /is held since .*: checkout fails/);
    refused(await all.run("prod", ["promote"]), /is held since .*: checkout fails/);
    const listed = succeeded(await all.run("prod", ["history", "prod"])).output;
    assert.match(listed, new RegExp(`succeeded .*${good.slice(-64, -52)} .* checkout fails`));
    const where = succeeded(await all.run("prod", ["where", released])).output;
    assert.match(where, /^prod +ran it from .* to /m);

    // The remaining commands of the recipe promote and deploy the next release.
    const [resume = [], ...later] = recipe("### Back to older code", 1);
    assert.deepEqual(later, [["promote"], ["deploy", "prod"]]);
    succeeded(await all.run("prod", [...resume, "--yes"]));
    succeeded(await all.run("prod", ["deploy", "prod", "--yes"]));
    assert.equal(await imageOf("prod"), good);
  });

  if (everything) {
    it("brings a hotfix to production past what is merged, as docs/operations.md says", async () => {
      const { imageRef } = await outputs("prod");
      const merged = await imageOf("staging");
      const listed = succeeded(await all.run("prod", ["history", "prod", "--json"])).output;
      const { updates } = JSON.parse(listed.slice(listed.indexOf("{"))) as {
        updates: readonly { imageRef?: string; program?: string; succeeded: boolean }[];
      };
      const first = updates.findLast((one) => one.succeeded && one.imageRef === imageRef);
      await all.clone.git("checkout", "--quiet", "-b", "hotfix", first?.program ?? "");
      const fix = await change("A hotfix\n");
      await all.clone.push("hotfix");
      for (const [command = "", stack = "prod", ...options] of recipe("### A hotfix")) {
        const role = command === "smoke" ? "preview" : (stack as "prod" | "staging");
        const confirmed = command === "deploy" ? ["--yes"] : [];
        const args = command === "promote" ? [] : [stack, ...options, ...confirmed];
        succeeded(await all.run(role, [command, ...args]));
      }
      assert.equal((await outputs("prod"))["commit"], fix);
      assert.equal(await imageOf("prod"), await imageOf("staging"));
      assert.notEqual(await imageOf("prod"), merged);
      // Discards the encryption keys that Pulumi has written into the stack settings files of the
      // older commit.
      await all.clone.git("checkout", "--quiet", "--force", "main");
    });
  }

  it("tears down one review stack, sweeps the other, and leaves nothing of them", async () => {
    const [one, other] = branches;
    const main = { branch: "main" };
    await all.clone.deleteBranch(other);
    // In CircleCI, a sweep can also run at the same time as a job that removes another stack.
    const [down, sweep] = await Promise.all([
      all.run(main, ["review", "down", one]),
      all.run(main, ["sweep", "--only", "reviews", "--apply"]),
    ]);
    line(`${one}: gone in ${succeeded(down).seconds.toFixed(0)} s`);
    assert.match(succeeded(sweep).output, /branch "env-feature\/a-b" is gone/);
    const left = await kubectl(["get", "namespaces", "-o", "name"]);
    for (const branch of branches) assert.ok(!left.includes(stackOf(branch)), left);
    const listed = succeeded(await all.clone.npm(["review", "list"])).output;
    const there = [...listed.matchAll(/^ {2}branch ([^,]+),/gm)].map(([, branch = ""]) => branch);
    assert.match(listed, new RegExp(`^${String(there.length)} of at most \\d+`, "m"));
    // The tests of kills may run at the same time, and have their own review stack.
    assert.deepEqual(
      there.filter((branch) => !branch.startsWith("kills-")),
      [],
    );
  });

  it("shows production's secret value nowhere: state, files, output", async () => {
    // The search does not follow the link node_modules, so the search skips the npm packages.
    const places = [all.clone.state, all.clone.directory, all.platform.directory].flatMap(
      (directory) =>
        readdirSync(directory, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name)),
    );
    const forms = formsOf(planted);
    const found = places.filter((file) => shows(readFileSync(file), forms));
    assert.deepEqual(found, []);
    assert.ok(!shows(Buffer.from(all.printed.join("\n")), forms));
    const ofPods = ["-n", namespace, "logs", "-l", "app.kubernetes.io/component=web"];
    const whole = ["--all-containers", "--tail=-1", "--max-log-requests=50"];
    const logs = await kubectl([...ofPods, ...whole]);
    assert.ok(logs !== "" && !shows(Buffer.from(logs), forms));
    line(
      `looked into ${String(places.length)} files, the output of ${String(all.printed.length)} commands, and ${String(logs.split("\n").length)} lines of production's logs`,
    );
    // The same search must find the value in the Secret. This result proves that the search works.
    const secret = await kubectl([
      "-n",
      namespace,
      "get",
      "secret",
      "services-orders-database",
      "-o",
      "yaml",
    ]);
    assert.ok(shows(Buffer.from(secret), forms));
  });
});

/**
 * Returns the `npm run` commands of a section of docs/operations.md, without `npm run build`.
 *
 * @param which index of the block of commands in the section, from 0
 */
function recipe(title: string, which = 0): readonly (readonly string[])[] {
  const page = readFileSync(join(project, "docs/operations.md"), "utf8");
  const section = page.slice(page.indexOf(`${title}\n`));
  const [, block = ""] = [...section.matchAll(/```sh\n([^`]*)```/g)][which] ?? [];
  const lines = [...block.matchAll(/^npm run (.+)$/gm)].map(([, line = ""]) => line);
  return lines
    .filter((line) => line !== "build")
    .map((line) =>
      [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word = ""]) => quoted ?? word),
    )
    .map((words) => words.filter((word) => word !== "--"));
}

/**
 * Returns the forms in which a file may contain a value: as text, in hex, and in base64 with each
 * of the three possible offsets.
 */
function formsOf(value: string): readonly string[] {
  const shifted = ["", "x", "xx"].map((before) => {
    const text = Buffer.from(before + value).toString("base64");
    // Removes the characters that depend not only on the value, but also on the bytes next to the
    // value.
    return text.slice(before === "" ? 0 : 4, -4);
  });
  return [value, ...shifted, Buffer.from(value).toString("hex")];
}

function shows(content: Buffer, forms: readonly string[]): boolean {
  const isCompressed = content[0] === 0x1f && content[1] === 0x8b;
  const text = (isCompressed ? gunzipSync(content) : content).toString("latin1");
  return forms.some((form) => text.includes(form));
}
