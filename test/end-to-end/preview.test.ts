import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { runPreview } from "../../operations/pulumi/run-preview";
import { readEvents } from "../../operations/pulumi/events";
import { type Plan, planOf } from "../../operations/preview/plan";
import { type Summary, summaryOf } from "../../operations/preview/impact/summary";
import { textOf } from "../../operations/preview/render/text";
import { buildService } from "../../tools/build";
import { command } from "../../lib/command";
import { environment } from "../../sandbox/environment";
import { options } from "../../sandbox/layout";
import { trimmed } from "../operations/support/recorded-previews";
import { issue, StandIn } from "../operations/support/http-stand-in";
import { apply, copyOfProject, edit as editIn, kubectl, npmRun } from "./support/commands";
import { Load } from "./support/load";

// These tests compare the summary of a preview with the effects of the update. The tests make
// eleven changes, one after the other, in a stack with its own state and namespace. With
// RECORD_PREVIEWS=DIR, these tests make two more changes, and also write the engine's events to
// DIR, for the unit tests.

const everything = process.env["RECORD_PREVIEWS"] !== undefined;

const NAMESPACE = "services-orders-preview";
const HOST = "services-orders-preview.localhost";
/** The file that sets the args of the web service. */
const webServiceArgs = "program/web-service-args.ts";
const NEW_HOST = "services-orders-preview-2.localhost";

interface Seen {
  /** UID of each object, by kind and name. */
  readonly objects: ReadonlyMap<string, string>;
  /** Number of container restarts, by the UID of the web pod. Omits pods that are terminating. */
  readonly pods: ReadonlyMap<string, number>;
}

interface Item {
  readonly kind: string;
  readonly metadata: {
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly name: string;
    readonly uid: string;
  };
  readonly status?: { readonly containerStatuses?: readonly { readonly restartCount: number }[] };
}

const kinds = [
  ...["deployments", "statefulsets", "services", "ingresses", "cronjobs", "configmaps"],
  ...["horizontalpodautoscalers", "poddisruptionbudgets", "serviceaccounts", "pods"],
];

async function look(): Promise<Seen> {
  const answer = await kubectl(["-n", NAMESPACE, "get", kinds.join(","), "-o", "json"]);
  const { items } = JSON.parse(answer) as { items: readonly Item[] };
  const foreign = ["configmap/kube-root-ca.crt", "serviceaccount/default"];
  return {
    objects: new Map(
      items
        .filter(({ kind }) => kind !== "Pod")
        .map(({ kind, metadata }) => [`${kind}/${metadata.name}`, metadata.uid] as const)
        .filter(([name]) => !foreign.includes(name.toLowerCase())),
    ),
    pods: new Map(
      items
        .filter(({ kind, metadata }) => kind === "Pod" && metadata.deletionTimestamp === undefined)
        .filter(({ metadata }) => metadata.labels?.["app.kubernetes.io/component"] === "web")
        .map(({ metadata, status }) => [
          metadata.uid,
          (status?.containerStatuses ?? []).reduce((sum, one) => sum + one.restartCount, 0),
        ]),
    ),
  };
}

/** The effects of an update, in a form that a test can compare with a summary. */
interface Outcome {
  readonly created: readonly string[];
  readonly gone: readonly string[];
  /** Whether requests to the previous host failed. */
  readonly lost: boolean;
  /**
   * `same`: all pods are the same. `new`: all pods are new. `some`: some pods are the same, and
   * some are new or deleted.
   */
  readonly pods: "new" | "same" | "some";
  readonly replaced: readonly string[];
}

