import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { stackOf } from "../../operations/stacks/review-stack";
import { type End } from "../../pipeline/run/order";
import { rehearse, type RunOptions } from "../../pipeline/run/run";
import { net } from "../../sandbox/layout";
import type { PrivateRegistry } from "./aws/private-registry";
import { issue, StandIn } from "../operations/support/http-stand-in";
import { until } from "./support/cluster";
import { edit, kubectl, refused, succeeded } from "./support/commands";
import { Environments, type Who } from "./support/environments";
import { stepByStep } from "./support/step-by-step";

const branch = "env-feature/pipeline_A";
const namespace = `services-orders-${stackOf(branch)}`;
/**
 * Jobs that a run skips, because the settings in the clone differ from the committed settings.
 * `npm test` and CI run these jobs' checks on the committed code.
 */
const checked = ["check", "test-unit"];
/**
 * Makes Maven run only one test class. The job that tests the service must run, because this job
 * also builds the jars. One test class is enough, because `npm test` already runs all tests of the
 * service.
 */
const oneServiceTest = { MAVEN_OPTS: "-Dtest=ConfigurationTest" };

/**
 * Returns a script for a job. The script sends a request with this password to the registry, and
 * prints the status and the response.
 */
function askWith(host: string, password: string): string {
  const login = `Basic ${Buffer.from(`AWS:${password}`).toString("base64")}`;
  const options = JSON.stringify({ headers: { Authorization: login } });
  const print = "async (answer) => console.log(answer.status, await answer.text())";
  return `node -e 'fetch("https://${host}/v2/", ${options}).then(${print})'`;
}

/** Returns a script for a job. The script assumes the job's role with this token. */
function assumeWith(token: string): string {
  const session = '--region "$AWS_REGION" --role-arn "$AWS_ROLE_ARN" --role-session-name job';
  return `aws sts assume-role-with-web-identity ${session} --web-identity-token ${token}`;
}

interface Message {
  readonly text: string;
}

/**
 * Runs the workflows with their real commands, in clean copies of the project. HTTP stand-ins
 * replace GitHub and Slack.
 */
