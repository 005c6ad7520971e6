import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { contentHash } from "../../components/conventions/content-hash";
import { project } from "../../lib/project";
import { command } from "../../lib/command";
import { sandboxProcesses } from "../../sandbox/node/processes";
import { environment } from "../../sandbox/environment";
import { options, paths, registryName, root } from "../../sandbox/layout";
import { askManagement, platformsOf, servingPods, until } from "./support/cluster";
import {
  apply,
  copyOfProject,
  edit,
  kubectl,
  NAMESPACE,
  npmRun,
  pulumi,
  type Run,
  sql,
  succeeded,
} from "./support/commands";
import { Load, nothingWasLost } from "./support/load";
import { machine } from "./support/machine";

const HOST = "services-orders.localhost";
const base = (): string => `http://127.0.0.1:${String(options().ingressPort)}`;

async function api(path: string, init: RequestInit = {}): Promise<Response> {
  // The tests use curl and not `fetch`, for two reasons. `fetch` cannot set the header Host. On
  // some systems, Node.js cannot resolve names below `localhost`.
  const args = ["-sS", "-i", "--max-time", "10", "-H", `Host: ${HOST}`, `${base()}${path}`];
  const body =
    typeof init.body === "string" ? ["-H", "Content-Type: application/json", "-d", init.body] : [];
  const answer = await command("curl", [...args, ...body]);
  const [head = "", ...rest] = answer.split("\r\n\r\n");
  const [status = "", ...headers] = head.split("\r\n");
  return new Response(rest.join("\r\n\r\n"), {
    status: Number(status.split(" ")[1]),
    headers: headers.map((line) => line.split(": ", 2) as [string, string]),
  });
}

const order = JSON.stringify({
  customer: "ada",
  currency: "EUR",
  items: [{ sku: "book", quantity: 1, unitPrice: 1250 }],
});

async function placeOrder(): Promise<string> {
  const answer = await api("/orders", { body: order });
  assert.equal(answer.status, 201);
  return ((await answer.json()) as { id: string }).id;
}

async function live(): Promise<{ commit: string; contentHash: string }> {
  const answer = await askManagement(NAMESPACE, "/health/live");
  return JSON.parse(answer) as { commit: string; contentHash: string };
}

const readyPods = async (): Promise<string[]> => servingPods(NAMESPACE);

const load = (): Load =>
  new Load({ host: HOST, port: options().ingressPort, requestsPerSecond: 20, keepAlive: false });

/**
 * Returns the operation and the resource of each step of a preview. Omits steps that change
 * nothing.
 */
async function preview(cwd: string): Promise<string[]> {
  const { steps } = JSON.parse(await pulumi(["preview", "--json"], cwd)) as {
    steps: { op: string; urn: string }[];
  };
  return steps
    .filter(({ op }) => op !== "same")
    .map(({ op, urn }) => `${op} ${urn.split("::").slice(2).join("::").replace(/^.*\$/, "")}`)
    .sort();
}