function outcome(before: Seen, after: Seen, failures: number): Outcome {
  const kept = [...before.pods].filter(
    ([uid, restarts]) => after.pods.get(uid) === restarts,
  ).length;
  const kind = (name: string) => name.split("/")[0] ?? "";
  const of = (names: Iterable<string>, test: (name: string) => boolean) =>
    [...names].filter(test).map(kind).sort();
  return {
    created: of(after.objects.keys(), (name) => !before.objects.has(name)),
    gone: of(before.objects.keys(), (name) => !after.objects.has(name)),
    lost: failures > 0,
    pods:
      kept === 0 ? "new" : kept === before.pods.size && kept === after.pods.size ? "same" : "some",
    replaced: of(before.objects.keys(), (name) => {
      const now = after.objects.get(name);
      return now !== undefined && now !== before.objects.get(name);
    }),
  };
}

/**
 * Returns the outcome that a preview predicts. The changed objects come from the plan, and the
 * effects on pods and requests come from the summary.
 */
function promised({ groups, release }: Summary, { changes }: Plan): Outcome {
  const web = groups.filter(({ type }) => type === "WebService").flatMap(({ rows }) => rows);
  const all = groups.flatMap(({ rows }) => rows);
  const says = (effects: readonly string[]) => web.some(({ effect }) => effects.includes(effect));
  const rolled = release?.effects.some((one) => one.says.startsWith("new pods")) === true;
  const kindsOf = (operation: string) =>
    changes
      .filter((change) => change.operation === operation)
      .map(({ urn }) => urn.split("::")[2]?.split(":").at(-1) ?? "")
      .filter((kind) => kind !== "Image")
      .sort();
  return {
    created: kindsOf("create"),
    gone: kindsOf("delete"),
    lost: all.some(
      ({ effect, says: words }) =>
        ["down", "replaced", "restarts"].includes(effect) ||
        words.includes("old host stops answering"),
    ),
    pods:
      rolled || says(["rolling", "replaced", "restarts", "deleted", "created"])
        ? "new"
        : web.some(({ says: words }) => words.includes("pod more") || words.includes("pods more"))
          ? "some"
          : "same",
    replaced: kindsOf("replace"),
  };
}

