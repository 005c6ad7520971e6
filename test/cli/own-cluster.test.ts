import { Surroundings } from "../sandbox/support/temporary";
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mock } from "node:test";
import { askedFor, chooseCluster, howToReach, assertSameCluster } from "../../cli/own-cluster";
import { WrongUse } from "../../lib/errors";
import { paths } from "../../sandbox/layout";
import { type OwnCluster, ownCluster, saveOwnCluster } from "../../sandbox/own-cluster/choice";
import { versions } from "../../sandbox/install/parts";
import { Programs } from "../operations/support/programs";

const before: OwnCluster = {
  context: "mine",
  kubeconfig: "/kubeconfig",
  platforms: [],
  registry: "localhost:5001",
  server: "https://cluster.example:6443",
  uid: "00000000-0000-0000-0000-000000000001",
};

describe("the options that choose a cluster", () => {
  const asked = (given: Parameters<typeof askedFor>[0], known?: OwnCluster) =>
    askedFor(given, known, { KUBECONFIG: "/ambient" });

  it("mean the sandbox without a choice, and the remembered cluster after one", () => {
    assert.equal(asked({}), undefined);
    assert.equal(asked({}, before), before);
    assert.equal(asked({ sandbox: true }, before), undefined);
  });

  it("name the cluster and the registry the first time, and later only what changes", () => {
    const first = asked({ context: "mine", registry: "localhost:5001" });
    assert.deepEqual(first, {
      context: "mine",
      kubeconfig: "/ambient",
      registry: "localhost:5001",
    });
    const { context, kubeconfig } = before;
    assert.deepEqual(asked({ registry: "registry.example.com/team" }, before), {
      ...{ context, kubeconfig },
      registry: "registry.example.com/team",
    });
    assert.deepEqual(asked({ context: "mine" }, before), {
      ...{ context, kubeconfig },
      registry: "localhost:5001",
    });
  });

  it("take nothing of one cluster for another", () => {
    for (const given of [{ context: "other" }, { context: "mine", kubeconfig: "/other" }]) {
      assert.throws(
        () => asked(given, before),
        (error) => error instanceof WrongUse && error.message.startsWith("name a registry, too"),
      );
    }
    const registry = "localhost:5002";
    assert.equal(asked({ context: "other", registry }, before)?.kubeconfig, "/ambient");
  });

  for (const [given, message] of [
    [{ registry: "localhost:5001" }, /^name the context of your cluster, too/],
    [{ context: "mine" }, /^name a registry, too/],
    [{ context: "mine", sandbox: true }, /^use --sandbox without --context/],
    [
      { context: "mine", registry: "https://registry.example.com" },
      /^--registry must be an address such as localhost:5001 .*, got "https:\/\/registry\.example\.com"$/,
    ],
  ] as const) {
    it(`are refused if they are ${Object.keys(given).join(" and ")}`, () => {
      assert.throws(
        () => asked(given),
        (error) => error instanceof WrongUse && message.test(error.message),
      );
    });
  }
});

