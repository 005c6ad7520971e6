import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { evaluate, parseExpression } from "../../pipeline/checks/expression";
import { againstSchema, circleciSchema, SchemaMissing } from "../../pipeline/checks/schema";
import { show, Source } from "../../pipeline/checks/source";
import { type PlacedJob, workflowsOf } from "../../pipeline/checks/shape";
import { contextOf } from "../../pipeline/contexts";
import type { Config, Place } from "../../pipeline/model";
import { inOneProject as pipelines, pipelines as written } from "../../pipeline/pipelines";
import { type End, next } from "../../pipeline/run/order";
import { circleciJob } from "../../operations/locks/circleci-job";
import { executorImages, insideNetwork } from "../../config/circleci";
import { job, recorded } from "../../pipeline/steps";
import { directory, files, yaml } from "../../pipeline/write";
import { project } from "../../lib/project";
import { versions } from "../../sandbox/install/parts";

/** Environment variables that CircleCI sets in each job. */
const ofCircleci = {
  CIRCLECI: "true",
  CIRCLE_OIDC_TOKEN_V2: `e30.${Buffer.from('{"oidc.circleci.com/ssh-rerun":false}').toString("base64url")}.`,
  CIRCLE_WORKFLOW_JOB_ID: "0d5b8a70-5a5c-4b6e-9d5e-1a2b3c4d5e6f",
};

interface There extends Place {
  readonly name: string;
  readonly command: string;
}

/**
 * Returns the jobs of a workflow, each with its `npm run` command. An approval has an empty
 * command.
 */
function jobsOf(file: string, workflow: string): readonly There[] {
  const config = pipelines[file];
  return (config?.workflows[workflow]?.jobs ?? []).map((entry) => {
    const [name = "", place = {}] =
      typeof entry === "string" ? [entry] : (Object.entries(entry)[0] ?? []);
    const commands = (config?.jobs[name]?.steps ?? []).flatMap((step) =>
      typeof step === "object" && "run" in step && step.run.command.startsWith("npm run ")
        ? [(step.run as { readonly command: string }).command.replace(recorded, "")]
        : [],
    );
    return { ...place, command: commands.join(" | "), name };
  });
}

/** Returns the jobs of a workflow in the form in which the checks read them from the YAML file. */
const placesOf = (file: string, workflow: string): readonly PlacedJob[] =>
  workflowsOf(new Source(file, yaml(pipelines[file] as Config)))
    .filter(({ name }) => name === workflow)
    .flatMap(({ jobs }) => jobs);

/**
 * Returns a job's command without the options at its end, such as `--format`. If the job has no
 * command, returns the job's name.
 */
const inShort = ({ command, name }: There): string =>
  command === ""
    ? name
    : command.replace(
        /(?: --)? --(?:cause-file|comment|deployed|save-release|format|report|summary) .*$/,
        "",
      );

const changesStack = ({ command }: Pick<There, "command">): boolean =>
  /npm run (?:canary -- (?:start|stop)|deploy|resume|review|rollback|run|sweep|unlock)(?= |$)(?!.* --preview )/.test(
    command,
  );

/**
 * Matches commands that change nothing. The pipeline must report the failures of these commands to
 * people, too.
 */
const asks = /npm run smoke |npm run \w+ .* --preview /;

const told = (stack: string): readonly string[] => [
  `npm run notify -- deployed --stack ${stack}`,
  ...["failed", "canceled", "failed", "canceled"].map(
    (event) => `npm run notify -- ${event} --stack ${stack}`,
  ),
];

const workflows = Object.entries(pipelines).flatMap(([file, config]) =>
  Object.keys(config.workflows).map((name) => ({ file, jobs: jobsOf(file, name), name })),
);

