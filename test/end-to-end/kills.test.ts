import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { project } from "../../lib/project";
import { stackOf } from "../../operations/stacks/review-stack";
import { Clone } from "./support/clone";
import { kubectl, sql, succeeded } from "./support/commands";
import { type Kill, killedAt, kills, type Moment } from "./support/kill";
import { stepByStep } from "./support/step-by-step";

const branch = "kills-feature/a";
const stack = stackOf(branch);
const namespace = `services-orders-${stack}`;

const commands = {
  deploy: ["deploy", stack, "--yes"],
  "review down": ["review", "down", branch],
  "review up": ["review", "up", branch],
} as const;

/** Kills of one command after the other; each runs the command again that the last one killed. */
interface Chapter {
  readonly command: keyof typeof commands;
  /** What a developer changes before it. */
  readonly edit?: readonly [file: string, from: string, to: string];
  readonly rows: readonly (Moment & { readonly kill: Kill })[];
  readonly title: string;
}

const args = join("program", "web-service-args.ts");
const files = (text: string): string =>
  `configFiles: { "/etc/orders/killed": "${text}" },\n    replicas: settings.replicas,`;

const all: readonly Chapter[] = [
  {
    command: "review up",
    rows: [
      { kill: "machine", op: "create", resource: "Namespace::namespace", when: "before" },
      { kill: "group", op: "create", resource: "Secret::postgres", when: "before" },
      { kill: "group", op: "create", resource: "StatefulSet::postgres", when: "during" },
      { kill: "engine", op: "create", resource: "Deployment::services-orders", when: "during" },
    ],
    title: "the first update",
  },
  {
    command: "deploy",
    edit: [args, "replicas: settings.replicas,", files("first")],
    rows: [
      { kill: "group", op: "create", resource: "ConfigMap::services-orders", when: "before" },
      { kill: "canceled", op: "update", resource: "Deployment::services-orders", when: "during" },
    ],
    title: "a release",
  },
  {
    command: "review up",
    edit: [args, files("first"), files("second")],
    rows: [
      {
        kill: "group",
        op: "create-replacement",
        resource: "ConfigMap::services-orders",
        when: "before",
      },
    ],
    title: "a replacement",
  },
  {
    command: "review up",
    edit: ["jobs.ts", 'name: "export"', 'name: "export-again"'],
    rows: [{ kill: "engine", op: "delete", resource: "CronJob::export", when: "before" }],
    title: "a removal",
  },
  {
    command: "review down",
    rows: [
      { kill: "group", op: "delete", resource: "StatefulSet::postgres", when: "before" },
      { kill: "machine", op: "delete", resource: "Namespace::namespace", when: "during" },
    ],
    title: "the removal of the stack",
  },
];

/** `npm test` kills the first update only, which CI cancels; `npm run test:kills` kills all. */
const chapters = process.env["KILLS"] === "all" ? all : all.slice(0, 1);

/** Kinds that a stack makes; what the cluster makes of them has no labels of ours. */
const kinds =
  "configmaps,cronjobs,deployments,ingresses,limitranges,networkpolicies,poddisruptionbudgets," +
  "resourcequotas,rolebindings,secrets,serviceaccounts,services,statefulsets";

