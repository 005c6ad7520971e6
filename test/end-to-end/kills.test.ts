import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { mock } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { imageRefForm } from "../../components/conventions/validation";
import { project } from "../../lib/project";
import { eventually } from "../../lib/time";
import { lockStore } from "../../operations/locks/lock-store";
import { unlock } from "../../operations/locks/unlock";
import { change, stateOfProject } from "../../operations/pulumi/run-pulumi";
import { createStack } from "../../operations/pulumi/stacks";
import { stackOf } from "../../operations/stacks/review-stack";
import { environment } from "../../sandbox/environment";
import { type Moto, startMoto } from "./aws/moto";
import { Clone } from "./support/clone";
import { edit, kubectl, pulumi, sql, succeeded } from "./support/commands";
import {
  each,
  endLeftovers,
  type Kill,
  killAt,
  kills,
  recovered,
  type Row,
  titleOf,
  writeDown,
} from "./support/kill";
import { stepByStep } from "./support/step-by-step";

/**
 * A command and its kills. For each row, the test starts the command and kills it. For the next
 * row, the test starts the command again.
 */
interface Chapter {
  readonly command: "deploy" | "image" | "review down" | "review up" | "sweep" | "up";
  /** Changes that the test makes to files before the command, as a developer would. */
  readonly edits?: readonly (readonly [file: string, from: string, to: string])[];
  readonly rows: readonly Row[];
  readonly title: string;
}

const args = join("program", "web-service-args.ts");
const files = (text: string): string =>
  `configFiles: { "/etc/orders/killed": "${text}" },\n    replicas: settings.replicas,`;

/** `npm run test:kills` sets this variable. Without this variable, the tests skip some kills. */
const everything = process.env["KILLS"] === "all";
const onlyWithEverything = (...rows: readonly Row[]): readonly Row[] => (everything ? rows : []);

const laptop: readonly Chapter[] = [
  {
    command: "up",
    rows: [
      ...onlyWithEverything(
        { kill: "engine", op: "create", resource: "Namespace::namespace", when: "before" },
        { kill: "engine", op: "create", resource: "Secret::postgres", when: "before" },
      ),
      { kill: "engine", op: "create", resource: "StatefulSet::postgres", when: "during" },
      { kill: "engine", op: "create", resource: "Deployment::services-orders", when: "during" },
    ],
    title: "the first update",
  },
];

const review: readonly Chapter[] = [
  {
    command: "review up",
    rows: [
      ...onlyWithEverything(
        { kill: "machine", op: "create", resource: "Namespace::namespace", when: "before" },
        { kill: "group", op: "create", resource: "StatefulSet::postgres", when: "during" },
      ),
    ],
    title: "the first update",
  },
  {
    command: "deploy",
    edits: [[args, "replicas: settings.replicas,", files("first")]],
    rows: [
      ...onlyWithEverything({
        kill: "group",
        op: "create",
        resource: "ConfigMap::services-orders",
        when: "before",
      }),
      { kill: "canceled", op: "update", resource: "Deployment::services-orders", when: "during" },
    ],
    title: "a release",
  },
  {
    command: "review up",
    edits: [
      [args, files("first"), files("second")],
      ["jobs.ts", 'name: "export"', 'name: "export-again"'],
    ],
    rows: [
      {
        kill: "group",
        op: "create-replacement",
        resource: "ConfigMap::services-orders",
        when: "before",
      },
      // Pulumi deletes objects at the end of an update, after the creation of the other objects.
      { kill: "engine", op: "delete", resource: "CronJob::export", when: "before" },
    ],
    title: "a replacement and a removal",
  },
  {
    command: "review down",
    rows: [
      { kill: "group", says: "Deleting namespace" },
      { kill: "machine", says: "Deleting namespace" },
    ],
    title: "the removal of the stack",
  },
];

/**
 * Returns the chapters of a review stack, with the same kind of kill in all rows that wait for an
 * event of the engine. The rows that wait for a printed text keep their own kinds of kills, because
 * the command of such a row does not always start the engine. Only `npm run test:kills` runs these
 * chapters.
 */
const allBy = (kill: Kill): readonly Chapter[] =>
  review.map((chapter) => ({
    ...chapter,
    rows: chapter.rows.map((row) => ("says" in row ? row : { ...row, kill })),
  }));

/**
 * Three commands: `image` builds an image, `review up` deploys a stack with this image, and `sweep`
 * removes the stack.
 */