describe("from a clean clone to a running service", function () {
  let without: Record<string, string>;
  let first: Run;
  let copy: string;

  before("stopping what runs, so that the machine is as without a sandbox", async () => {
    succeeded(await npmRun(["sandbox", "up"]));
    succeeded(await npmRun(["down"]));
    without = await machine();
    copy = copyOfProject();
  });

  after(() => {
    rmSync(copy, { recursive: true, force: true });
  });

  it("npm run up shows the preview, deploys, and ends with a curl line that answers an order", async () => {
    // On a machine with a login session, this variable names a directory that does not exist on the
    // sandbox's node.
    first = await npmRun(["up"], { env: { XDG_RUNTIME_DIR: "/run/user/0" } });
    succeeded(first);
    assert.match(first.output, /Previewing update \(local\)/);
    assert.match(first.output, /\[\d+\/\d+\] Changing stack local \(pulumi up\)/);
    const line = /^ {2}(curl .*)$/m.exec(first.output)?.[1] ?? "";
    const answer = JSON.parse(await command("sh", ["-c", line])) as { id: string; total: number };
    assert.equal(answer.total, 1250);
    assert.equal((await api(`/orders/${answer.id}`)).status, 200);
    console.log(
      `      npm run up: ${first.seconds.toFixed(0)} s; ${/sandbox start \S+/.exec(first.output)?.[0] ?? ""}`,
    );
  });

  it("no daemon of the node has a variable of the login that started it", () => {
    const daemons = sandboxProcesses().filter(({ commandLine }) =>
      commandLine.startsWith(`${root}/`),
    );
    assert.ok(daemons.length > 8, String(daemons.length));
    for (const { commandLine, pid } of daemons) {
      const variables = readFileSync(`/proc/${String(pid)}/environ`, "utf8").split("\0");
      const login = variables.filter((variable) => variable.startsWith("XDG_RUNTIME_DIR="));
      assert.deepEqual(login, [], commandLine);
    }
  });

  it("two pods serve, and every answer names its version", async () => {
    assert.equal((await readyPods()).length, 2);
    const answer = await api("/orders?limit=1");
    assert.equal(answer.headers.get("service-version"), (await live()).commit);
    assert.equal((await live()).contentHash, contentHash(project));
  });

  it("health and metrics are on the management port only: the Ingress does not lead there", async () => {
    assert.equal(await askManagement(NAMESPACE, "/health/ready"), '{"status":"ready"}');
    assert.match(await askManagement(NAMESPACE, "/metrics"), /^database_available 1/m);
    for (const path of ["/health/live", "/health/ready", "/metrics"]) {
      const answer = await api(path);
      assert.equal(answer.status, 404, path);
      assert.equal(answer.headers.get("content-type"), "application/problem+json");
      const { detail } = (await answer.json()) as { detail: string };
      assert.equal(detail, "There is nothing at this path.");
    }
  });

  it("the image is built for the machine's own platform by default", async () => {
    assert.deepEqual((await platformsOf(await pulumi(["stack", "output", "imageRef"]))).length, 1);
  });

  it("a second npm run up changes nothing", async () => {
    const second = await npmRun(["up"]);
    succeeded(second);
    assert.match(second.output, /Resources:\n\s+\d+ unchanged\n/);
    assert.doesNotMatch(second.output, /\d+ to (create|update|replace|delete)/);
    console.log(`      a second npm run up: ${second.seconds.toFixed(1)} s`);
  });

  it("pulumi preview shows no change, also with --refresh", async () => {
    await pulumi(["preview", "--expect-no-changes"]);
    await pulumi(["preview", "--expect-no-changes", "--refresh"]);
  });

  it("one more entry in jobs.ts previews one ScheduledJob with its CronJob, and the list of jobs in the PodTemplate", async () => {
    const jobs = join(copy, "jobs.ts");
    const code = readFileSync(jobs, "utf8");
    const entry =
      '{ name: "export-json", schedule: "17 3 * * *", args: ["export", "--continue", "json", "--format", "json"] },';
    const list = "export const jobs: readonly Job[] = [";
    edit(copy, "jobs.ts", list, `${list}\n  ${entry}`);
    const changes = await preview(copy);
    // Restores the file before the check, so that a failed check does not make the next tests fail,
    // too.
    writeFileSync(jobs, code);
    assert.deepEqual(changes, [
      "create kubernetes:batch/v1:CronJob::export-json",
      "create services:k8s:ScheduledJob::export-json",
      "update kubernetes:core/v1:PodTemplate::services-orders",
      "update services:k8s:CommandTemplate::services-orders",
    ]);
  });

  it("editing a comment in jobs.ts rolls out nothing, nor does committing it", async () => {
    const jobs = join(copy, "jobs.ts");
    writeFileSync(jobs, `${readFileSync(jobs, "utf8")}\n// A comment.\n`);
    assert.deepEqual(await preview(copy), []);
    const git = async (...args: string[]): Promise<string> => command("git", ["-C", copy, ...args]);
    await git(
      "-c",
      "user.name=test",
      "-c",
      "user.email=test@localhost",
      "commit",
      "--quiet",
      "-m",
      "A comment",
      "jobs.ts",
    );
    assert.deepEqual(await preview(copy), []);
  });

  it("orders outlive every pod of the service", async () => {
    const id = await placeOrder();
    await kubectl([
      "-n",
      NAMESPACE,
      "delete",
      "pods",
      "-l",
      "app.kubernetes.io/component=web",
      "--wait=false",
    ]);
    const old = await readyPods();
    await until("two new pods", async () => {
      const now = await readyPods();
      return now.length === 2 && now.every((name) => !old.includes(name));
    });
    assert.equal((await api(`/orders/${id}`)).status, 200);
  });

  it("no request fails while a pod is deleted", async () => {
    const running = load();
    await sleep(3_000);
    const [victim = ""] = await readyPods();
    await kubectl(["-n", NAMESPACE, "delete", "pod", victim, "--wait=true"]);
    await until("two pods", async () => (await readyPods()).length === 2);
    await sleep(3_000);
    await nothingWasLost(NAMESPACE, { client: await running.stop() });
  });

  it("a Job made from the CronJob expires old orders and is never an endpoint of the Service", async () => {
    await sql(
      "UPDATE orders SET created_at = now() - interval '3 days' WHERE id IN (SELECT id FROM orders WHERE status = 'unpaid' LIMIT 3)",
    );
    const [old = ""] = await sql(
      "SELECT count(*) FROM orders WHERE status = 'unpaid' AND created_at < now() - interval '48 hours'",
    );
    assert.ok(Number(old) >= 3);
    const serving = await readyPods();
    const endpoints = new Set<string>();
    let ended = false;
    const watched = until("the end of the run", async () => {
      (await readyPods()).forEach((name) => endpoints.add(name));
      return ended;
    });
    const run = await npmRun(["jobs", "local", "run", "expire-unpaid"]).finally(() => {
      ended = true;
    });
    await watched;
    assert.match(succeeded(run).output, new RegExp(`expired ${old} orders`));
    assert.deepEqual([...endpoints].sort(), serving);
    const listed = succeeded(await npmRun(["jobs", "local"]));
    assert.match(listed.output, /^expire-unpaid .* succeeded .* suspended/m);
  });

  it("NetworkPolicies are enforced", async () => {
    const image = environment()["SANDBOX_POSTGRES_IMAGE"] ?? "";
    const metadata = { name: "policy-probe", namespace: "policy-probe" };
    try {
      await apply(
        { apiVersion: "v1", kind: "Namespace", metadata: { name: "policy-probe" } },
        {
          apiVersion: "v1",
          kind: "Pod",
          metadata,
          spec: {
            terminationGracePeriodSeconds: 0,
            containers: [{ name: "probe", image, command: ["sleep", "600"] }],
          },
        },
      );
      await kubectl([
        "-n",
        "policy-probe",
        "wait",
        "--for=condition=Ready",
        "pod/policy-probe",
        "--timeout=60s",
      ]);
      const reaches = async (): Promise<boolean> =>
        kubectl([
          "-n",
          "policy-probe",
          "exec",
          "policy-probe",
          "--",
          "pg_isready",
          "-t",
          "2",
          "-h",
          `postgres.${NAMESPACE}.svc.cluster.local`,
        ]).then(
          () => true,
          () => false,
        );
      // The stack's NetworkPolicies block connections from other namespaces to the stack's
      // database. The policy below allows these connections.
      assert.equal(await reaches(), false);
      await apply({
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: { name: "policy-probe", namespace: NAMESPACE },
        spec: {
          podSelector: { matchLabels: { "app.kubernetes.io/component": "database" } },
          ingress: [{ from: [{ namespaceSelector: {} }] }],
        },
      });
      await until("the policy", reaches);
      assert.equal((await api("/orders?limit=1")).status, 200);
    } finally {
      await kubectl([
        "-n",
        NAMESPACE,
        "delete",
        "networkpolicy",
        "policy-probe",
        "--ignore-not-found",
      ]);
      await kubectl(["delete", "namespace", "policy-probe", "--ignore-not-found"]);
    }
  });

  it("a sandbox for a given cluster and registry starts only the builder", async () => {
    const directory = mkdtempSync(join(tmpdir(), "services-orders-given-"));
    // Links the parts of this machine's sandbox, so that the command does not build them again.
    for (const shared of ["parts", "debian", "images.json"]) {
      symlinkSync(join(root, shared), join(directory, shared));
    }
    const env = { SANDBOX_DIR: directory };
    try {
      const context = "services-orders-sandbox";
      const given = [
        "--kubeconfig",
        paths.kubeconfig,
        "--context",
        context,
        "--registry",
        registryName(),
      ];
      succeeded(await npmRun(["sandbox", "up", ...given], { env }));
      const { output } = await npmRun(["sandbox", "status"], { env });
      assert.deepEqual(
        output
          .split("\n")
          .filter((line) => line.includes("runs, process"))
          .map((line) => line.trim().split(/\s+/)[1]),
        ["buildkitd"],
      );
      // The kubeconfig has only the chosen context, so that no command can reach another cluster.
      assert.match(
        (await npmRun(["sandbox", "env"], { env })).output,
        new RegExp(`KUBECONFIG='${join(directory, "given.kubeconfig")}'`),
      );
      const only = ["--kubeconfig", join(directory, "given.kubeconfig")];
      assert.equal(await kubectl([...only, "config", "current-context"]), context);
      assert.equal(await kubectl([...only, "get", "--raw", "/readyz"]), "ok");
    } finally {
      succeeded(await npmRun(["sandbox", "down"], { env }));
      rmSync(directory, { recursive: true });
    }
    assert.equal((await npmRun(["sandbox", "status"])).code, 0);
  });

  it("edited Java code rolls out as a new digest without a failed request, for both platforms when config asks for them", async () => {
    const handler = join(copy, "service", "src", "main", "resources", "edited.properties");
    writeFileSync(handler, "edited=true\n");
    writeFileSync(
      join(copy, "Pulumi.local.yaml"),
      "config:\n  services-orders:platforms: [linux/amd64, linux/arm64]\n",
    );
    const hash = contentHash(copy);
    assert.notEqual((await live()).contentHash, hash);
    const old = await pulumi(["stack", "output", "imageRef"]);
    const running = load();
    const run = await npmRun(["up"], { cwd: copy });
    const result = await running.stop();
    succeeded(run);
    assert.equal((await live()).contentHash, hash);
    assert.notEqual(await pulumi(["stack", "output", "imageRef"]), old);
    assert.deepEqual(await platformsOf(await pulumi(["stack", "output", "imageRef"])), [
      "linux/amd64",
      "linux/arm64",
    ]);
    await nothingWasLost(NAMESPACE, { client: result });
  });

  it("npm run up brings everything back after an update and every process of the sandbox were killed, and older code deploys again", async () => {
    const id = await placeOrder();
    const killed = await npmRun(["up"], {
      when: {
        text: "Updating (local)",
        then: (pid) => setTimeout(() => process.kill(-pid, "SIGKILL"), 3_000),
      },
    });
    assert.equal(killed.code, null);
    for (const { pid } of sandboxProcesses()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // The process has already ended, because the kill of another process in this loop also
        // ended this process.
      }
    }
    // On a busy machine, a process may take some seconds to end after the signal.
    await until(
      "the end of every process",
      () => Promise.resolve(sandboxProcesses().length === 0),
      30,
    );
    const run = await npmRun(["up"]);
    succeeded(run);
    console.log(
      `      after the kill: ${run.seconds.toFixed(0)} s; ${/sandbox start \S+/.exec(run.output)?.[0] ?? ""}`,
    );
    await until("the service", async () => (await api(`/orders/${id}`)).status === 200);
    assert.equal((await live()).contentHash, contentHash(project));
    await pulumi(["preview", "--expect-no-changes"]);
  });

  it("npm run down leaves nothing behind on the machine", async () => {
    succeeded(await npmRun(["down"]));
    assert.deepEqual(await machine(), without);
  });
});