describe("a command that is killed", function () {
  stepByStep();
  let clone: Clone;
  let password: string | undefined;
  let image: Readonly<Record<string, string>>;

  before(async () => {
    clone = await Clone.make();
    await clone.git("checkout", "--quiet", "-b", branch);
    await clone.push(branch);
    const run = succeeded(await clone.npm(["image", "review"]));
    // Its image is built; each further run would ask whether it still is.
    const imageRef = run.output.trim().split("\n").at(-1) ?? "";
    image = { RELEASE_COMMIT: await clone.git("rev-parse", "HEAD"), RELEASE_IMAGE_REF: imageRef };
  });
  after(async () => {
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=150s"]);
    clone.remove();
  });

  /** Names of the objects that are there, and of those that the state has. */
  async function objects(): Promise<readonly (readonly string[])[]> {
    const label = "app.kubernetes.io/part-of=services-orders";
    const how = [
      "--selector",
      label,
      "--output",
      "jsonpath={range .items[*]}{.kind} {.metadata.name}{'\\n'}{end}",
    ];
    const there = await kubectl(["get", kinds, "--namespace", namespace, ...how]);
    const state = JSON.parse(await clone.pulumi(["stack", "export", "--stack", stack])) as {
      deployment: { pending_operations?: unknown[]; resources: { id?: string; type: string }[] };
    };
    assert.deepEqual(state.deployment.pending_operations ?? [], []);
    const known = state.deployment.resources
      .filter(({ id = "", type }) => type.startsWith("kubernetes:") && id.includes("/"))
      .map(({ id = "", type }) => `${type.split(":").at(-1) ?? ""} ${id.split("/")[1] ?? ""}`);
    return [
      there
        .split("\n")
        .filter((line) => line !== "")
        .sort(),
      known.sort(),
    ];
  }

  const secret = async (): Promise<string> =>
    kubectl([
      "get",
      "secrets",
      "--namespace",
      namespace,
      "-o",
      "jsonpath={.items[*].data.password}",
    ]);

  for (const { command, edit, rows, title } of chapters) {
    describe(`${command}, ${title}`, () => {
      before(() => {
        if (edit === undefined) return;
        const [file, from, to] = edit;
        const path = join(clone.directory, file);
        const text = readFileSync(path, "utf8");
        assert.ok(text.includes(from), `${file} has no ${from}`);
        writeFileSync(path, text.replace(from, to));
      });

      for (const row of rows) {
        it(`${row.when} it can ${row.op} ${row.resource}: ${row.kill}`, async () => {
          const run = await killedAt(
            {
              args: [join(clone.directory, "cli", "entry.mjs"), ...commands[command]],
              cwd: clone.directory,
              env: { ...clone.env, ...image },
              file: process.execPath,
            },
            row,
            row.kill,
          );
          assert.ok(
            run.struck,
            `the command ended before that moment:\n${run.output.slice(-4000)}`,
          );
          assert.notEqual(run.code, 0);
        });
      }

      it("ends well when it is run again, and leaves what it should", async () => {
        succeeded(await clone.npm(commands[command], image));
        if (command === "review down") {
          const left = await kubectl(["get", "namespace", namespace, "--ignore-not-found"]);
          const stacks = await clone.pulumi(["stack", "ls", "--json"]);
          assert.deepEqual([left, JSON.parse(stacks)], ["", []]);
          return;
        }
        const how = ["preview", "--stack", stack, "--expect-no-changes"];
        await clone.pulumi(how, undefined, { ...image, RELEASE_BRANCH: branch });
        const [there = [], known] = await objects();
        assert.deepEqual(there, known);
        password ??= await secret();
        assert.equal(await secret(), password);
        assert.notEqual((await sql("select count(*) from orders", namespace))[0], "0");
      });
    });
  }

  // Mocha runs the tests of a suite before the suites in it.
  describe("when all of them recovered", () => {
    it("is written down", () => {
      const how = (kill: Kill): string =>
        Object.entries(kills).find(([, value]) => value === kill)?.[0] ?? kill;
      const table = chapters.flatMap(({ command, rows, title }) =>
        rows.map(({ kill, op, resource, when }) => {
          const moment = `${when} ${op} of \`${resource}\``;
          return `- \`${command}\`, ${title}: ${moment}; ${how(kill)}; recovered.`;
        }),
      );
      const file = join(project, "docs", "kills.md");
      const text = readFileSync(file, "utf8");
      const head = "## What was tried\n\n";
      const start = text.indexOf(head);
      writeFileSync(file, `${text.slice(0, start)}${head}${table.join("\n")}\n`);
    });
  });
});
