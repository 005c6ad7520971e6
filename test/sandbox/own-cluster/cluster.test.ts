import { Surroundings } from "../support/temporary";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { readOwnCluster } from "../../../sandbox/own-cluster/cluster";
import { registryIssue } from "../../../sandbox/own-cluster/registry";
import { Programs } from "../../operations/support/programs";

const where = { context: "mine", kubeconfig: "/kubeconfig" };
const class_ = (name: string, isDefault = false) => ({
  metadata: {
    name,
    ...(isDefault
      ? { annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } }
      : {}),
  },
});
const node = (architecture: string) => ({
  status: { nodeInfo: { architecture, operatingSystem: "linux" } },
});
const list = (...items: readonly object[]): string => `echo '${JSON.stringify({ items })}'`;

describe("a cluster that a developer already has", () => {
  let programs: Programs;
  const surroundings = new Surroundings();
  beforeEach(() => {
    programs = new Programs();
    surroundings.set("PATH", programs.directory);
  });
  afterEach(() => {
    programs.remove();
    surroundings.restore();
  });

  /** Adds a stand-in for kubectl. The responses in `more` replace the responses below. */
  function cluster(more: Readonly<Record<string, string>> = {}): void {
    programs.add("kubectl", {
      "*get-contexts*": "echo other; echo mine",
      "*config view*": "printf https://cluster.example:6443",
      "*kube-system*": `echo '{"metadata":{"uid":"1234"}}'`,
      "*get nodes*": list(node("arm64"), node("arm64")),
      "*get ingressclasses*": list(),
      ...more,
    });
  }

  it("is identified by its UID, and named by its address", async () => {
    cluster();
    assert.deepEqual(await readOwnCluster(where), {
      platforms: ["linux/arm64"],
      server: "https://cluster.example:6443",
      uid: "1234",
    });
  });

  it("is asked with the chosen context only, and nothing in it changes", async () => {
    cluster();
    await readOwnCluster(where);
    const asked = programs.calls.filter((call) => !call.includes("get-contexts"));
    assert.ok(asked.length > 0);
    for (const call of asked) {
      assert.match(call, /^kubectl --context=mine --request-timeout=10s (?:config view|get) /);
    }
  });

  it("says which contexts there are if the chosen one does not exist", async () => {
    cluster();
    await assert.rejects(
      readOwnCluster({ ...where, context: "elsewhere" }),
      /^Error: the kubeconfig \/kubeconfig has no context "elsewhere"; it has: other, mine\. Choose one with --context, or another file with --kubeconfig$/,
    );
    cluster({ "*get-contexts*": ":" });
    await assert.rejects(
      readOwnCluster(where),
      /has no context "mine"; it has no contexts\. Choose/,
    );
  });

  it("that does not answer is named with its context and its address", async () => {
    cluster({ "*kube-system*": "echo 'Unable to connect to the server: EOF' >&2; exit 1" });
    await assert.rejects(
      readOwnCluster(where),
      /^Error: the cluster of context "mine" at https:\/\/cluster\.example:6443 does not answer: Unable to connect to the server: EOF; check its address and your access, and run the command again$/,
    );
  });

  it("may have nodes of several platforms, and hide its nodes and its IngressClasses", async () => {
    cluster({ "*get nodes*": list(node("arm64"), node("s390x"), node("amd64")) });
    assert.deepEqual((await readOwnCluster(where)).platforms, ["linux/amd64", "linux/arm64"]);
    cluster({ "*get nodes*": "exit 1", "*get ingressclasses*": "exit 1" });
    const hidden = await readOwnCluster(where);
    assert.deepEqual(hidden.platforms, []);
    assert.equal("ingressClass" in hidden, false);
  });

  it("has its only IngressClass chosen, unless that is the default or there are several", async () => {
    const chosen = async (...classes: readonly object[]) => {
      cluster({ "*get ingressclasses*": list(...classes) });
      return (await readOwnCluster(where)).ingressClass;
    };
    assert.equal(await chosen(class_("nginx")), "nginx");
    assert.equal(await chosen(class_("nginx", true)), undefined);
    assert.equal(await chosen(class_("nginx"), class_("traefik")), undefined);
  });
});

describe("a registry that a developer already has", () => {
  const answers = async (status: number): Promise<string | undefined> => {
    const server = createServer((_, response) => response.writeHead(status).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      return await registryIssue(
        `127.0.0.1:${String((server.address() as AddressInfo).port)}/team`,
      );
    } finally {
      server.closeAllConnections();
      server.close();
    }
  };

  it("is good if it answers, or if it asks for a login", async () => {
    assert.equal(await answers(200), undefined);
    assert.equal(await answers(401), undefined);
  });

  it("is named with its URL if something else answers there, or nothing", async () => {
    assert.match(
      (await answers(404)) ?? "",
      /^the registry 127\.0\.0\.1:\d+\/team answers 404 at http:\/\/127\.0\.0\.1:\d+\/v2\/; check its name, and run the command again$/,
    );
    assert.match(
      (await registryIssue("127.0.0.1:1")) ?? "",
      /^the registry 127\.0\.0\.1:1 does not answer at http:\/\/127\.0\.0\.1:1\/v2\/;/,
    );
  });
});