describe("the choice of a cluster", () => {
  let directory: string;
  let programs: Programs;
  let server: Server;
  let given: { readonly context: string; readonly kubeconfig: string; readonly registry: string };
  const surroundings = new Surroundings();

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-own-"));
    programs = new Programs();
    surroundings.set("PATH", programs.directory);
    surroundings.set("PULUMI_HOME", undefined);
    server = createServer((_, response) => response.writeHead(200).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const registry = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    given = { context: "mine", kubeconfig: "/kubeconfig", registry };
    programs.add("mvn", { "*": "echo 'Java version: 17.0.15, vendor: Any'" });
    programs.add("docker", { "*": "echo v0" });
    kubectl(before.uid);
    pulumi();
  });
  afterEach(() => {
    surroundings.restore();
    programs.remove();
    server.closeAllConnections();
    server.close();
    rmSync(directory, { force: true, recursive: true });
  });

  /** Adds a stand-in for kubectl, for a cluster with this UID. */
  function kubectl(uid: string): void {
    programs.add("kubectl", {
      "*get-contexts*": "echo other; echo mine",
      "*config view*": "printf https://cluster.example:6443",
      "*kube-system*": `echo '{"metadata":{"uid":"${uid}"}}'`,
      "*get *": `echo '{"items":[]}'`,
    });
  }

  /** Adds a stand-in for pulumi, with these resources in the state of stack `local`. */
  function pulumi(...resources: readonly object[]): void {
    programs.add("pulumi", {
      version: `echo v${versions.pulumi}`,
      "stack ls*": `echo '[{"name":"local"}]'`,
      "stack export*": `echo '${JSON.stringify({ version: 3, deployment: { resources } })}'`,
    });
  }

  /**
   * Chooses a cluster. Returns the result or the error of `chooseCluster`, and the printed lines.
   */
  async function choose(more: Parameters<typeof chooseCluster>[0] = given): Promise<{
    readonly error?: unknown;
    readonly lines: readonly string[];
    readonly result?: OwnCluster | undefined;
  }> {
    const lines: string[] = [];
    const log = mock.method(console, "log", (line: string) => void lines.push(line));
    try {
      return { lines, result: await chooseCluster(more, directory) };
    } catch (error) {
      return { error, lines };
    } finally {
      log.mock.restore();
    }
  }

  it("names context, address and registry, and asks before the first use of a cluster", async () => {
    const { error, lines } = await choose();
    assert.match(
      String(error),
      /^Error: No terminal to confirm on\. Pass --yes to change the cluster of context "mine" without a prompt\. Nothing was changed\.$/,
    );
    assert.deepEqual(lines, [
      `Cluster: context "mine" at https://cluster.example:6443. Registry: ${given.registry}`,
      "This clone uses this cluster for the first time. Stack local gets its own namespace there, and changes nothing else.",
    ]);
    assert.deepEqual(readdirSync(directory), []);
  });

  it("asks once: later commands know the cluster", async () => {
    const { result } = await choose({ ...given, yes: true });
    assert.equal(result?.uid, before.uid);
    assert.deepEqual(ownCluster(directory), result);
    const again = await choose({});
    assert.equal(again.error, undefined);
    assert.equal(again.lines.length, 1);
    assert.deepEqual(again.result, result);
  });

  it("asks again when a cluster was created anew, whose state is another one", async () => {
    await choose({ ...given, yes: true });
    pulumi({ urn: "urn:pulumi:local::services-orders::a:b:C::d", type: "a:b:C" });
    kubectl("00000000-0000-0000-0000-000000000002");
    assert.match(String((await choose({})).error), /No terminal to confirm on/);
    assert.equal(ownCluster(directory)?.uid, before.uid);
    const { result } = await choose({ yes: true });
    assert.equal(result?.uid, "00000000-0000-0000-0000-000000000002");
  });

  it("leaves no resources behind in another cluster, nor for the sandbox", async () => {
    await choose({ ...given, yes: true });
    const was = ownCluster(directory);
    pulumi({ urn: "urn:pulumi:local::services-orders::a:b:C::d", type: "a:b:C" });
    kubectl("00000000-0000-0000-0000-000000000002");
    for (const elsewhere of [{ ...given, context: "other", yes: true }, { sandbox: true }]) {
      assert.equal(
        String((await choose(elsewhere)).error),
        `Error: stack local still runs in the cluster of context "mine" at https://cluster.example:6443. Remove it first: npm run down. ` +
          `If that cluster no longer exists, delete ${directory}/${before.uid}`,
      );
      assert.deepEqual(ownCluster(directory), was);
    }
    pulumi();
    assert.equal((await choose({ sandbox: true })).error, undefined);
    assert.equal(ownCluster(directory), undefined);
  });

  it("names everything that is missing in one message, and changes nothing", async () => {
    rmSync(join(programs.directory, "mvn"));
    rmSync(join(programs.directory, "pulumi"));
    const { error, lines } = await choose({
      context: "elsewhere",
      kubeconfig: "/kubeconfig",
      registry: "localhost:1",
      yes: true,
    });
    const said = (error as Error).message.split("\n");
    assert.deepEqual(
      said.map((line) => line.split(" ").slice(0, 3).join(" ")),
      [
        "JDK 17 or",
        "Maven is missing:",
        "pulumi is missing:",
        "the registry localhost:1",
        "the kubeconfig /kubeconfig",
        "Nothing was changed.",
      ],
    );
    assert.deepEqual(lines, []);
    assert.deepEqual(readdirSync(directory), []);
  });

  it("says only once that kubectl is missing", async () => {
    rmSync(join(programs.directory, "kubectl"));
    const { error } = await choose({ ...given, yes: true });
    assert.match(String(error), /^Error: kubectl is missing: .*\nNothing was changed\.$/);
  });

  it("refuses a shell with the variables of the sandbox", async () => {
    surroundings.set("PULUMI_HOME", paths.pulumiHome);
    assert.match(
      String((await choose({ ...given, yes: true })).error),
      /^Error: this shell has the variables of the sandbox, .*; open another shell/,
    );
  });

  it("holds before a removal, too, if the context now points to another cluster", async () => {
    saveOwnCluster(before, directory);
    await assertSameCluster(before);
    kubectl("00000000-0000-0000-0000-000000000002");
    await assert.rejects(
      assertSameCluster(before),
      /^Error: context "mine" now points to another cluster, at https:\/\/cluster\.example:6443\. Nothing was changed\./,
    );
  });
});

describe("the way to the service in a developer's own cluster", () => {
  it("is its URL if the URL answers on this machine, and otherwise a port-forward", async () => {
    const server = createServer((_, response) => {
      response.writeHead(404, { "service-version": "1" }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://services-orders.localhost:${String((server.address() as AddressInfo).port)}/`;
    const outputs = { namespace: "services-orders-local", url };
    const reach = (kubeconfig: string) => howToReach(before, outputs, { KUBECONFIG: kubeconfig });
    assert.deepEqual(await reach("/kubeconfig"), { lines: [], url });
    server.closeAllConnections();
    server.close();
    const { lines, url: other } = await reach("/kubeconfig");
    assert.equal(other, "http://localhost:8080/");
    const forward =
      "kubectl --context 'mine' --namespace services-orders-local port-forward service/services-orders 8080:80";
    assert.deepEqual(lines, [
      `The service does not answer at ${url}, for example because the cluster has no ingress controller.`,
      "Run this command in a second terminal, and leave it running:",
      `  ${forward}`,
    ]);
    assert.equal((await reach("/other")).lines.at(-1), `  KUBECONFIG='/kubeconfig' ${forward}`);
  });
});