const swept: readonly Chapter[] = [
  {
    command: "image",
    rows: each(
      { op: "create", resource: "Image::image", when: "before" },
      { op: "create", resource: "Image::image", when: "during" },
    ),
    title: "the first image",
  },
  {
    command: "review up",
    // An update creates each object only once, so each kill waits for a different object.
    rows: [
      { kill: "group", op: "create", resource: "Secret::postgres", when: "after" },
      { kill: "engine", op: "create", resource: "StatefulSet::postgres", when: "after" },
      { kill: "machine", op: "create", resource: "Deployment::services-orders", when: "after" },
      { kill: "canceled", op: "create", resource: "Ingress::services-orders", when: "before" },
    ],
    title: "the update after it",
  },
  {
    command: "sweep",
    rows: [
      { kill: "group", says: "goes   stack" },
      { kill: "machine", says: "Deleting namespace" },
      { kill: "canceled", says: "Deleting namespace" },
    ],
    title: "the removal of the stack of a deleted branch",
  },
];

/**
 * Chapters that use the same stack: the review stack of `branch`, or stack `local` if there is no
 * branch. `state` is the type of the backend for the stack's state.
 */
interface Scene {
  readonly branch?: string;
  readonly chapters: readonly Chapter[];
  readonly state: "files" | "S3";
}

const scenes: readonly Scene[] = [
  { chapters: laptop, state: "files" },
  { branch: "kills-feature/a", chapters: review, state: "files" },
  ...(everything
    ? ([
        ...Object.values(kills).map(
          (kill) => ({ branch: `kills-${kill}`, chapters: allBy(kill), state: "files" }) as const,
        ),
        { branch: "kills-s3", chapters: review, state: "S3" },
        { branch: "kills-sweep", chapters: swept, state: "files" },
      ] as const)
    : []),
];

/**
 * Kinds of the objects that Pulumi creates in a stack. Kubernetes also creates objects of these
 * kinds, but these objects do not have the label that the selector uses.
 */
const kinds =
  "configmaps,cronjobs,deployments,ingresses,limitranges,networkpolicies,poddisruptionbudgets," +
  "podtemplates,resourcequotas,rolebindings,secrets,serviceaccounts,services,statefulsets";

describe("a command that is killed", function () {
  /** Lines for docs/kills.md, one for each row whose command succeeded after the kill. */
  const lines: string[] = [];

  for (const scene of scenes) {
    describe(`of stack ${scene.branch === undefined ? "local" : stackOf(scene.branch)}, with state in ${scene.state}`, () => {
      stepByStep();
      play(scene, lines);
    });
  }

  if (!everything) return;
  // This test is in an inner suite, because Mocha runs a suite's own tests before its inner suites.
  describe("when all of them recovered", () => {
    it("is written down", () => {
      const tried = scenes.flatMap(({ chapters }) => chapters.flatMap(({ rows }) => rows));
      assert.equal(lines.length, tried.length);
      writeDown("What was tried with `local` and review stacks", lines);
    });
  });
});