describe("the pipelines, end to end", () => {
  stepByStep();
  let all: Environments;
  let contexts: string;
  let registry: PrivateRegistry;
  const comments = issue([]);
  let pullRequest = "open";
  const github = new StandIn((asked) =>
    /\/pulls\/\d+$/.test(asked.path)
      ? { body: JSON.stringify({ state: pullRequest }), status: 200 }
      : comments.answers(asked),
  );
  const slack = new StandIn(() => ({ body: "ok", status: 200 }));
  const told = (): readonly string[] =>
    slack.asked.map(({ body }) => (JSON.parse(body) as Message).text);

  const run = async (
    workflow: string,
    options: RunOptions = {},
  ): Promise<Readonly<Record<string, End>>> => {
    const result = await rehearse(workflow, {
      contexts,
      env: { ...process.env, ...all.clone.env, ...oneServiceTest },
      root: all.clone.directory,
      ...options,
    });
    return Object.fromEntries([...result].map(([name, { end }]) => [name, end]));
  };
  const exists = async (what: string, where: string): Promise<boolean> =>
    (await kubectl(["-n", where, "get", what, "--ignore-not-found", "-o", "name"])) !== "";
  /**
   * Returns the requests to which ECR has answered with this status: the requests of the node, or
   * the requests of jobs and BuildKit.
   */
  const answered = (who: "jobs" | "node", status: number): readonly string[] =>
    registry.ecr.asked
      .filter((one) => one.status === status && (one.from === net.nodeAddress) === (who === "node"))
      .map(({ method, path }) => `${method} ${path}`);
  const ended = (ends: Readonly<Record<string, End>>, end: End): readonly string[] =>
    Object.keys(ends).filter((name) => ends[name] === end);

  before(async () => {
    all = await Environments.make("pipelines", "ECR");
    assert.ok(all.registry !== undefined);
    registry = all.registry;
    await all.prepare();
    // Creates the stack as docs/bootstrap.md describes, because the job that previews production
    // has no permission to create the stack.
    await all.pulumi("prod", "stack", "init", "prod", "--no-select");
    const entry = 'name: "export",';
    const tell = 'onFailure: { tell: "slack:#orders-alerts" },';
    edit(all.clone.directory, "jobs.ts", entry, `${entry} ${tell}`);
    await all.clone.commit("The key of production, and a recipient of messages about a job");
    await all.clone.push("main");
    contexts = mkdtempSync(join(tmpdir(), "services-orders-contexts-"));
    const slackUrl = await slack.start();
    const githubUrl = await github.start();
    const rights = (who: Who): string => {
      const role = registry.role(typeof who === "string" ? who : "review");
      return `KUBECONFIG=${all.rightsOf(who).KUBECONFIG}\n${role}`;
    };
    const files = {
      "canary-removal": rights("canary-removal"),
      notifier: rights("notifier"),
      github: `GITHUB_TOKEN=hush\nGITHUB_API_URL=${githubUrl}\n`,
      preview: rights("preview"),
      prod: rights("prod"),
      review: rights({ branch }),
      "review-removal": rights({ branch: "main" }),
      slack: [
        `SLACK_WEBHOOK_URL=${slackUrl}/services/T/B/main\n`,
        `SLACK_WEBHOOK_URL_ORDERS_ALERTS=${slackUrl}/services/T/B/alerts\n`,
      ].join(""),
      "slack-review": `SLACK_WEBHOOK_URL=${slackUrl}/services/T/B/review\n`,
      staging: rights("staging"),
    };
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(contexts, `services-orders-${name}.env`), text);
    }
  });
  after(async () => {
    await all.remove();
    await slack.stop();
    await github.stop();
    rmSync(contexts, { force: true, recursive: true });
  });

  it("on main: staging, a message that asks, and after the approval production with the same image", async () => {
    const { password } = registry.ecr.token();
    const token = registry.sts.jobToken();
    let logins = 0;
    const ends = await run("main", {
      skip: checked,
      approve: async () => {
        // Simulates an approval 13 hours later, when the logins and the tokens of earlier jobs have
        // expired.
        registry.moveClock(13);
        logins = answered("jobs", 200).filter((asked) => asked === "POST /").length;
        assert.match(
          await registry.inJob("staging", askWith(registry.host, password)),
          /^403 .*Your authorization token has expired. Reauthenticate and try again./,
        );
        assert.match(
          await registry.inJob("staging", assumeWith(token)),
          /ExpiredTokenException.*Token expired/,
        );
        assert.ok(await exists("deployment/services-orders", "services-orders-staging"));
        assert.ok(!(await exists("deployment/services-orders", "services-orders")));
        assert.match(told().at(-1) ?? "", /^prod waits for an approval/);
        return true;
      },
    });
    assert.deepEqual([...ended(ends, "failed"), ...ended(ends, "held")], []);
    assert.ok(answered("jobs", 200).filter((asked) => asked === "POST /").length > logins);
    const output = async (stack: string): Promise<string> =>
      (await all.pulumi("preview", "stack", "output", "imageRef", "--stack", stack)).trim();
    assert.equal(await output("prod"), await output("staging"));
    assert.deepEqual(
      told().map((text) => text.replace(/:.*/, "")),
      ["staging is deployed", "prod waits for an approval", "prod is deployed"],
    );
    const { body } = slack.asked.at(-1) ?? { body: "" };
    assert.match(body, /Open the service/);
    assert.match(body, /\*Took\*/);
  });

  it("pushes and pulls only with a login, and pulls on the node by its credential provider", async () => {
    const pushed = answered("jobs", 201).filter((asked) => asked.startsWith("PUT "));
    assert.match(pushed.join("\n"), /^PUT \/v2\/services-orders\/manifests\/build-[0-9a-f]{40}$/m);
    assert.match(pushed.join("\n"), /manifests\/deployed-staging$/m);
    assert.match(pushed.join("\n"), /manifests\/release-/m);
    assert.match(answered("node", 200).join("\n"), /^(?:GET|HEAD) .*\/manifests\/sha256:/m);

    const image = await all.pulumi("preview", "stack", "output", "imageRef", "--stack", "staging");
    const where = "pipelines-pull";
    await kubectl(["create", "namespace", where]);
    try {
      /** Creates a pod, and returns the state of its container when the pull has ended. */
      const pull = async (name: string): Promise<string> => {
        const [flags, path] = ["--image-pull-policy=Always", "{.status.containerStatuses[0]}"];
        await kubectl(["-n", where, "run", name, `--image=${image.trim()}`, flags]);
        let state = "";
        const done = async (): Promise<boolean> => {
          state = await kubectl(["-n", where, "get", "pod", name, "-o", `jsonpath=${path}`]);
          return /ErrImagePull|ImagePullBackOff|"imageID":"[^"]/.test(state);
        };
        await until(`pod ${name} has pulled its image, or cannot`, done, 60);
        return state;
      };
      registry.nodeMayLogIn = false;
      assert.match(await pull("without"), /401 Unauthorized|no basic auth credentials/);
      assert.match(answered("node", 401).join("\n"), /manifests/);
      registry.nodeMayLogIn = true;
      assert.match(await pull("with"), /"imageID":"[^"]/);
    } finally {
      registry.nodeMayLogIn = true;
      await kubectl(["delete", "namespace", where, "--timeout=120s"]);
    }
  });

  it("on a branch: previews in one comment, an approval, the review stack, a message", async () => {
    await all.clone.git("checkout", "--quiet", "-B", branch);
    appendFileSync(join(all.clone.directory, "service/src/main/resources/rehearsal.txt"), "x\n");
    await all.clone.commit("A feature");
    await all.clone.push(branch);
    const before = told().length;
    const ends = await run("branch", {
      approve: async () => {
        const [text = "", ...more] = [...comments.comments.values()];
        assert.deepEqual(more, []);
        for (const stack of [stackOf(branch), "staging", "prod"]) {
          assert.ok(text.includes(`<!-- preview of ${stack} -->`), text.slice(0, 2_000));
        }
        assert.ok(!(await exists("deployment/services-orders", namespace)));
        assert.equal(told().length, before);
        return true;
      },
      skip: checked,
    });
    assert.deepEqual([...ended(ends, "failed"), ...ended(ends, "held")], []);
    assert.ok(await exists("deployment/services-orders", namespace));
    assert.match(told().at(-1) ?? "", new RegExp(`^${stackOf(branch)} is deployed`));
    const voices = new Set(slack.asked.slice(before).map(({ path }) => path));
    assert.deepEqual([...voices], ["/services/T/B/review"]);
  });

  it("builds a canary's image from the commit, starts it after an approval, and stops it without one", async () => {
    const commit = await all.clone.git("rev-parse", branch);
    const parameters = { branch, commit, percent: "25" };
    const canary = "deployment/services-orders-canary";
    // The earlier tests have checked out the branch. This workflow must run with the code of main,
    // because the pipeline starts a canary only from main.
    const started = await run("canary-start", {
      approve: async () => {
        assert.ok(!(await exists(canary, "services-orders")));
        assert.match(slack.asked.at(-1)?.body ?? "", new RegExp(commit.slice(0, 7)));
        return true;
      },
      branch: "main",
      commit: "main",
      parameters,
    });
    assert.equal(started["tell-canary"], "success");
    assert.ok(await exists(canary, "services-orders"));
    assert.ok(await exists("networkpolicy/services-orders-canary", "services-orders"));
    const stopped = await run("canary-stop", { branch: "main", parameters: { action: "stop" } });
    assert.equal(stopped["tell-stopped"], "success");
    assert.ok(!(await exists(canary, "services-orders")));
  });

  it("runs a command in production only after an approval, and keeps its output as an artifact", async () => {
    const command = "export --since 1d --format csv";
    const artifacts = mkdtempSync(join(tmpdir(), "services-orders-artifacts-"));
    const jobs = async (): Promise<string> =>
      kubectl(["-n", "services-orders", "get", "jobs", "-o", "name"]);
    try {
      const before = await jobs();
      refused(
        await all.run("prod", ["run", "prod", "--", ...command.split(" ")]),
        /pipeline recover/,
      );
      const ends = await run("run-prod", {
        approve: async () => {
          assert.equal(await jobs(), before);
          return true;
        },
        artifacts,
        branch: "main",
        parameters: { action: "run-prod", command, reason: "for the accountants" },
      });
      assert.deepEqual([...ended(ends, "failed"), ...ended(ends, "held")], []);
      const output = readFileSync(join(artifacts, "run-prod", "reports", "output"), "utf8");
      assert.match(output, /^id,currency,status,total,createdAt,updatedAt\r\n/);
    } finally {
      rmSync(artifacts, { force: true, recursive: true });
    }
  });

  it("sends one message about a failed run of a job, to the job's channel, and no second one", async () => {
    const where = ["-n", "services-orders-staging"];
    const from = ["create", "job", "export-broken", "--from=cronjob/export"];
    const made = await kubectl([...where, ...from, "--dry-run=client", "-o", "json"]);
    const job = JSON.parse(made) as {
      spec: { backoffLimit: number; template: { spec: { containers: { args: string[] }[] } } };
    };
    job.spec.backoffLimit = 0;
    for (const container of job.spec.template.spec.containers) {
      container.args = ["export", "--format", "papyrus"];
    }
    await kubectl([...where, "create", "-f", "-"], JSON.stringify(job));
    await kubectl([
      ...where,
      "wait",
      "job/export-broken",
      "--for=condition=Failed",
      "--timeout=90s",
    ]);
    const before = slack.asked.length;
    for (const round of ["first", "second"]) {
      const ends = await run("notify-jobs", { branch: "main" });
      assert.deepEqual([...ended(ends, "failed"), ...ended(ends, "held")], [], round);
    }
    const [sent, ...more] = slack.asked.slice(before);
    assert.deepEqual(more, []);
    assert.equal(sent?.path, "/services/T/B/alerts");
    assert.match(sent.body, /staging: job export has 1 failed run/);
    assert.match(sent.body, /ended with exit code 2 \(Error\): .*--format.*papyrus/);
    const screen = succeeded(await all.run("preview", ["status", "staging"])).output;
    assert.match(screen, /job notifier +last ran/);
  });

  it("refuses a production deploy of more than what was previewed and approved", async () => {
    await all.clone.git("checkout", "--quiet", "main");
    const plan = ["--save-plan", "reports/plan-prod.json"];
    succeeded(await all.run("preview", ["preview", "prod", ...plan]));
    const [file, three, four] = ["Pulumi.prod.yaml", 'replicas: "3"', 'replicas: "4"'] as const;
    edit(all.clone.directory, file, three, four);
    const deploy = ["deploy", "prod", "--yes", "--approved", "reports/plan-prod.json"];
    refused(
      await all.run("prod", deploy),
      /More would change than was approved:\n- Deployment services-orders would now be changed too/,
    );
    edit(all.clone.directory, file, four, three);
  });

  it("tells why a job failed", async () => {
    const commit = await all.clone.git("rev-parse", branch);
    // If one of four pods is a canary pod, the canary gets 25 % of the requests. So the command
    // refuses to start a canary for 10 %. The run skips `canary-build`, because the registry
    // already has the image of the commit.
    const ends = await run("canary-start", {
      approve: ["approve-canary"],
      branch: "main",
      parameters: { branch, commit, percent: "10" },
      skip: ["canary-build"],
    });
    assert.deepEqual(ended(ends, "failed"), ["canary-start"]);
    assert.match(told().at(-1) ?? "", /^prod-canary failed/);
    assert.match(slack.asked.at(-1)?.body ?? "", /more than twice the requested 10 %/);
  });

  it("refuses a deploy whose pull request was closed after the approval", async () => {
    pullRequest = "closed";
    await all.clone.git("checkout", "--quiet", branch);
    const { GITHUB_API_URL = "", GITHUB_TOKEN = "" } = parseEnv(
      readFileSync(join(contexts, "services-orders-github.env"), "utf8"),
    );
    const env = {
      ...{ GITHUB_API_URL, GITHUB_REPOSITORY: "example/services-orders", GITHUB_TOKEN },
      PULL_REQUEST: "1",
    };
    refused(
      await all.run({ branch }, ["review", "up"], env),
      /pull request of branch .* is merged or closed/,
    );
    await all.clone.git("checkout", "--quiet", "main");
  });

  it("tears the review stack down when the pull request is closed", async () => {
    await all.clone.git("branch", "--quiet", "-D", branch);
    const ends = await run("teardown", { branch });
    assert.equal(ends["teardown"], "success");
    assert.ok(!(await exists(`namespace/${namespace}`, "default")));
  });

  it("sweeps by the clock, and sends no message when nothing has expired", async () => {
    const before = told().length;
    const ends = await run("sweep", { branch: "main" });
    assert.deepEqual(ended(ends, "success"), ["sweep-reviews", "sweep-canary"]);
    assert.equal(told().length, before);
  });
});
