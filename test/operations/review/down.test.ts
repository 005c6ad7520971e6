import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { mock } from "node:test";
import { dirname, join } from "node:path";
import { labels } from "../../../components/conventions/labels";
import type { Cluster } from "../../../operations/clients/kubectl";
import { removeReview } from "../../../operations/review/down";
import { identityOf } from "../../../settings/identity";
import { Programs } from "../support/programs";

describe("the removal of a review stack", () => {
  const stack = "review-a";
  const namespace = "services-orders-review-a";
  let programs: Programs;
  let asked: string[];
  let said: string[];
  beforeEach(() => {
    programs = new Programs();
    programs.add("pulumi", {});
    asked = [];
    said = [];
    mock.method(console, "log", (line: string) => said.push(line));
  });
  afterEach(() => {
    mock.restoreAll();
    programs.remove();
  });

  const its = labels(identityOf("review", "a"), "namespace");
  const isDeleted = (): boolean => asked.some((call) => call.startsWith("delete namespace"));

  /**
   * Returns a stand-in for a cluster. With `metadata`, the cluster has a namespace until the code
   * under test deletes the namespace. Without `metadata`, the cluster has no namespace.
   */
  function cluster(metadata?: object, uid = "here"): Cluster {
    const object = {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        creationTimestamp: "2026-01-01T00:00:00Z",
        labels: its,
        name: namespace,
        uid: "1",
        ...metadata,
      },
    };
    return {
      kubectl: async (args) => {
        asked.push(args.join(" "));
        const isThere = metadata !== undefined && !isDeleted();
        return Promise.resolve(isThere ? JSON.stringify(object) : "");
      },
      uid,
    };
  }

  /** Writes an object into the state backend. */
  function store(path: string, content = "{}"): void {
    const file = join(programs.directory, "state", ".pulumi", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  /** Writes everything that Pulumi stores for a stack, under the names that Pulumi 3.215.0 uses. */
  function storeAll(name: string): void {
    for (const ending of ["json", "json.attrs", "json.bak", "json.bak.attrs", "pulumi-tags"]) {
      store(`stacks/services-orders/${name}.${ending}`);
    }
    store(`history/services-orders/${name}/${name}-1.history.json`);
    store(`history/services-orders/${name}/${name}-1.checkpoint.json`);
    store(`backups/services-orders/${name}/${name}.1.json`);
    store(`locks/organization/services-orders/${name}/1.json`);
    store(`locks/organization/services-orders/${name}/circleci/1.json`);
  }

  const left = (): readonly string[] => {
    const directory = join(programs.directory, "state");
    if (!existsSync(directory)) return [];
    return readdirSync(directory, { encoding: "utf8", recursive: true }).filter((path) =>
      statSync(join(directory, path)).isFile(),
    );
  };
  const workspace = () =>
    programs.workspace({ PULUMI_BACKEND_URL: `file://${programs.directory}/state` });
  const remove = async (one: Cluster): Promise<void> => removeReview(stack, one, workspace());

  it("deletes the namespace, then every object of its state and no other, without Pulumi", async () => {
    storeAll("review-a-2");
    const others = left();
    storeAll(stack);
    const file = join(programs.directory, `Pulumi.${stack}.yaml`);
    writeFileSync(file, "");
    let then: readonly string[] = [];
    const one = cluster({});
    const seen: Cluster = {
      ...one,
      kubectl: async (args) => {
        if (args[0] === "delete") then = left();
        return one.kubectl(args);
      },
    };
    await remove(seen);
    assert.ok(isDeleted());
    assert.equal(then.length, 2 * others.length, "the state goes last");
    assert.deepEqual(left(), others);
    assert.ok(!existsSync(file));
    assert.deepEqual(programs.calls, []);
  });

  it("continues one that was killed after the namespace was gone", async () => {
    storeAll(stack);
    await remove(cluster());
    assert.deepEqual([isDeleted(), left()], [false, []]);
  });

  it("continues one that was killed while it removed the state", async () => {
    store(`stacks/services-orders/${stack}.json.bak`);
    await remove(cluster());
    assert.deepEqual(left(), []);
  });

  it("deletes a namespace whose state is gone or in another backend", async () => {
    await remove(cluster({}));
    assert.ok(isDeleted());
  });

  it("leaves a namespace with someone else's labels as it is, and removes the state", async () => {
    storeAll(stack);
    await remove(cluster({ labels: { ...its, "app.kubernetes.io/managed-by": "Helm" } }));
    assert.deepEqual([isDeleted(), left()], [false, []]);
    assert.match(said.join("\n"), /does not belong to this stack: it is not changed/);
  });

  it("refuses a stack whose state says that it is in another cluster", async () => {
    storeAll(stack);
    const tags = JSON.stringify({ tags: { clusterUid: "there" }, version: 1 });
    store(`stacks/services-orders/${stack}.pulumi-tags`, tags);
    await assert.rejects(
      remove(cluster()),
      /is in the cluster there, but the kubeconfig points to here.*Nothing was changed/,
    );
    assert.ok(left().length > 0);
    await remove(cluster(undefined, "there"));
    assert.deepEqual(left(), []);
  });

  for (const content of ["", "null", '{"tags":{"clusterUid":"\\u001b[31m a server"}}']) {
    it(`does not trust a tag that has another form: ${JSON.stringify(content)}`, async () => {
      store(`stacks/services-orders/${stack}.pulumi-tags`, content);
      await remove(cluster());
      assert.deepEqual(left(), []);
    });
  }

  it("says that there is nothing to do", async () => {
    storeAll("review-a-2");
    await remove(cluster());
    assert.deepEqual(said, [`There is no stack "review-a": nothing to do.`]);
    assert.ok(left().length > 0);
  });

  it("refuses a state that is neither in files nor in S3, before anything changes", async () => {
    const other = programs.workspace({ PULUMI_BACKEND_URL: "https://app.pulumi.com" });
    await assert.rejects(removeReview(stack, cluster({}), other), /PULUMI_BACKEND_URL must be/);
    assert.ok(!isDeleted());
  });
});