function play({ branch, chapters, state }: Scene, lines: string[]): void {
  const stack = branch === undefined ? "local" : stackOf(branch);
  const namespace = `services-orders-${stack}`;
  const commands = {
    deploy: ["deploy", stack, "--yes"],
    image: ["image", stack],
    "review down": ["review", "down", branch ?? ""],
    "review up": ["review", "up", branch ?? ""],
    sweep: ["sweep", "--apply"],
    up: ["up"],
  } as const;
  let clone: Clone;
  let moto: Moto | undefined;
  let password: string | undefined;
  let orders: readonly string[] | undefined;
  let image: Readonly<Record<string, string>> = {};

  before(async () => {
    moto = state === "S3" ? await startMoto(environment()["PATH"] ?? "") : undefined;
    clone = await Clone.make(moto === undefined ? {} : await bucket(moto));
    if (branch === undefined) return removeLocal();
    await clone.git("checkout", "--quiet", "-b", branch);
    await clone.push(branch);
    if (chapters[0]?.command === "image") return;
    const run = succeeded(await clone.npm(["image", "review"]));
    // These variables name the image that this test has just built, so later commands do not look
    // for the image in the registry.
    const imageRef = run.output.trim().split("\n").at(-1) ?? "";
    image = { RELEASE_COMMIT: await clone.git("rev-parse", "HEAD"), RELEASE_IMAGE_REF: imageRef };
  });
  after(async () => {
    endLeftovers();
    if (branch === undefined) {
      await removeLocal();
    } else {
      await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=150s"]);
    }
    await moto?.stop();
    clone.remove();
  });

  /** Destroys stack `local` on this machine, if this stack exists. */
  async function removeLocal(): Promise<void> {
    const stacks = await pulumi(["stack", "ls", "--json"], clone.directory);
    if (!stacks.includes('"local"')) return;
    const args = ["destroy", "--yes", "--skip-preview", "--remove", "--stack", "local"];
    await pulumi(args, clone.directory);
  }

  /**
   * Runs `pulumi` itself on the stack, not one of the project's commands. For stack `local`, the
   * backend is always the sandbox's directory for states.
   */
  const plain = async (...asked: string[]): Promise<string> =>
    branch === undefined
      ? pulumi(asked, clone.directory, {
          ...clone.env,
          PULUMI_BACKEND_URL: environment()["PULUMI_BACKEND_URL"] ?? "",
        })
      : clone.pulumi([...asked, "--stack", stack], undefined, {
          ...image,
          RELEASE_BRANCH: branch,
        });

  /** Returns two lists of names: the objects in the cluster, and the objects in the state. */
  async function objects(): Promise<readonly (readonly string[])[]> {
    const label = "app.kubernetes.io/part-of=services-orders";
    const names = "jsonpath={range .items[*]}{.kind} {.metadata.name}{'\\n'}{end}";
    const how = ["--selector", label, "--output", names];
    const there = await kubectl(["get", kinds, "--namespace", namespace, ...how]);
    const { deployment } = JSON.parse(await plain("stack", "export")) as {
      deployment: { pending_operations?: unknown[]; resources: { id?: string; type: string }[] };
    };
    assert.deepEqual(deployment.pending_operations ?? [], []);
    const known = deployment.resources
      .filter(({ id = "", type }) => type.startsWith("kubernetes:") && id.includes("/"))
      .map(({ id = "", type }) => `${type.split(":").at(-1) ?? ""} ${id.split("/")[1] ?? ""}`);
    const lines = there.split("\n").filter((line) => line !== "");
    return [lines.sort(), known.sort()];
  }

  /** Returns the database's password, in base64. Empty if the password's Secret does not exist. */
  const secret = async (): Promise<string> => {
    const path = "jsonpath={.items[*].data.password}";
    return kubectl(["get", "secrets", "--namespace", namespace, "--output", path]);
  };

  for (const { command, edits = [], rows, title } of chapters) {
    describe(`${command}, ${title}`, () => {
      before(async () => {
        if (command === "sweep") await clone.deleteBranch(branch ?? "");
        for (const change of edits) edit(clone.directory, ...change);
      });

      for (const row of rows) {
        it(`${titleOf(row)}: ${row.kill}`, async () => {
          const env = { ...clone.env, ...image };
          await killAt({ args: commands[command], cwd: clone.directory, env }, row);
          const there = await secret();
          if (there !== "" && !removes(command)) {
            password ??= there;
            assert.equal(there, password);
          }
        });
      }

      it("ends well when it is run again, and leaves what it should", async () => {
        const { output } = succeeded(await clone.npm(commands[command], image));
        if (command === "image") {
          assert.match(output.trim().split("\n").at(-1) ?? "", imageRefForm);
          assert.equal(await kubectl(["get", "namespace", namespace, "--ignore-not-found"]), "");
        } else if (removes(command)) {
          const left = await kubectl(["get", "namespace", namespace, "--ignore-not-found"]);
          const stacks = await clone.pulumi(["stack", "ls", "--json"]);
          assert.deepEqual([left, JSON.parse(stacks)], ["", []]);
        } else {
          await plain("preview", "--expect-no-changes");
          const [there = [], known] = await objects();
          assert.deepEqual(there, known);
          const now = await secret();
          password ??= now;
          assert.ok(now !== "" && now === password, "another password");
          const rowsNow = await sql("select id from orders order by id", namespace);
          // Only a review stack has sample orders.
          assert.equal(rowsNow.length > 0, branch !== undefined);
          orders ??= rowsNow;
          assert.deepEqual(rowsNow, orders);
        }
        const circumstance = `${title}, state in ${state}`;
        lines.push(...rows.map((row) => recovered(command, circumstance, row)));
      });
    });
  }
}

const removes = (command: Chapter["command"]): boolean =>
  command === "review down" || command === "sweep";

/**
 * Creates a bucket in moto instead of S3. Returns the environment variables for a state in this
 * bucket.
 */