describe("the pipelines", () => {
  it("are written as the model says, and so are their pictures", () => {
    const advice = 'is not what pipeline/ says: run "npm run pipeline"';
    for (const [file, text] of files()) {
      assert.ok(readFileSync(join(project, file), "utf8") === text, `${file} ${advice}`);
    }
    assert.deepEqual(
      readdirSync(join(project, directory)).sort(),
      Object.keys(written).sort(),
      `${directory} ${advice}`,
    );
  });

  it("run on a branch what people know, in their order", () => {
    assert.deepEqual(jobsOf("config.yml", "branch").map(inShort), [
      ...["npm run check", "npm run test:unit", "npm run test:service", "npm run scan"],
      ...["npm run image -- review", "npm run scan -- image"],
      ...["npm run preview -- review", "npm run preview -- staging", "npm run preview -- prod"],
      ...[
        "approve-review",
        'npm run review -- up "$CIRCLE_BRANCH" --approved reports/plan-review.json',
        "npm run smoke -- review",
      ],
      ...told("review"),
    ]);
  });

  it("let a review stack be approved though staging's or production's preview fails, once all are shown", () => {
    const jobs = placesOf("config.yml", "branch");
    const act = (...failed: readonly string[]) => {
      const ends = new Map<string, End>();
      for (let one = next(jobs, ends); one !== undefined; one = next(jobs, ends)) {
        if (one.place.name === "approve-review") return one.act;
        const end = failed.includes(one.place.name) ? "failed" : "success";
        ends.set(one.place.name, one.act === "run" ? end : "not_run");
      }
      return undefined;
    };
    assert.equal(act(), "run");
    assert.equal(act("preview-prod"), "run");
    assert.equal(act("preview-staging", "preview-prod"), "run");
    for (const name of ["preview-review", "check", "scan-image-review", "image-review"]) {
      assert.equal(act(name), "skip", name);
    }
  });

  it("run on main what people know, in their order", () => {
    assert.deepEqual(jobsOf("config.yml", "main").map(inShort), [
      ...["npm run check", "npm run test:unit", "npm run test:service", "npm run scan"],
      ...["npm run image -- staging", "npm run scan -- image"],
      ...["npm run deploy -- staging --yes", "npm run smoke -- staging"],
      ...told("staging"),
      ...["npm run promote", "npm run preview -- prod", "npm run notify -- approval --stack prod"],
      ...[
        "approve-prod",
        "npm run deploy -- prod --yes --approved reports/plan-prod.json",
        "npm run smoke -- prod",
      ],
      ...told("prod"),
    ]);
  });

  it("have one command in each job, which a person can run too", () => {
    const { scripts } = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    for (const { command, name, type } of workflows.flatMap(({ jobs }) => jobs)) {
      if (type === "approval") continue;
      const [, script = ""] = /^npm run ([\w:]+)(?: -- .+)?$/.exec(command) ?? [];
      assert.notEqual(script, "", `${name}: ${command}`);
      assert.ok(script in scripts, `${name}: ${command}`);
    }
  });

  it("remove without an approval, with a role that can do nothing else", () => {
    const removing = workflows
      .flatMap(({ jobs }) => jobs)
      .filter(({ command }) => /review -- down|sweep|canary -- stop/.test(command));
    assert.deepEqual(
      removing.map(({ context, name, requires }) => ({ context, name, requires })),
      [
        ["teardown", "review"],
        ["sweep-reviews", "review"],
        ["sweep-canary", "canary"],
        ["canary-stop", "canary"],
      ].map(([name, what = ""]) => ({
        context: [`services-orders-${what}-removal`],
        name,
        requires: undefined,
      })),
    );
  });

  it("tell people when what changes a stack fails, is canceled or runs out of time", () => {
    const ends = { canceled: ["canceled"], failed: ["failed", "unauthorized"] };
    for (const { jobs } of workflows) {
      for (const { name } of jobs.filter((job) => changesStack(job) || asks.test(job.command))) {
        for (const [event, statuses] of Object.entries(ends)) {
          const told = jobs.filter(
            ({ command, requires }) =>
              command.startsWith(`npm run notify -- ${event} `) &&
              JSON.stringify(requires) === JSON.stringify([{ [name]: statuses }]),
          );
          assert.equal(told.length, 1, `${event} ${name}`);
        }
      }
    }
  });

  it("serialize what changes a stack, and a review stack's teardown with its deployment", () => {
    const group = (file: string, workflow: string, name: string) =>
      jobsOf(file, workflow).find((job) => job.name === name)?.["serial-group"];
    const review = group("config.yml", "branch", "deploy-review");
    assert.match(review ?? "", /\/review-<< pipeline\.event\.github\.pull_request\.number >>$/);
    assert.equal(group("teardown.yml", "teardown", "teardown"), review);
    assert.equal(
      group("canary.yml", "canary-start", "canary-start"),
      group("canary.yml", "canary-stop", "canary-stop"),
    );
    for (const { command, "serial-group": own } of workflows.flatMap(({ jobs }) => jobs)) {
      // If two jobs ran `npm run notify -- jobs` for the same stack at the same time, both jobs
      // would send every message.
      const tells = command.startsWith("npm run notify -- jobs ");
      assert.equal(own !== undefined, changesStack({ command }) || tells, command);
    }
  });

  it("tell each job its serial group, and no job another one", () => {
    const groups = workflows.flatMap(({ file, jobs }) =>
      jobs.flatMap(({ command, name, "serial-group": group }) => {
        if (command === "") return [];
        const { environment = {} } = pipelines[file]?.jobs[name] ?? {};
        const env = { ...environment, ...ofCircleci };
        assert.equal(circleciJob(env)?.serialGroup, group, name);
        return group === undefined ? [] : [group];
      }),
    );
    assert.ok(groups.length > 5, groups.join(", "));
  });

  it("tell people when a newer pipeline has displaced what they asked for", () => {
    const told = workflows.flatMap(({ jobs }) =>
      jobs.flatMap(({ command, requires }) =>
        command.startsWith("npm run notify -- skipped ") ? requires : [],
      ),
    );
    const recoveries = Object.keys(pipelines["recover.yml"]?.workflows ?? {});
    assert.deepEqual(told, [
      { teardown: ["not_run"] },
      { "canary-start": ["not_run"] },
      "scan-canary-image",
      { "canary-stop": ["not_run"] },
      ...recoveries.flatMap((name) => [{ [name]: ["not_run"] }, `approve-${name}`]),
    ]);
  });

  it("go back, resume, run a command and unlock after a preview, and an approval of it", () => {
    const recoveries = {
      "resume-prod": ["resume -- prod", "prod"],
      "rollback-prod": ['rollback -- prod --reason "$RECOVER_REASON" --to "$RECOVER_TO"', "prod"],
      "run-prod": [
        'run -- prod --reason "$RECOVER_REASON" --line "$RECOVER_COMMAND" --output reports/output',
        "prod",
      ],
      "unlock-prod": ["unlock -- prod", "prod"],
      "unlock-prod-canary": ["unlock -- prod-canary", "prod"],
      "unlock-staging": ["unlock -- staging", "staging"],
    };
    for (const [name, [command = "", context = ""]] of Object.entries(recoveries)) {
      const jobs = jobsOf("recover.yml", name);
      const [preview, ...more] = jobs.filter(({ context: given = [] }) =>
        given.some((one) => one !== "services-orders-slack"),
      );
      const file = `reports/preview-${name.replace(/^[a-z]+-/, "")}.json`;
      assert.equal(preview?.command, `npm run ${command} --preview ${file}`);
      assert.deepEqual(preview.context, ["services-orders-preview"]);
      const [approval] = jobs.filter(({ type }) => type === "approval");
      assert.deepEqual(approval?.requires, [`preview-${name}`]);
      const [change, ...rest] = more;
      assert.equal(change?.command, `npm run ${command} --approved ${file} --yes`);
      assert.deepEqual(change.context, [`services-orders-${context}`]);
      assert.deepEqual(change.requires, [`approve-${name}`]);
      const smoke =
        name === "rollback-prod" ? ["npm run smoke -- prod --deployed reports/deployed.json"] : [];
      assert.deepEqual(
        rest.map(({ command: one }) => one),
        smoke,
      );
    }
    assert.deepEqual(
      Object.keys(pipelines["recover.yml"]?.workflows ?? {}).sort(),
      Object.keys(recoveries).sort(),
    );
  });

  it("start one recovery for each choice, and one that does nothing by itself when nothing is chosen", () => {
    const { parameters = {}, workflows: all = {} } = pipelines["recover.yml"] ?? {};
    const { action } = parameters;
    assert.ok(action?.type === "enum");
    for (const chosen of action.enum) {
      const started = Object.entries(all).filter(([, { when }]) =>
        evaluate(parseExpression(when), {
          "pipeline.git.branch": "main",
          "pipeline.parameters.action": chosen,
        }),
      );
      assert.deepEqual(
        started.map(([name]) => name),
        [chosen],
      );
    }
    assert.equal(action.default, "rollback-prod");
    assert.equal(parameters["reason"]?.default, "");
  });

  it("never run a recovery and a deploy of the same stack at the same time", () => {
    const group = (file: string, workflow: string, name: string) =>
      jobsOf(file, workflow).find((job) => job.name === name)?.["serial-group"];
    const deploys = {
      prod: group("config.yml", "main", "deploy-prod"),
      "prod-canary": group("canary.yml", "canary-start", "canary-start"),
      staging: group("config.yml", "main", "deploy-staging"),
    };
    for (const name of Object.keys(pipelines["recover.yml"]?.workflows ?? {})) {
      const stack = name.replace(/^[a-z]+-/, "") as keyof typeof deploys;
      assert.ok(deploys[stack]);
      assert.equal(group("recover.yml", name, name), deploys[stack], name);
    }
  });

  it("tell that a recovery was skipped only after its approval", () => {
    const jobs = placesOf("recover.yml", "rollback-prod");
    const acts = (ended: Readonly<Record<string, End>>) => {
      const ends = new Map<string, End>();
      const ran: string[] = [];
      for (let one = next(jobs, ends); one !== undefined; one = next(jobs, ends)) {
        const { act, place } = one;
        const end = act === "run" ? (ended[place.name] ?? "success") : "not_run";
        ends.set(place.name, end);
        if (end !== "not_run") ran.push(place.name);
      }
      return ran;
    };
    assert.deepEqual(acts({}), [
      ...["preview-rollback-prod", "ask-rollback-prod", "approve-rollback-prod"],
      ...["rollback-prod", "smoke-prod", "tell-prod"],
    ]);
    assert.deepEqual(acts({ "preview-rollback-prod": "failed" }), [
      ...["preview-rollback-prod", "tell-failed-preview-rollback-prod"],
    ]);
    // CircleCI does not run `rollback-prod` if a deploy of a newer pipeline waits or runs.
    assert.deepEqual(acts({ "rollback-prod": "not_run" }), [
      ...["preview-rollback-prod", "ask-rollback-prod", "approve-rollback-prod"],
      "tell-skipped-rollback-prod",
    ]);
    assert.deepEqual(acts({ "rollback-prod": "failed" }).slice(-2), [
      ...["rollback-prod", "tell-failed-rollback-prod"],
    ]);
  });

  it("let no sweep displace what people start: its pipeline is always newer", () => {
    const groups = (ofSweep: boolean) =>
      workflows
        .filter(({ name }) => (name === "sweep") === ofSweep)
        .flatMap(({ jobs }) => jobs.flatMap((job) => job["serial-group"] ?? []));
    assert.equal(groups(true).length, 2);
    assert.deepEqual(
      groups(true).filter((group) => groups(false).includes(group)),
      [],
    );
  });

  it("tell of a success only by the report of the job that had it", () => {
    for (const { command } of workflows.flatMap(({ jobs }) => jobs)) {
      const [, event] = /^npm run notify -- (deployed|removed) /.exec(command) ?? [];
      if (event === undefined) continue;
      assert.ok(command.endsWith(` --report reports/${event}.json`), command);
    }
  });

  it("name the end that they wait for after a job with a serial group, whose release says nothing", () => {
    const after = workflows.flatMap(({ jobs }) =>
      jobs.flatMap(({ requires = [] }) => {
        const serial = (name: string) =>
          jobs.find((job) => job.name === name)?.["serial-group"] !== undefined;
        return requires.filter((one) => typeof one === "string" && serial(one));
      }),
    );
    assert.deepEqual(after, []);
    const [smoke] = jobsOf("config.yml", "main").filter(({ name }) => name === "smoke-prod");
    assert.deepEqual(smoke?.requires, [{ "deploy-prod": ["success"] }]);
  });

  it("let nothing of main use a cache that branches fill unverified", () => {
    for (const { file, jobs } of workflows) {
      for (const { context = [], name } of jobs) {
        if (!context.some((one) => contextOf(one)?.onBranches === false)) continue;
        assert.ok(!JSON.stringify(pipelines[file]?.jobs[name]).includes("maven-"), name);
      }
    }
    assert.ok(
      !JSON.stringify(pipelines["config.yml"]?.jobs["test-service-main"]).includes("maven-"),
    );
    assert.ok(JSON.stringify(pipelines["config.yml"]?.jobs["test-service"]).includes("maven-"));
  });

  it("compare the clusters with a role that only reads, and tell Slack without a role", () => {
    for (const stack of ["staging", "prod"]) {
      const [read, tell] = jobsOf("drift.yml", "drift").filter(({ name }) => name.endsWith(stack));
      assert.equal(read?.command, `npm run drift -- ${stack} --output reports/drift-${stack}.json`);
      assert.deepEqual(read.context, ["services-orders-preview"]);
      assert.equal(
        tell?.command,
        `npm run notify -- drift --stack ${stack} --report reports/drift-${stack}.json ` +
          `--told reports/told-drift-${stack}.json --cause-file reports/cause.txt`,
      );
      assert.deepEqual(tell.context, ["services-orders-slack"]);
    }
  });

  it("tell Slack also when the cluster could not be read", () => {
    const jobs = placesOf("drift.yml", "drift");
    const ends = new Map<string, End>([
      ["drift-prod", "failed"],
      ["drift-staging", "success"],
    ]);
    for (const stack of ["staging", "prod"]) {
      const one = next(jobs, ends);
      assert.deepEqual([one?.place.name, one?.act], [`tell-drift-${stack}`, "run"]);
      ends.set(`tell-drift-${stack}`, "success");
    }
  });

  it("tell about jobs with a role that only reads runs, one after the other, and say if that fails", () => {
    for (const stack of ["staging", "prod"]) {
      const name = `notify-jobs-${stack}`;
      const jobs = jobsOf("notify.yml", "notify-jobs").filter((one) => one.name.endsWith(name));
      assert.deepEqual(
        jobs.map((one) => [one.name, one.context]),
        [
          [name, ["services-orders-notifier", "services-orders-slack"]],
          [`tell-failed-${name}`, ["services-orders-slack"]],
          [`tell-canceled-${name}`, ["services-orders-slack"]],
        ],
      );
      assert.equal(jobs[0]?.command, `npm run notify -- jobs --stack ${stack}`);
      assert.equal(jobs[0]["serial-group"], `services-orders/${name}`);
    }
  });

  it("remember from run to run only in jobs without a role, and before they read their report", () => {
    const remembering = workflows.flatMap(({ file, jobs }) =>
      jobs.flatMap(({ context = [], name }) => {
        const steps = pipelines[file]?.jobs[name]?.steps ?? [];
        const remembered = steps.findIndex(
          (step) =>
            typeof step === "object" &&
            "restore_cache" in step &&
            JSON.stringify(step.restore_cache).includes("memory-"),
        );
        if (remembered < 0) return [];
        const attached = steps.findIndex(
          (step) => typeof step === "object" && "attach_workspace" in step,
        );
        assert.ok(remembered < attached, name);
        assert.ok(
          context.every((one) => contextOf(one)?.hasRole !== true),
          name,
        );
        return [name];
      }),
    );
    assert.deepEqual(remembering, ["tell-drift-staging", "tell-drift-prod"]);
    const remembers = "reports/told.json";
    assert.throws(
      () =>
        job(
          "deploy",
          { command: "npm run deploy", remembers },
          { assumesRole: true, inDeployProject: false, mainOnly: true },
        ),
      /has a role/,
    );
  });

  it("restore no cache in a job with rights that only main has: any branch can write it", () => {
    const restoring = workflows.flatMap(({ file, jobs }) =>
      jobs
        .filter(({ context = [] }) => context.some((one) => contextOf(one)?.onBranches === false))
        .map(({ name }) => [
          name,
          (pipelines[file]?.jobs[name]?.steps ?? []).some(
            (step) => typeof step === "object" && "restore_cache" in step,
          ),
        ]),
    );
    assert.ok(restoring.length >= 8);
    // The cache of these jobs contains the file in which `npm run notify -- drift` stores what its
    // earlier messages have reported. docs/trust.md describes what a branch can do with this cache
    // if there is no deploy project.
    assert.deepEqual(
      restoring.flatMap(([name, restores]) => (restores ? [name] : [])),
      ["tell-drift-staging", "tell-drift-prod"],
    );
  });

  it("hand reports on in the workspace, and end as their command ended", () => {
    const kept = workflows.flatMap(({ file, jobs }) =>
      jobs.flatMap(({ name }) => {
        const steps = pipelines[file]?.jobs[name]?.steps ?? [];
        return JSON.stringify(steps).includes("EXIT_CODE=") ? [{ name, steps }] : [];
      }),
    );
    assert.ok(kept.length > 10);
    for (const { name, steps } of kept) {
      const kinds = steps.map((step) =>
        typeof step === "string" ? step : (Object.keys(step)[0] ?? ""),
      );
      assert.deepEqual(
        kinds.slice(-5),
        ["run", "persist_to_workspace", "store_artifacts", "store_test_results", "run"],
        name,
      );
      assert.match(JSON.stringify(steps.at(-1)), /exit /, name);
    }
  });

  it("let no two jobs write reports at the same time before one that reads them: CircleCI refuses that", () => {
    for (const { file, jobs, name: workflow } of workflows) {
      const has = (name: string, step: string) =>
        JSON.stringify(pipelines[file]?.jobs[name]?.steps ?? []).includes(step);
      const before = (name: string): ReadonlySet<string> => {
        const required = jobs.find((one) => one.name === name)?.requires ?? [];
        const direct = required.map((one) =>
          typeof one === "string" ? one : (Object.keys(one)[0] ?? ""),
        );
        return new Set(direct.flatMap((one) => [one, ...before(one)]));
      };
      for (const { name } of jobs.filter((one) => has(one.name, '"attach_workspace"'))) {
        const writers = [...before(name)].filter((one) => has(one, '"paths":["reports"]'));
        for (const one of writers) {
          const unordered = writers.filter(
            (other) => other !== one && !before(one).has(other) && !before(other).has(one),
          );
          assert.deepEqual(unordered, [], `${workflow}: ${name}`);
        }
      }
    }
  });

  it("look at stacks behind an internal load balancer from inside the network", () => {
    for (const stack of ["staging", "prod"] as const) {
      const settings = parse(readFileSync(join(project, `Pulumi.${stack}.yaml`), "utf8")) as {
        readonly config: Readonly<Record<string, unknown>>;
      };
      const scheme = settings.config["services-orders:ingressScheme"];
      assert.equal(insideNetwork.stacks.includes(stack), scheme === "internal", stack);
    }
    const jobs = pipelines["config.yml"]?.jobs;
    const smoke = ["review", "staging", "prod"].map((stack) => jobs?.[`smoke-${stack}`]?.executor);
    assert.deepEqual(smoke, ["inside-network", "inside-network", "inside-network"]);
  });

  it("use the engine's version that everything else uses", () => {
    const [image] = executorImages.pulumi.split("@");
    assert.equal(image, `pulumi/pulumi:${versions.pulumi}`);
  });

  it("satisfy CircleCI's own schema", async function () {
    this.timeout(180_000);
    const schema = await circleciSchema().catch((error: unknown) => {
      if (!(error instanceof SchemaMissing)) throw error;
      // Skips the test if this machine cannot get the schema, for example if Python is missing. In
      // CI, a skipped test makes the run fail.
      return this.skip();
    });
    const name = "config.yml";
    const text = readFileSync(join(project, directory, name), "utf8");
    for (const file of readdirSync(join(project, directory))) {
      const source = new Source(file, readFileSync(join(project, directory, file), "utf8"));
      assert.deepEqual(againstSchema(source, schema).map(show), []);
    }
    const runner = text.replace("resource_class: medium", "resource_class: acme/smoke");
    assert.deepEqual(againstSchema(new Source(name, runner), schema).map(show), []);
    const broken = text.replace("no_output_timeout: 40m", "no_output_timeout: [40]");
    const [finding] = againstSchema(new Source(name, broken), schema);
    assert.match(finding?.message ?? "", /^CircleCI's schema: /);
    const lines = broken.slice(0, broken.indexOf("[40]")).split("\n").length;
    assert.equal(finding?.line, lines);
  });
});
