import assert from "node:assert/strict";
import { apply, kubectl, sql, succeeded } from "./support/commands";
import { podsOf, servingPods } from "./support/cluster";
import { matchesLiveView } from "./support/rollouts/live-view";
import { nothingWasLost } from "./support/load";
import { recorded } from "./support/rollouts/recorder";
import { OwnStack } from "./support/own-stack";

/** A release that cannot succeed. */
interface Broken {
  /** Pattern of the true cause. The error must match this pattern. */
  readonly cause: RegExp;
  /**
   * Args that the release adds to the service. A release has either `args` or `edit`. `edit`
   * replaces a text in program/environment.ts.
   */
  readonly args?: string;
  readonly edit?: readonly [from: string, to: string];
  /**
   * Whether the rollout fails only at the deadline. In this case, no container fails twice before
   * the deadline.
   */
  readonly late?: true;
  /**
   * A line of the log that the report of `npm run deploy` must show. Undefined if the container of
   * this release never starts, because there is no log then. In this case, the test deploys the
   * release with `pulumi up`.
   */
  readonly log?: RegExp;
  /** Whether another database session locks the first table that a migration reads. */
  readonly locked?: true;
  /**
   * Returns an additional object for this release. The test deletes the object after the release.
   */
  readonly objects?: (namespace: string) => object;
  /** Name of the golden file with the output that CI shows while the rollout fails. */
  readonly view?: string;
  /** Whether `npm test` deploys this release. `npm run test:rollouts` deploys all releases. */
  readonly usual?: true;
}

const digest = `@sha256:${"0".repeat(64)}`;
const image = (repository: string): Pick<Broken, "edit"> => ({
  edit: [
    "const common = { database, imageRef, namespace };",
    `const common = { database, imageRef: "${repository}${digest}", namespace };`,
  ],
});
const variable = (secretName: string): string =>
  `env: { PARTNER: { key: "none", secretName: "${secretName}" } },`;
/** A short deadline for releases that show no error before the deadline. */
const soon = "progressDeadlineSeconds: 40,";

const releases: Readonly<Record<string, Broken>> = {
  "a migration that fails": {
    args: 'migrationArgs: ["no-such-command"],',
    cause: /migrate: ended with exit code 2 \(Error\)/,
    log: /, migrate(?: \(previous run\))?:\n(?: .*\n)* .*no-such-command/,
    usual: true,
    view: "live-view-of-a-failure",
  },
  "a crash at the start": {
    args: 'args: ["no-such-command"],',
    cause: /services-orders: ended with exit code 2 \(Error\)/,
    log: /, services-orders(?: \(previous run\))?:\n(?: .*\n)* .*no-such-command/,
  },
  "an image that does not exist": {
    ...image("localhost:5000/services-orders"),
    cause: /: (?:ErrImagePull|ImagePullBackOff): /,
    usual: true,
  },
  "a Secret that does not exist": {
    args: variable("nowhere"),
    cause: /CreateContainerConfigError: secret "nowhere" not found/,
  },
  "a readiness probe that fails": {
    args: `${soon} readinessProbe: { path: "/nowhere" },`,
    cause: /services-orders: runs, but is not ready/,
    late: true,
    log: /, services-orders:\n(?: .*\n)* .*serving on port 8080/,
  },
  "a process that ends without an error": {
    args: 'args: ["--help"],',
    cause: /services-orders: ended with exit code 0 \(Completed\)/,
    log: /, services-orders(?: \(previous run\))?:\n(?: .*\n)* .*Usage: /,
  },
  "a registry that does not answer": {
    ...image("registry.invalid/services-orders"),
    cause: /: (?:ErrImagePull|ImagePullBackOff): /,
  },
  "a key that the Secret does not have": {
    args: variable("partner"),
    cause: /CreateContainerConfigError: couldn't find key none in Secret/,
    objects: () => ({ apiVersion: "v1", kind: "Secret", metadata: { name: "partner" } }),
  },
  "too little memory": {
    args: 'requests: { cpu: "100m", memory: "24Mi" },',
    cause: /exit code (?:137|1) \((?:OOMKilled|Error)\)/,
  },
  "a quota without room": {
    args: "",
    cause: /it gets no pod: .*exceeded quota: full/,
    objects: () => ({
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "full" },
      spec: { hard: { "count/pods": "1" } },
    }),
  },
  "a pod that Pod Security refuses": {
    args: "overrides: { podSpec: (spec) => ({ ...spec, hostNetwork: true }) },",
    cause: /it gets no pod: .*violates PodSecurity/,
  },
  "a wrong password of the database": {
    cause: /migrate: ended with exit code \d \(Error\)/,
    log: /, migrate(?: \(previous run\))?:\n(?: .*\n)* .*password authentication failed/,
    edit: [
      "const common = { database, imageRef, namespace };",
      'const common = { database: { ...database, secretName: "wrong" }, imageRef, namespace };',
    ],
    objects: () => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "wrong" },
      stringData: { password: "wrong", username: "orders" },
    }),
  },
  "a migration that waits for a lock": {
    args: soon,
    cause: /migrate: still runs/,
    late: true,
    locked: true,
  },
  "a node that does not exist": {
    args: `${soon} nodeSelector: { place: "nowhere" },`,
    cause: /finds no node: /,
    late: true,
  },
};