async function bucket(moto: Moto): Promise<Readonly<Record<string, string>>> {
  await moto.aws("s3api", "create-bucket", "--bucket", "state", ...region);
  const address = moto.env["AWS_ENDPOINT_URL"] ?? "";
  const options = `endpoint=${address}&s3ForcePathStyle=true&region=${moto.env["AWS_REGION"] ?? ""}`;
  return { ...moto.env, PULUMI_BACKEND_URL: `s3://state?${options}` };
}

describe("the lock of a killed update, with state in S3 and a real Pulumi", () => {
  const directory = mkdtempSync(join(tmpdir(), "services-orders-locks-"));
  const home = process.env["PULUMI_HOME"];
  let moto: Moto;
  let s3: Readonly<Record<string, string>>;
  let told: string[];

  const workspace = (env: Readonly<Record<string, string>> = {}) => ({
    cwd: directory,
    env: { ...environment(), ...s3, ...env },
    lockWait: { patienceMs: 0 },
  });
  const update = async (env?: Readonly<Record<string, string>>): Promise<void> =>
    change("up", "staging", workspace(env));
  const stored = async () => lockStore("staging", stateOfProject(workspace())).read();
  /**
   * Starts an update whose program waits, and kills the update when the update has locked the
   * stack.
   */
  const killed = async (env: Readonly<Record<string, string>>): Promise<void> => {
    const failed = assert.rejects(update({ ...env, WAITS: "1" }));
    assert.ok(await eventually(async () => (await stored()).locks.length === 1, 60_000));
    const [lock] = (await stored()).locks;
    process.kill(lock?.owner.pid ?? 0, "SIGKILL");
    await failed;
  };
  const isLocked = async (env: Readonly<Record<string, string>>): Promise<void> =>
    assert.rejects(update(env), /currently locked by 1 lock/);

  /** Returns the environment variables that CircleCI and the pipelines set in a job. */
  const job = (id: string, stack = "staging"): Readonly<Record<string, string>> => ({
    CIRCLECI: "true",
    CIRCLE_BUILD_URL: `https://circleci.com/gh/acme/services-orders/${id}`,
    CIRCLE_OIDC_TOKEN_V2: `e30.${Buffer.from('{"oidc.circleci.com/ssh-rerun":false}').toString("base64url")}.`,
    CIRCLE_WORKFLOW_JOB_ID: `00000000-0000-4000-8000-${id.padStart(12, "0")}`,
    SERIAL_GROUP: `gh/acme/services-orders/${stack}`,
  });

  before(async () => {
    const program =
      "module.exports = process.env.WAITS ? new Promise((end) => setTimeout(end, 600000)) : {};\n";
    writeFileSync(join(directory, "Pulumi.yaml"), "name: services-orders\nruntime: nodejs\n");
    writeFileSync(join(directory, "package.json"), '{"main":"index.js"}\n');
    writeFileSync(join(directory, "index.js"), program);
    symlinkSync(join(project, "node_modules"), join(directory, "node_modules"));
    // With this variable, the program writes its records about killed updates into the test's
    // directory. The tests delete this directory at the end.
    process.env["PULUMI_HOME"] = directory;
    moto = await startMoto(environment()["PATH"] ?? "");
    s3 = await bucket(moto);
    await createStack("staging", "passphrase", workspace());
  });
  beforeEach(() => {
    told = [];
    mock.method(console, "log", (line: string) => told.push(line));
  });
  afterEach(() => {
    mock.restoreAll();
  });
  after(async () => {
    if (home === undefined) delete process.env["PULUMI_HOME"];
    else process.env["PULUMI_HOME"] = home;
    await moto.stop();
    rmSync(directory, { recursive: true });
  });

  it("is taken over by the next job of its serial group, and by no other one", async () => {
    await killed(job("1"));
    await isLocked(job("1"));
    await isLocked(job("2", "sweep-reviews"));
    await isLocked({ CIRCLECI: "" });
    assert.deepEqual(told, []);
    await update(job("3"));
    assert.match(told.join("\n"), /circleci\.com\/gh\/acme\/services-orders\/1\)/);
    assert.deepEqual(await stored(), { locks: [], records: [] });
  });

  it("waits for a person if a laptop has it", async () => {
    await killed({ CIRCLECI: "" });
    await isLocked(job("4"));
    await unlock("staging", { yes: true }, workspace());
    await update(job("5"));
    assert.deepEqual(await stored(), { locks: [], records: [] });
  });
});

const region = ["--create-bucket-configuration", "LocationConstraint=eu-central-1"];