describe("the summary of a preview says what then happens", () => {
  let copy: string;
  let env: Record<string, string>;
  let state: string;
  let firstImage: string;

  const pulumi = async (...args: string[]): Promise<string> =>
    command("pulumi", [...args, "--stack", "local", "--non-interactive"], { cwd: copy, env });
  const set = async (key: string, value: string): Promise<void> => {
    await pulumi("config", "set", `services-orders:${key}`, value);
  };
  const edit = (file: string, from: string, to: string): void => {
    editIn(copy, file, from, to);
  };
  const preview = async (record: string): Promise<{ plan: Plan; summary: Summary }> => {
    const nowhere = new Writable({
      write: (_chunk, _encoding, done) => {
        done();
      },
    });
    const { exitCode, log } = await runPreview({
      workspace: { cwd: copy, env },
      stack: "local",
      to: nowhere,
    });
    const directory = process.env["RECORD_PREVIEWS"];
    if (directory !== undefined) {
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, `${record}.jsonl`), trimmed(log));
    }
    const events = readEvents(log);
    return { plan: planOf("local", events), summary: summaryOf("local", events, exitCode) };
  };

  /**
   * Previews a change, applies the change under load, and compares the outcome with the summary.
   * Returns the summary.
   */
  const happens = async (record: string, host = HOST): Promise<Summary> => {
    const { plan, summary } = await preview(record);
    console.log(textOf(summary).replace(/^/gm, "      "));
    assert.deepEqual(summary.errors, []);
    const before = await look();
    const load = new Load({
      host,
      keepAlive: false,
      port: options().ingressPort,
      requestsPerSecond: 10,
    });
    let failures: readonly string[] = [];
    try {
      await pulumi("up", "--yes", "--skip-preview");
      // The load continues for 3 s, because the last change may take effect late.
      await sleep(3_000);
    } finally {
      ({ failures } = await load.stop());
    }
    const seen = outcome(before, await look(), failures.length);
    assert.deepEqual(seen, promised(summary, plan), failures.slice(0, 3).join("\n"));
    return summary;
  };

  before("a separate stack", async () => {
    await buildService(() => undefined);
    copy = copyOfProject();
    state = mkdtempSync(join(tmpdir(), "services-orders-preview-state-"));
    env = { ...environment(), PULUMI_BACKEND_URL: `file://${state}` };
    await command("pulumi", ["stack", "init", "local", "--non-interactive"], { cwd: copy, env });
    await set("namespace", NAMESPACE);
    await set("hostPattern", HOST);
    await set("replicas", "1");
    // The CPU and memory requests are small, so that the pods fit into the sandbox next to all
    // other pods.
    await set("requests", '{"cpu":"50m","memory":"256Mi"}');
    edit(
      webServiceArgs,
      "    ...preset,\n    host:",
      '    ...preset,\n    env: { ORDERS_MODE: "slow" },\n    maxSurge: "100%",\n    host:',
    );
    await pulumi("up", "--yes", "--skip-preview");
    firstImage = await pulumi("stack", "output", "imageRef");
    await set("imageRef", firstImage);
    await apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "given", namespace: NAMESPACE },
      stringData: { a: "first", b: "second" },
    });
    edit(
      webServiceArgs,
      'ORDERS_MODE: "slow"',
      'ORDERS_MODE: "slow", ORDERS_KEY: { key: "a", secretName: "given" }',
    );
    await pulumi("up", "--yes", "--skip-preview");
  });

  after(async () => {
    await pulumi("destroy", "--yes", "--skip-preview");
    rmSync(state, { force: true, recursive: true });
    rmSync(copy, { force: true, recursive: true });
  });

  it("nothing, in one line, for a commit that changes nothing that runs", async () => {
    edit(webServiceArgs, "import ", "// A comment.\nimport ");
    const summary = await happens("nothing");
    assert.equal(textOf(summary), "Preview of local: nothing changes\n");
  });

  it("a new job", async () => {
    edit(
      "jobs.ts",
      "export const jobs: readonly Job[] = [",
      'export const jobs: readonly Job[] = [\n  { name: "export-json", schedule: "17 3 * * *", args: ["export", "--continue", "json", "--format", "json"] },',
    );
    assert.equal((await happens("new-job")).headline, "new job");
  });

  it("another schedule of a job", async () => {
    edit("jobs.ts", "17 3 * * *", "27 4 * * *");
    assert.equal((await happens("job-schedule")).headline, "from the next run on");
  });

  it("a deleted job", async () => {
    edit(
      "jobs.ts",
      '\n  { name: "export-json", schedule: "27 4 * * *", args: ["export", "--continue", "json", "--format", "json"] },',
      "",
    );
    assert.match((await happens("deleted-job")).headline, /^deleted: no more runs/);
  });

  it("more replicas", async () => {
    await set("replicas", "2");
    assert.equal((await happens("replicas")).headline, "1 pod more");
  });

  it("autoscaling", async () => {
    edit(
      webServiceArgs,
      "    replicas: settings.replicas,\n    requests",
      "    autoscaling: { maxReplicas: 3, minReplicas: 2 },\n    requests",
    );
    assert.match((await happens("autoscaling")).headline, /^the autoscaler decides/);
  });

  it("another image", async () => {
    await set("imageRef", await otherDigest(firstImage));
    assert.equal((await happens("image")).headline, "new pods, rolling, no downtime");
  });

  it("another value of a variable", async () => {
    edit(webServiceArgs, 'ORDERS_MODE: "slow"', 'ORDERS_MODE: "fast"');
    assert.equal((await happens("env")).headline, "new pods, rolling, no downtime");
  });

  // These two changes have the same effect as a change to the value of an environment variable.
  if (everything) {
    it("another reference to a Secret", async () => {
      edit(webServiceArgs, 'key: "a", secretName', 'key: "b", secretName');
      assert.equal((await happens("secret-reference")).headline, "new pods, rolling, no downtime");
    });

    it("more memory", async () => {
      await set("requests", '{"cpu":"50m","memory":"300Mi"}');
      assert.equal((await happens("memory")).headline, "new pods, rolling, no downtime");
    });
  }

  it("another host", async () => {
    await set("hostPattern", NEW_HOST);
    assert.match((await happens("host")).headline, /^the old host stops answering/);
  });

  it("a label more in the Deployment's selector", async () => {
    edit(
      webServiceArgs,
      "    ...preset,\n    env",
      `      overrides: {
        deploymentSpec: (spec: any) => ({
          ...spec,
          selector: { matchLabels: { ...spec.selector.matchLabels, tier: "web" } },
          template: {
            ...spec.template,
            metadata: { ...spec.template.metadata, labels: { ...spec.template.metadata.labels, tier: "web" } },
          },
        }),
      },
    ...preset,\n    env`,
    );
    const summary = await happens("selector", NEW_HOST);
    assert.equal(summary.headline, "DANGER: REPLACED, downtime");
    assert.equal(summary.verdict, "danger");
  });

  it("a renamed component", async () => {
    edit("program/environment.ts", "new WebService(identity.service,", 'new WebService("orders",');
    const { notes, verdict } = await happens("renamed", NEW_HOST);
    assert.equal(verdict, "danger");
    assert.match(notes.join("\n"), /services-orders renamed to orders/);
  });

  it("and as a command it says so in its exit code, in JSON and on the pull request", async () => {
    edit("jobs.ts", '"30 3 * * *"', '"31 3 * * *"');
    const { answers, comments } = issue([]);
    const github = new StandIn(answers);
    try {
      const output = join(state, "summary.json");
      const plan = join(state, "plan.json");
      const args = ["preview", "local", "--comment", "--detailed-exitcode", "--format", "json"];
      const { code, output: printed } = await npmRun(
        [...args, "--output", output, "--save-plan", plan],
        {
          cwd: copy,
          env: {
            ...env,
            GITHUB_API_URL: await github.start(),
            GITHUB_REPOSITORY: "acme/services-orders",
            GITHUB_TOKEN: "hush-hush",
            PULL_REQUEST: "7",
          },
        },
      );
      assert.equal(code, 2, printed);
      assert.match(printed, /30 3 \* \* \*.*31 3 \* \* \*/, "Pulumi's own diff is not shown");
      assert.match(
        printed,
        /from the next run on +schedule +schedule: 30 3 \* \* \* → 31 3 \* \* \*/,
      );
      const summary = JSON.parse(readFileSync(output, "utf8")) as Summary;
      assert.equal(summary.headline, "from the next run on");
      assert.equal((JSON.parse(readFileSync(plan, "utf8")) as Plan).changes.length, 1);
      const [body = ""] = [...comments.values()];
      assert.match(body, /`ScheduledJob export` \| from the next run on \| `schedule`/);
      assert.match(body, /<details><summary>Pulumi's diff/);
      assert.doesNotMatch(body + printed, /hush/);
    } finally {
      await github.stop();
    }
  });
});

/**
 * Pushes the same image with an additional annotation in its manifest, so that the image gets
 * another digest. Returns the new reference.
 */
async function otherDigest(imageRef: string): Promise<string> {
  const [, registry = "", repository = "", digest = ""] =
    /^([^/]+)\/(.+)@(sha256:.*)$/.exec(imageRef) ?? [];
  const base = `http://${registry}/v2/${repository}/manifests`;
  const accept = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
  ];
  const answer = await fetch(`${base}/${digest}`, { headers: { Accept: accept.join(",") } });
  const manifest = (await answer.json()) as { annotations?: object };
  const body = JSON.stringify({ ...manifest, annotations: { preview: String(Date.now()) } });
  const put = await fetch(`${base}/preview-test`, {
    body,
    headers: { "Content-Type": answer.headers.get("content-type") ?? "" },
    method: "PUT",
  });
  assert.equal(put.status, 201, await put.text());
  return `${registry}/${repository}@${put.headers.get("docker-content-digest") ?? ""}`;
}
