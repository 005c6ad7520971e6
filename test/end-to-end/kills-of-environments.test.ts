import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { sandboxProcesses } from "../../sandbox/node/processes";
import { root } from "../../sandbox/layout";
import { kubectl, npmRun, succeeded } from "./support/commands";
import { podsOf } from "./support/cluster";
import { Environments, type Who } from "./support/environments";
import { endLeftovers, killAt, recovered, type Row, titleOf, writeDown } from "./support/kill";
import { project } from "../../lib/project";
import { stepByStep } from "./support/step-by-step";

type Variables = Readonly<Record<string, string>>;

/**
 * A command and the kills in a test. For each row, the test starts the command and kills it. For
 * the next row, the test starts the command again.
 */
interface Chapter {
  /** Returns additional arguments, which are known only when the command starts. */
  readonly args?: () => Promise<readonly string[]>;
  /** Checks the result after the command has succeeded. */
  readonly check: () => Promise<void>;
  readonly circumstance: string;
  /** The command and its first arguments, in the form in which docs/kills.md shows them. */
  readonly command: string;
  /** Creates what the command needs. The test calls this function before the first row. */
  readonly first?: () => Promise<void>;
  /** Returns the working directory and the environment variables of the command. */
  readonly place: () => readonly [cwd: string, env: Variables];
  readonly rows: readonly Row[];
}

/**
 * Returns the rows of a command that does not start Pulumi's engine: one row for each text and each
 * kind of kill, except the kill of the engine.
 */
const printed = (...texts: readonly string[]): readonly Row[] =>
  texts.flatMap((says) =>
    (["group", "machine", "canceled"] as const).map((kill) => ({ kill, says })),
  );

const branch = "kills-canary";

