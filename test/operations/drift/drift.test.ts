import assert from "node:assert/strict";
import { driftOf, isReverted, linesOf } from "../../../operations/drift/drift";
import { parseReport, reportOf } from "../../../operations/drift/report";
import { takeBack } from "../../../operations/drift/take-back";
import type {
  FieldSet,
  LiveObject,
  ManagedFields,
  Seen,
} from "../../../operations/pulumi/live-objects";

const manager = "pulumi-kubernetes-0a1b2c3d";
const time = "2026-11-24T16:20:00Z";

const container = {
  env: [{ name: "MODE", value: "fast" }],
  image: "registry/orders@sha256:1",
  name: "web",
  ports: [{ containerPort: 8080, name: "http" }],
  resources: { requests: { cpu: "1000m", memory: "1Gi" } },
};
const declared = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { annotations: {}, labels: { app: "orders" }, name: "orders", namespace: "shop" },
  spec: { replicas: 3, template: { spec: { containers: [container] } } },
};
const webFields = {
  ".": {},
  "f:env": { 'k:{"name":"MODE"}': { ".": {}, "f:name": {}, "f:value": {} } },
  "f:image": {},
  "f:name": {},
  "f:ports": {
    'k:{"containerPort":8080,"protocol":"TCP"}': {
      ".": {},
      "f:containerPort": {},
      "f:name": {},
    },
  },
  "f:resources": { "f:requests": { "f:cpu": {}, "f:memory": {} } },
};
const inContainer = (fields: FieldSet): FieldSet => ({
  "f:spec": { "f:template": { "f:spec": { "f:containers": { 'k:{"name":"web"}': fields } } } },
});
const ours: FieldSet = {
  "f:metadata": { "f:labels": { "f:app": {} } },
  "f:spec": {
    "f:replicas": {},
    "f:template": { "f:spec": { "f:containers": { 'k:{"name":"web"}': webFields } } },
  },
};

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests edit objects by path
type Editable = Record<string, any>;

interface Change {
  /** Changes the object in the cluster. */
  readonly edit?: (live: Editable, web: Editable) => void;
  /** Removes fields from the set of fields that Pulumi's field manager owns. */
  readonly lose?: (fields: Editable, web: Editable) => void;
  readonly others?: readonly ManagedFields[];
}

/**
 * Returns the object in the state and the object in the cluster, after someone has changed the
 * Deployment.
 */
