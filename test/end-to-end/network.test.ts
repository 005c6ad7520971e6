import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Provider } from "@pulumi/kubernetes";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import { connections, doors } from "../../components/conventions/connections";
import type { Identity } from "../../components/conventions/labels";
import { Postgres } from "../../components/postgres/postgres";
import {
  ReviewNamespace,
  type ReviewNamespaceArgs,
} from "../../components/namespace/review-namespace";
import { WebService } from "../../components/web-service/web-service";
import { probeObjects } from "../../operations/doctor/pods";
import { recordKey } from "../../operations/doctor/record";
import { command } from "../../lib/command";
import { environment } from "../../sandbox/environment";
import { net, options } from "../../sandbox/layout";
import { apply, copyOfProject, edit, kubectl, npmRun, type Run } from "./support/commands";

// These tests open connections to check the NetworkPolicies of a review namespace, and create pods
// to check the namespace's quota. The stack consists of the components of this repository. The
// stack's pods run a short Perl program instead of the service, because this program starts
// immediately.

const STACK = "review-network";
const NAMESPACE = "services-orders-review-network";
const identity: Identity = {
  app: "services-orders-network",
  environment: "review",
  instance: "services-orders-network",
  protectedBranch: false,
  service: "services-orders",
};

/** A Perl program that answers every request on port 8080, and ends on SIGTERM. */
const server = `
$SIG{TERM} = sub { exit 0 };
my $listener = IO::Socket::INET->new(LocalPort => 8080, Listen => 64, ReuseAddr => 1) or die;
while (1) {
  my $client = $listener->accept or next;
  sysread $client, my $request, 4096;
  print $client "HTTP/1.1 200 OK\\r\\nService-Version: perl\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok";
}`;

/** Reads a list of NetworkPolicy peers from an environment variable of the sandbox. */
const peers = (name: string) =>
  JSON.parse(environment()[name] ?? "[]") as NonNullable<ReviewNamespaceArgs["ingressFrom"]>;

async function program(): Promise<Record<string, unknown>> {
  const image = environment()["SANDBOX_POSTGRES_IMAGE"] ?? "";
  const opts = { providers: [new Provider("kubernetes", {})] };
  const { namespace } = new ReviewNamespace(
    "namespace",
    {
      datadogAgentTo: peers("SANDBOX_DATADOG_AGENT_TO"),
      identity,
      ingressFrom: peers("SANDBOX_INGRESS_FROM"),
      namespace: NAMESPACE,
    },
    opts,
  );
  new Postgres("postgres", { identity, imageRef: image, namespace }, opts);
  const service = new WebService(
    "services-orders",
    {
      args: ["perl", "-MIO::Socket::INET", "-e", server],
      drainSeconds: 0,
      host: "services-orders.network.localhost",
      identity,
      imageRef: image,
      managementPort: 8080,
      minReadySeconds: 0,
      namespace,
      preStopSeconds: 1,
      publicPort: options().ingressPort,
      release: { branch: "network", commit: "unknown" },
      requests: { cpu: "10m", memory: "32Mi" },
      terminationGracePeriodSeconds: 11,
    },
    opts,
  );
  const uid = ["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"];
  return { clusterUid: await kubectl(uid), namespace, url: service.url };
}