/** This suite takes half an hour, so only `npm run test:kills` runs it. `npm test` skips it. */
if (process.env["KILLS"] === "all") {
  describe("a command for the platform, production or the sandbox that is killed", () => {
    stepByStep();
    const lines: string[] = [];
    let all: Environments;

    before(async () => {
      all = await Environments.make("killed");
      all.platform.settle(all.clone.directory);
    });
    after(async () => {
      endLeftovers();
      await all.remove();
    });

    const as = (who: Who) => (): readonly [string, Variables] => [
      all.clone.directory,
      { ...all.clone.env, ...all.rightsOf(who) },
    ];
    const unchanged = async (stack: string): Promise<void> => {
      await all.pulumi("preview", "preview", "--stack", stack, "--expect-no-changes");
    };
    const imageOf = async (stack: string): Promise<string> => {
      const output = await all.pulumi("preview", "stack", "output", "--json", "--stack", stack);
      return (JSON.parse(output) as { imageRef?: string }).imageRef ?? "";
    };

    play({
      args: () => Promise.resolve(["rehearsal", "--yes"]),
      check: async () => {
        await all.platform.run("preview", "--expect-no-changes", "--refresh");
      },
      circumstance: "the first update",
      command: "platform up",
      place: () => [all.clone.directory, { ...all.clone.env, ...all.platform.env }],
      // A killed update may already have created the object that its row names. The next run then
      // adopts this object instead of creating it. So each row names an object that depends on the
      // previous row's object.
      rows: [
        { kill: "machine", says: "Updating (rehearsal)" },
        {
          kill: "canceled",
          op: "create",
          resource: "OpenIdConnectProvider::circleci",
          when: "before",
        },
        { kill: "group", op: "create", resource: "Role::services-orders-prod", when: "before" },
        {
          kill: "engine",
          op: "create",
          resource: "AccessEntry::sandbox-access-prod",
          when: "before",
        },
      ],
    });

    play({
      check: async () => {
        const tags = await all.pulumi("prod", "stack", "tag", "ls", "--stack", "prod", "--json");
        assert.ok(tags.includes(await imageOf("staging")), tags);
      },
      circumstance: "the first release",
      command: "promote",
      first: async () => {
        // This settings file is only for the test, so the test removes the file before the next
        // commit.
        rmSync(join(all.clone.directory, "platform", "Pulumi.rehearsal.yaml"));
        await all.prepare();
        succeeded(await all.run("staging", ["deploy", "staging", "--yes"]));
      },
      place: as("prod"),
      rows: printed("promoted is", "tag release-"),
    });

    play({
      args: () => Promise.resolve(["prod", "--yes"]),
      check: async () => {
        assert.equal(await imageOf("prod"), await imageOf("staging"));
        await unchanged("prod");
      },
      circumstance: "the first update of production",
      command: "deploy",
      place: as("prod"),
      // As in the rows of `platform up`, each object depends on the previous row's object.
      rows: [
        { kill: "engine", says: "Updating (prod)" },
        {
          kill: "group",
          op: "create",
          resource: "ServiceAccount::services-orders",
          when: "before",
        },
        { kill: "canceled", op: "create", resource: "Deployment::services-orders", when: "during" },
        { kill: "machine", op: "create", resource: "Ingress::services-orders", when: "after" },
      ],
    });

    const created = "Deployment::services-orders-canary";
    // In each list of kills, only the last kill may come during or after the creation of the
    // Deployment. If the Deployment already exists, the next start only updates the Deployment.
    const canaries = [
      [
        { kill: "group", says: "Updating (prod-canary)" },
        { kill: "canceled", op: "create", resource: created, when: "during" },
      ],
      [
        { kill: "machine", says: "Updating (prod-canary)" },
        { kill: "engine", op: "create", resource: created, when: "before" },
      ],
    ] as const;
    const removals = [
      [
        { kill: "machine", says: "deleted" },
        { kill: "group", says: "Destroying (prod-canary)" },
      ],
      [
        { kill: "canceled", says: "deleted" },
        { kill: "engine", says: "Destroying (prod-canary)" },
      ],
    ] as const;
    for (const [n, rows] of canaries.entries()) {
      play({
        args: async () => {
          const commit = await all.clone.git("rev-parse", branch);
          const image = ["--image", await imageOf("staging"), "--commit", commit];
          return [branch, "--percent", "25", "--for", "2h", "--yes", ...image];
        },
        check: async () => {
          const pods = await podsOf("services-orders", "canary");
          assert.deepEqual(
            pods.map(({ ready }) => ready),
            [true],
          );
          await unchanged("prod");
        },
        circumstance: "the first update",
        command: "canary start",
        first: async () => {
          if (n > 0) return;
          // Commits the encryption keys that Pulumi has written into the stack settings files,
          // because a canary uses only committed files.
          await all.clone.commit("The stacks' keys");
          await all.clone.push("main");
          await all.clone.git("checkout", "--quiet", "-b", branch);
          await all.clone.push(branch);
          await all.clone.git("checkout", "--quiet", "main");
        },
        place: as("prod"),
        rows,
      });

      play({
        check: async () => {
          assert.deepEqual(await podsOf("services-orders", "canary"), []);
          const status = succeeded(await all.run("prod", ["canary", "status"]));
          assert.match(status.output, /No canary runs/);
          await unchanged("prod");
        },
        circumstance: "the removal",
        command: "canary stop",
        place: as("prod"),
        rows: removals[n] ?? [],
      });
    }

    let running: readonly string[] = [];
    /**
     * Returns the programs that run in the sandbox. Omits containerd's shims, because the number of
     * shims depends on the number of pods.
     */
    const daemons = (): readonly string[] =>
      sandboxProcesses()
        .map(({ commandLine }) => commandLine.split(" ")[0] ?? "")
        .filter((program) => program.startsWith(`${root}/`) && !program.includes("-shim-"))
        .sort();
    play({
      check: async () => {
        assert.deepEqual(daemons(), running);
        assert.match(await kubectl(["get", "nodes"]), / Ready /);
        await unchanged("prod");
      },
      circumstance: "the start",
      command: "sandbox up",
      first: async () => {
        running = daemons();
        succeeded(await npmRun(["sandbox", "down"]));
      },
      place: () => [project, {}],
      rows: printed("] Registry and image builder", "] Kubernetes control plane", "] Node"),
    });

    describe("when all of them recovered", () => {
      it("is written down", () => {
        writeDown("What was tried with the platform, production and the sandbox", lines);
      });
    });

    function play(chapter: Chapter): void {
      const { args, check, circumstance, command: name, first, place, rows } = chapter;
      const given = async (): Promise<readonly string[]> => [
        ...name.split(" "),
        ...((await args?.()) ?? []),
      ];
      describe(`${name}, ${circumstance}`, () => {
        // This is a test and not a hook, because Mocha would run a hook even if an earlier test had
        // failed.
        if (first !== undefined) it("has what it needs", first);
        for (const row of rows) {
          it(`${titleOf(row)}: ${row.kill}`, async () => {
            const [cwd, env] = place();
            await killAt({ args: await given(), cwd, env }, row);
          });
        }
        it("ends well when it is run again, and leaves what it should", async () => {
          const [cwd, env] = place();
          succeeded(await npmRun(await given(), { cwd, env }));
          await check();
          lines.push(...rows.map((row) => recovered(name, circumstance, row)));
        });
      });
    }
  });
}