function seen({ edit, lose, others = [] }: Change): Seen {
  const live: Editable = structuredClone(declared);
  const fields: Editable = structuredClone(ours);
  edit?.(live, live["spec"].template.spec.containers[0] as Editable);
  lose?.(
    fields,
    fields["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"web"}'] as Editable,
  );
  // Changes the object in the same way as the API server: adds a default, and writes a quantity in
  // another form.
  live["spec"].template.spec.containers[0].ports[0].protocol = "TCP";
  live["spec"].template.spec.containers[0].resources.requests.cpu = "1";
  live["metadata"].managedFields = [{ fieldsV1: fields, manager, operation: "Apply" }, ...others];
  const resource = {
    id: "shop/orders",
    inputs: declared,
    outputs: { __fieldManager: manager },
    type: "kubernetes:apps/v1:Deployment",
    urn: "urn:pulumi:prod::services-orders::kubernetes:apps/v1:Deployment::orders",
  };
  return { objects: [live as Seen["objects"][number]], resources: [resource] };
}

const by = (
  tool: string,
  fieldsV1: FieldSet,
  more: Partial<ManagedFields> = {},
): ManagedFields => ({
  fieldsV1,
  manager: tool,
  operation: "Update",
  time,
  ...more,
});
const lines = (change: Change): readonly string[] => linesOf(driftOf(seen(change)));

const scaled: Change = {
  edit: (live) => (live["spec"].replicas = 5),
  lose: (fields) => delete fields["f:spec"]["f:replicas"],
  others: [by("kubectl", { "f:spec": { "f:replicas": {} } }, { subresource: "scale" })],
};
const variableAdded: Change = {
  edit: (_, web) => web["env"].push({ name: "DEBUG", value: "1" }),
  others: [
    by(
      "kubectl-set",
      inContainer({
        "f:env": { 'k:{"name":"DEBUG"}': { ".": {}, "f:name": {}, "f:value": {} } },
      }),
    ),
  ],
};

describe("drift", () => {
  it("is nothing right after an update, however the API server writes the fields", () => {
    assert.deepEqual(lines({}), []);
  });

  it("names a field that a tool took over, with both values, the tool and the time", () => {
    assert.deepEqual(lines(scaled), [
      "Deployment orders: spec.replicas: 3 → 5 (kubectl scale, 2026-11-24 16:20 UTC)",
    ]);
  });

  it("names a changed variable, and one that was added", () => {
    const changed: Change = {
      edit: (_, web) => (web["env"][0].value = "slow"),
      lose: (_, web) => delete web["f:env"]['k:{"name":"MODE"}']["f:value"],
      others: [
        by("kubectl-edit", inContainer({ "f:env": { 'k:{"name":"MODE"}': { "f:value": {} } } })),
      ],
    };
    const where = "Deployment orders: spec.template.spec.containers[name=web].env";
    const at = "2026-11-24 16:20 UTC";
    assert.deepEqual(lines(changed), [
      `${where}[name=MODE].value: fast → slow (kubectl-edit, ${at})`,
    ]);
    assert.deepEqual(lines(variableAdded), [
      `${where}[name=DEBUG]: not set → 1 (kubectl-set, ${at})`,
    ]);
  });

  it("shows only what differs in a field that is a whole for the cluster", () => {
    const rules = (host: string): unknown => [{ host, http: { paths: [{ path: "/" }] } }];
    const inputs = { ...declared, spec: { rules: rules("shop.example.com") } };
    const fieldsV1 = { "f:spec": { "f:rules": {} } };
    const metadata = { ...declared.metadata, managedFields: [by("kubectl-patch", fieldsV1)] };
    const drift = driftOf({
      objects: [{ ...inputs, metadata, spec: { rules: rules("other") } } as LiveObject],
      resources: seen({}).resources.map((one) => ({ ...one, inputs })),
    });
    assert.deepEqual(linesOf(drift), [
      "Deployment orders: spec.rules[0].host: shop.example.com → other (kubectl-patch, 2026-11-24 16:20 UTC)",
    ]);
  });

  it("names a field that was removed, although no tool owns it then", () => {
    const removed: Change = {
      edit: (live) => delete live["metadata"].labels.app,
      lose: (fields) => delete fields["f:metadata"],
    };
    assert.deepEqual(lines(removed), [
      "Deployment orders: metadata.labels.app: orders → not set (removed; the cluster does not name the tool)",
    ]);
  });

  it("ignores what controllers write, the status, and a restart", () => {
    const restarted = "kubectl.kubernetes.io/restartedAt";
    const harmless: Change = {
      edit: (live) => {
        live["metadata"].annotations = { [restarted]: time, revision: "4" };
        live["spec"].replicas = 7;
      },
      lose: (fields) => delete fields["f:spec"]["f:replicas"],
      others: [
        by("kube-controller-manager", { "f:spec": { "f:replicas": {} } }, { subresource: "scale" }),
        by("kube-controller-manager", { "f:metadata": { "f:annotations": { "f:revision": {} } } }),
        by("someone", { "f:status": { "f:replicas": {} } }, { subresource: "status" }),
        by("kubectl-rollout", { "f:metadata": { "f:annotations": { [`f:${restarted}`]: {} } } }),
      ],
    };
    assert.deepEqual(lines(harmless), []);
  });

  it("ignores a field that another stack has added, and names one that it has changed", () => {
    const other = "pulumi-kubernetes-ffffffff";
    const labeled: Change = {
      edit: (live) => (live["metadata"].labels.team = "core"),
      others: [by(other, { "f:metadata": { "f:labels": { "f:team": {} } } })],
    };
    assert.deepEqual(lines(labeled), []);
    const taken: Change = {
      edit: (live) => (live["spec"].replicas = 5),
      lose: (fields) => delete fields["f:spec"]["f:replicas"],
      others: [by(other, { "f:spec": { "f:replicas": {} } })],
    };
    assert.match(lines(taken).join(), /spec.replicas: 3 → 5 \(pulumi-kubernetes-ffffffff, /);
  });

  it("ignores a tool that set the same value", () => {
    const same = [by("kubectl-edit", { "f:spec": { "f:replicas": {} } })];
    assert.deepEqual(lines({ others: same }), []);
    const lose = (fields: Editable): unknown => delete fields["f:spec"]["f:replicas"];
    assert.deepEqual(lines({ lose, others: same }), []);
  });

  it("names an object that is gone", () => {
    const drift = driftOf({ ...seen({}), objects: [] });
    assert.deepEqual(linesOf(drift), ["Deployment orders is gone"]);
    assert.equal(isReverted(drift), true);
  });

  it("tells a field that the update wrote from one that was only added", () => {
    assert.equal(isReverted(driftOf(seen(scaled))), true);
    assert.equal(isReverted(driftOf(seen(variableAdded))), false);
  });

  it("shows no secret", () => {
    const secretive: Change = {
      edit: (_, web) => {
        web["env"].push({ name: "SMTP_PASS", value: "hunter22222" });
        web["env"][0].value = "https://ada:hunter22222@example.com/";
      },
      lose: (_, web) => delete web["f:env"],
      others: [
        by("kubectl-edit", inContainer({ "f:env": { 'k:{"name":"MODE"}': { "f:value": {} } } })),
        by(
          "kubectl-set",
          inContainer({ "f:env": { 'k:{"name":"SMTP_PASS"}': { ".": {}, "f:value": {} } } }),
        ),
      ],
    };
    const said = lines(secretive);
    assert.equal(said.length, 2);
    assert.doesNotMatch(said.join("\n"), /hunter2/);
    const report = JSON.stringify(reportOf("prod", driftOf(seen(secretive))));
    assert.match(report, /SMTP_PASS/);
    assert.doesNotMatch(report, /hunter2/);
  });
});

describe("drift as data", () => {
  it("has each difference, with null for what is not set", () => {
    const report = reportOf("prod", driftOf(seen(variableAdded)));
    const path = "spec.template.spec.containers[name=web].env[name=DEBUG]";
    assert.deepEqual(report.changed[0]?.fields, [
      { by: "kubectl-set", declared: null, live: { name: "DEBUG", value: "1" }, path, time },
    ]);
  });

  it("is read back as it was written, and nothing else is", () => {
    const report = reportOf("prod", driftOf(seen(scaled)));
    assert.deepEqual(parseReport(JSON.stringify(report)), report);
    for (const text of ["", "{}", JSON.stringify({ ...report, version: 2 })]) {
      assert.equal(parseReport(text), undefined);
    }
  });
});

describe("taking drift back", () => {
  async function commands(change: Change): Promise<readonly (readonly [string, unknown])[]> {
    const ran: (readonly [string, unknown])[] = [];
    const kubectl = async (args: readonly string[], _?: number, input = ""): Promise<string> => {
      ran.push([args.join(" "), JSON.parse(input)]);
      return Promise.resolve("");
    };
    await takeBack(driftOf(seen(change)), { kubectl });
    return ran;
  }

  it("applies what the last update wrote, with the same field manager", async () => {
    assert.deepEqual(await commands(scaled), [
      [`apply --server-side --force-conflicts --field-manager=${manager} --filename -`, declared],
    ]);
  });

  it("keeps the number of pods that the autoscaler has chosen", async () => {
    const autoscaled: Change = {
      edit: (live, web) => {
        live["spec"].replicas = 7;
        web["image"] = "other";
      },
      lose: (fields, web) => {
        delete fields["f:spec"]["f:replicas"];
        delete web["f:image"];
      },
      others: [
        by("kube-controller-manager", { "f:spec": { "f:replicas": {} } }, { subresource: "scale" }),
        by("kubectl-set", inContainer({ "f:image": {} })),
      ],
    };
    const [[, applied] = [""]] = await commands(autoscaled);
    assert.deepEqual(applied, { ...declared, spec: { ...declared.spec, replicas: 7 } });
  });

  it("removes a field that was added, only if it is still what was read", async () => {
    const path = "/spec/template/spec/containers/0/env/1";
    const patch = JSON.stringify([
      { op: "test", path, value: { name: "DEBUG", value: "1" } },
      { op: "remove", path },
    ]);
    const [[command] = [""]] = await commands(variableAdded);
    assert.equal(command, `patch --type=json --patch ${patch} --filename -`);
    assert.equal((await commands(variableAdded)).length, 1);
  });

  it("leaves an object with encrypted values: the state does not have them in the clear", async () => {
    const { objects, resources } = seen(scaled);
    const value = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
    const sealed = resources.map((one) => ({ ...one, inputs: { ...one.inputs, data: value } }));
    const kubectl = async (): Promise<string> => Promise.reject(new Error("not asked"));
    await takeBack(driftOf({ objects, resources: sealed }), { kubectl });
  });

  it("does nothing without drift", async () => {
    assert.deepEqual(await commands({}), []);
  });
});