describe("the network policies and the quota of a review namespace", () => {
  const state = mkdtempSync(join(tmpdir(), "services-orders-network-"));
  let env: Record<string, string>;
  let stack: Stack | undefined;

  before(async () => {
    const up = await npmRun(["sandbox", "up"]);
    assert.equal(up.code, 0, up.output);
    env = { ...environment(), PULUMI_BACKEND_URL: `file://${state}` };
    // Sets PATH, because the Automation API looks for `pulumi` in this process's PATH and not in
    // `envVars`.
    process.env["PATH"] = env["PATH"];
    stack = await LocalWorkspace.createOrSelectStack(
      { program, projectName: "services-orders", stackName: STACK },
      { envVars: env, workDir: state },
    );
    const started = Date.now();
    await stack.up();
    console.log(`      stack up in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  });

  after(async () => {
    // `stack` is undefined if the sandbox could not start.
    await stack?.destroy();
    rmSync(state, { force: true, recursive: true });
  });

  const probe = (when?: { text: string; then: (pid: number) => void }): Promise<Run> =>
    npmRun(["probe", STACK], { env, ...(when === undefined ? {} : { when }) });
  const names = async (...what: string[]) =>
    (await kubectl(["get", ...what, "-o", "name"])).split("\n").filter((name) => name !== "");
  const rowOf = (output: string, from: string, to: string) =>
    output.split("\n").find((line) => line.startsWith(`${from} `) && line.includes(`  ${to}  `));

  it("hold from a pod's first instruction", async () => {
    const doors = [`TCP/${net.apiService}/443`, `UDP/${net.dnsService}/53`];
    const image = env["SANDBOX_POSTGRES_IMAGE"] ?? "";
    // Only the policies of the review namespace apply to this pod.
    const items = probeObjects(NAMESPACE, image, doors).filter(
      (object) => (object as { metadata: { name: string } }).metadata.name === "denied",
    );
    await apply(...items.slice(-1));
    const pod = ["pod/denied", "-n", NAMESPACE];
    await kubectl(["wait", ...pod, "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s"]);
    const seen = (await kubectl(["logs", ...pod])).split("\n");
    assert.deepEqual(seen, [`first ${doors[0] ?? ""} time-out`, `first ${doors[1] ?? ""} silent`]);
    await kubectl(["delete", ...pod]);
  });

  it("are tried although an earlier probe was killed, and are all as the table says", async () => {
    const killed = await probe({
      text: "[2/2]",
      then: (pid) => process.kill(-pid, "SIGKILL"),
    });
    assert.notEqual(killed.code, 0);
    const left = ["pods", "-n", NAMESPACE, "-l", "connection-probe"];
    assert.notDeepEqual(await names(...left), [], killed.output);

    const { code, output, seconds } = await probe();
    console.log(`      probe in ${seconds.toFixed(1)} s`);
    assert.equal(code, 0, output);
    // The probe cannot determine the result of some rows of the table. The sandbox has no stand-in
    // for the internet, and the sources `job` and `another pod` have only one pod each. A busy node
    // sometimes does not report that a UDP port is closed. But the node must report the closed port
    // to at least one of the three sources that may connect to the port.
    const unknown = output.split("\n").filter((line) => /\?$/.test(line));
    const metrics = unknown.filter((line) => line.includes("Datadog agent, metrics"));
    const untried = connections.filter(
      ({ from, to }) =>
        from === "the internet" ||
        (from === doors[to].party && (from === "job" || from === "another pod")),
    );
    assert.equal(unknown.length - metrics.length, untried.length, output);
    assert.ok(metrics.length < 3, output);
    const good = output.split("\n").filter((line) => / ok$/.test(line)).length;
    assert.equal(good + unknown.length, connections.length, output);
    await kubectl(["wait", "--for=delete", ...left, "--timeout=30s"]);
    const other = ["namespaces", "-l", "connection-probe"];
    await kubectl(["wait", "--for=delete", ...other, "--timeout=60s"]);
  });

  it("make the probe fail when one is missing: what it closes is open, what it opens is closed", async () => {
    const missing = ["default-deny", "service-to-database"];
    await kubectl(["delete", "networkpolicies", "-n", NAMESPACE, ...missing]);
    const { code, output } = await probe();
    assert.equal(code, 1, output);
    for (const [from, to, seen] of [
      ["another pod", "DNS by UDP", "closed .* open .*FAIL"],
      ["another pod", "other namespaces", "closed .* refused .*FAIL"],
      ["other namespaces", "job", "closed .* refused .*FAIL"],
      ["service", "database", "open .* time-out .*FAIL"],
      ["migration", "database", "open .* time-out .*FAIL"],
      ["service", "DNS by UDP", "open .* open .*ok"],
      ["other namespaces", "database", "closed .* time-out .*ok"],
    ] as const) {
      assert.match(rowOf(output, from, to) ?? "", new RegExp(seen), `${from} -> ${to}\n${output}`);
    }
  });

  it("are back after the next update with a refresh", async () => {
    await stack?.up({ refresh: true });
    const policies = await names("networkpolicies", "-n", NAMESPACE);
    assert.ok(policies.includes("networkpolicy.networking.k8s.io/default-deny"));
    assert.ok(policies.includes("networkpolicy.networking.k8s.io/service-to-database"));
  });

  it("refuse a pod too many, by an event that names the quota", async () => {
    await kubectl([
      ...["scale", "deployment", "services-orders", "-n", NAMESPACE],
      ...["--replicas=20"],
    ]);
    const events = ["get", "events", "-n", NAMESPACE, "--field-selector", "reason=FailedCreate"];
    let seen = "";
    for (let tries = 0; tries < 40 && !seen.includes("exceeded quota"); tries++) {
      await sleep(500);
      seen = await kubectl([...events, "-o", "jsonpath={.items[*].message}"]);
    }
    assert.match(seen, /exceeded quota: review, requested: .*pods=1, used: .*limited: .*pods=10/);
    const pods = await names("pods", "-n", NAMESPACE);
    assert.equal(pods.length, 10);
  });
});

describe("a cluster whose network policies hold some seconds too late", () => {
  // In the sandbox, new pods in a namespace whose name begins with this text behave as in the
  // standard mode of EKS. In this mode, new pods can connect to everything for some seconds. The
  // tests copy the project, and give the service this name. So the names of the service's
  // namespaces and the key of the annotation begin with this text.
  const service = "standard-mode";
  const record = recordKey.replace(/^.*\//, `${service}/`);
  const state = mkdtempSync(join(tmpdir(), "services-orders-standard-"));
  let copy: string;

  before(async () => {
    // The annotation may still exist, if someone has killed an earlier test run.
    await forget();
    copy = copyOfProject();
    edit(copy, "config/service.ts", 'service = "services-orders"', `service = "${service}"`);
    rmSync(join(copy, ".git"), { force: true, recursive: true });
    await command("git", ["init", "--quiet", "--initial-branch=first"], { cwd: copy });
  });

  /** Removes the annotation of this service. Does not change the annotations of other services. */
  const forget = async () => kubectl(["annotate", "namespace", "kube-system", `${record}-`]);

  after(async () => {
    await forget();
    for (const directory of [copy, state]) rmSync(directory, { force: true, recursive: true });
  });

  const run = (...args: readonly string[]): Promise<Run> => {
    const own = { CI: "", CIRCLE_BRANCH: "", PULUMI_BACKEND_URL: `file://${state}` };
    return npmRun(args, { cwd: copy, env: { ...environment(), ...own } });
  };

  async function isRefused(why: RegExp): Promise<void> {
    const { code, output, seconds } = await run("review", "up");
    console.log(`      refused in ${seconds.toFixed(1)} s`);
    assert.equal(code, 1, output);
    const [line = "", ...rest] = output.trim().split("\n");
    assert.match(line, why);
    assert.deepEqual(rest, ["Nothing was changed."]);
    const made = await kubectl(["get", "namespaces", "-o", "name"]);
    assert.ok(!made.includes(`${service}-review`), made);
    assert.ok(!existsSync(join(state, ".pulumi", "stacks")), "a stack was created");
  }

  it("gets no review stack before someone has checked it", async () => {
    await isRefused(/^No one has checked .*npm run doctor -- platform$/);
  });

  it("is reported by the doctor, with what to do", async () => {
    const { code, output, seconds } = await run("doctor", "platform");
    console.log(`      doctor in ${seconds.toFixed(1)} s`);
    assert.equal(code, 3, output);
    const reached = "reached the API server and DNS with its first instruction";
    assert.match(output, new RegExp(`wrong +network policies .*${reached}.* to strict`));
    assert.match(output, /ok +storage class/);
  });

  it("then gets no review stack, by one line with the date and what to do", async () => {
    const today = new Date().toISOString().slice(0, 10);
    await isRefused(new RegExp(`^Network policies .* first instruction \\(seen ${today}\\).*`));
  });
});