const lock =
  "BEGIN; LOCK TABLE flyway_schema_history IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(300); COMMIT";
const unlock =
  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'";

const everything = process.env["ROLLOUTS"] === "all";
const tried = Object.entries(releases).filter(([, { usual }]) => everything || usual === true);

describe("a stack in the cluster", function () {
  let stack: OwnStack;
  before(async () => {
    stack = await OwnStack.deployed("rollouts");
  });
  after(async () => {
    await stack.removed();
  });

  describe("a release that cannot succeed", () => {
    /**
     * Returns everything that a failed release must not change: the CronJobs, and the pods that
     * receive requests.
     */
    async function others(): Promise<unknown> {
      const path = "jsonpath={range .items[*]}{.metadata.name} {.metadata.generation}{'\\n'}{end}";
      const jobs = await kubectl(["-n", stack.namespace, "get", "cronjobs", "-o", path]);
      return [jobs, await servingPods(stack.namespace)];
    }

    for (const [title, broken] of tried) {
      const { args, cause, edit, late, locked, log, objects, view } = broken;
      it(`${title}: the update fails with it, jobs and old pods stay, and no request is lost`, async () => {
        const before = await others();
        const own = objects?.(stack.namespace);
        if (own !== undefined) await apply(inNamespace(own, stack.namespace));
        const [file, from, to] =
          edit === undefined ? withArgs(args ?? "") : ["program/environment.ts", ...edit];
        stack.edit(file, from, to);
        // This query ends when `unlock` terminates its session.
        const holding = locked && sql(lock, stack.namespace).catch(() => undefined);
        try {
          const began = Date.now();
          let output = "";
          const results = await stack.underLoad(async () => {
            output = await recorded(title, stack.namespace, async () =>
              log === undefined ? stack.fails(title) : stack.failsToDeploy(title),
            );
          }, 25);
          const error = /error: (The rollout of .*)/.exec(output)?.[1] ?? output.slice(-3000);
          console.log(`      ${((Date.now() - began) / 1000).toFixed(0)} s: ${error}`);
          assert.match(error, cause);
          // If the release is not `late`, the update must fail before the deadline. At the
          // deadline, Kubernetes reports an error of its controller. This error does not contain
          // the cause.
          if (late !== true) assert.doesNotMatch(error, /timed out progressing/);
          if (log !== undefined) {
            const [, report = output] = output.split("What Kubernetes says in namespace ");
            assert.match(report, log);
          }
          if (view !== undefined) matchesLiveView(view, output);
          await nothingWasLost(stack.namespace, results);
          assert.deepEqual(await others(), before);
        } finally {
          // Removes the cause of this failure, so that this cause does not affect the next release.
          if (locked === true) await sql(unlock, stack.namespace);
          await holding;
          stack.edit(file, to, from);
          if (own !== undefined) {
            await kubectl(["delete", "-f", "-"], JSON.stringify(inNamespace(own, stack.namespace)));
          }
        }
      });
    }

    it("is followed by one that succeeds, without help", async () => {
      matchesLiveView("live-view", await stack.release("good"));
      assert.ok((await podsOf(stack.namespace)).every(({ ready }) => ready));
    });
  });

  describe("a release whose pods are slow, one after another", () => {
    const { deadline, pods, seconds } = everything
      ? { deadline: 75, pods: 8, seconds: 45 }
      : { deadline: 60, pods: 2, seconds: 35 };

    it("succeeds, although it takes much longer than the deadline of one pod", async () => {
      await stack.set("quota", JSON.stringify({ cpu: "4", memory: "12Gi", pods: 25 }));
      await stack.set("replicas", String(pods));
      const fewConnections = 'env: { DATABASE_POOL_SIZE: "3" },';
      const some = withArgs(fewConnections);
      stack.edit(...some);
      await stack.release("many");
      const [file, , before] = some;
      const slow = `maxSurge: 1, minReadySeconds: ${String(seconds)}, progressDeadlineSeconds: ${String(deadline)},`;
      const [, , after] = withArgs(`${fewConnections} ${slow}`);
      stack.edit(file, before, after);
      const began = Date.now();
      const results = await stack.underLoad(
        async () => recorded("slow pods", stack.namespace, async () => stack.release("slow")),
        25,
      );
      const took = (Date.now() - began) / 1000;
      console.log(`      ${took.toFixed(0)} s, of which one pod may take ${String(deadline)} s`);
      assert.ok(took > pods * seconds);
      await nothingWasLost(stack.namespace, results);
      const there = await podsOf(stack.namespace);
      assert.deepEqual([there.length, there.every(({ ready }) => ready)], [pods, true]);
      stack.edit(file, after, some[1]);
      await stack.set("replicas", "2");
    });
  });

  describe("after someone has changed it", () => {
    const differ = 3;

    // Deploys a release first, because `kubectl rollout undo` needs an earlier release.
    before(async () => {
      await stack.release("undone");
    });

    async function drift(code: number, ...expected: readonly RegExp[]): Promise<void> {
      const { code: got, output } = await stack.npm("drift", "local");
      assert.equal(got, code, output);
      for (const one of expected) assert.match(output, one);
    }
    const kubectlIn = async (...args: readonly string[]): Promise<unknown> =>
      kubectl(["-n", stack.namespace, ...args]);
    async function deployed(): Promise<void> {
      succeeded(await stack.npm("deploy", "local", "--yes"));
      await drift(0, /everything is as the last update left it/);
      assert.ok((await podsOf(stack.namespace)).every(({ ready }) => ready));
    }

    it("drift names each field, both values, the tool and the time; a deploy takes all of it back", async () => {
      await drift(0);
      const deployment = "deployment/services-orders";
      await kubectlIn("rollout", "undo", deployment);
      await kubectlIn("scale", deployment, "--replicas=3");
      await kubectlIn("set", "env", deployment, "-c", "services-orders", "DEBUG=1", "DD_ENV=else");
      await kubectlIn("set", "image", deployment, `services-orders=localhost:5000/other${digest}`);
      await kubectlIn("label", deployment, "owner=ada");
      const host = { op: "replace", path: "/spec/rules/0/host", value: "other.localhost" };
      const ingress = ["ingress/services-orders", "--type=json", "-p", JSON.stringify([host])];
      await kubectlIn("patch", ...ingress);
      await kubectlIn(
        "patch",
        "cronjob/export",
        "-p",
        JSON.stringify({ spec: { suspend: false } }),
      );
      const at = String.raw`, 20\d\d-\d\d-\d\d \d\d:\d\d UTC\)`;
      const line = (object: string, field: string, tool: string): RegExp =>
        new RegExp(`^${object}: .*${field} \\(${tool}${at}$`, "m");
      await drift(
        differ,
        // If someone scales a Deployment, the API server does not record the time, so this line
        // contains no time.
        /^Deployment services-orders: spec.replicas: 2 → 3 \(kubectl scale\)$/m,
        line("Deployment services-orders", String.raw`labels\.version: undone → \S+`, "kubectl"),
        line(
          "Deployment services-orders",
          String.raw`env\[name=DEBUG\]: not set → 1`,
          "kubectl-set",
        ),
        line(
          "Deployment services-orders",
          String.raw`env\[name=DD_ENV\].*: .* → .*`,
          "kubectl-set",
        ),
        line("Deployment services-orders", "image: services-orders@.* → other@.*", "kubectl-set"),
        line("Deployment services-orders", "labels.owner: not set → ada", "kubectl-label"),
        line(
          "Ingress services-orders",
          "spec.rules.0..host: .* → other.localhost",
          "kubectl-patch",
        ),
        line("CronJob export", "spec.suspend: true → false", "kubectl-patch"),
      );
      await deployed();
    });

    it("names objects that are gone, and makes them again", async () => {
      await kubectlIn("delete", "deployment/services-orders", "service/services-orders");
      await drift(
        differ,
        /^Deployment services-orders is gone$/m,
        /^Service services-orders is gone$/m,
      );
      await deployed();
    });

    if (everything) {
      it("makes a namespace again, with everything in it", async () => {
        await kubectl(["delete", "namespace", stack.namespace]);
        await drift(differ, new RegExp(`^Namespace ${stack.namespace} is gone$`, "m"));
        await deployed();
      });
    }
  });

  describe("a long migration", () => {
    const deadline = 30;
    const name = "services-orders-migrate-v9000";
    const [file, from, to] = withArgs(
      `progressDeadlineSeconds: ${String(deadline)}, overrides: { migrationJobSpec: (spec) => ({ ...spec, backoffLimit: 0 }) },`,
    );
    // The migration fails until the table exists.
    const migration = `-- expand, long\nSELECT pg_sleep(${String(deadline + 15)}) FROM gate;\n`;
    const uidOf = async (kind: string, of: string): Promise<string> =>
      kubectl(["-n", stack.namespace, "get", kind, of, "-o", "jsonpath={.metadata.uid}"]);
    const job = async (): Promise<string> => uidOf("job", name);
    const deployment = async (): Promise<string> => uidOf("deployment", "services-orders");
    before(async () => {
      await stack.addMigration("V9000__long.sql", migration);
      stack.edit(file, from, to);
    });
    after(() => {
      stack.edit(file, to, from);
    });

    it("that fails: the update fails with the end of its log, and the old pods stay", async () => {
      const before = await servingPods(stack.namespace);
      const output = await stack.fails("long");
      assert.match(
        output,
        new RegExp(
          `The migration in Job "${name}" failed: Pod ${name}-\\S+, migrate: ended with exit code 1 \\(Error\\): services-orders migrate: the database refused a statement \\(SQLSTATE 42P01\\)\n`,
        ),
      );
      assert.match(output, /relation "gate" does not exist/);
      assert.deepEqual(await servingPods(stack.namespace), before);
    });

    it("runs again in the next update, and takes longer than the deadline of a rollout", async () => {
      await sql("CREATE TABLE gate AS SELECT 1", stack.namespace);
      const [failed, served] = [await job(), await deployment()];
      let output = "";
      const results = await stack.underLoad(async () => {
        output = await stack.up();
      }, 25);
      assert.match(output, /V9000__long.sql runs for \d+ s, for \d+ s of at most 240 min/);
      assert.match(output, /migrated in \d+ s/);
      await nothingWasLost(stack.namespace, results);
      assert.notEqual(await job(), failed);
      assert.equal(await deployment(), served);
    });

    it("is left alone by the next update, and drift does not report it", async () => {
      const done = await job();
      assert.doesNotMatch(await stack.up(), /migrated in/);
      assert.equal(await job(), done);
      const { code, output } = await stack.npm("drift", "local");
      assert.equal(code, 0, output);
    });
  });
});

/**
 * Returns an edit that adds args to the web service: the file, the text to replace, and the new
 * text.
 */
function withArgs(args: string): readonly [file: string, from: string, to: string] {
  const from = "    replicas: settings.replicas,\n    requests: settings.requests,\n";
  return ["program/web-service-args.ts", from, `${from}    ...{ ${args} },\n`];
}

function inNamespace(object: object, namespace: string): object {
  const { metadata } = object as { metadata: object };
  return { ...object, metadata: { ...metadata, namespace } };
}
