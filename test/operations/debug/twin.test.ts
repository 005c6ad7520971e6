import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { reviewNamespace, webService } from "../../../components/conventions/defaults";
import { cores, memoryBytes } from "../../../components/conventions/quantities";
import {
  type ServiceDeployment,
  httpPortOf,
  serviceContainer,
  twinLabels,
  twinOf,
} from "../../../operations/debug/twin";
import { project } from "../../../lib/project";
import { identity } from "../../support/fixtures";
import { textMatchesGolden } from "../../support/golden";

type Labels = Readonly<Record<string, string>>;
interface Selector {
  readonly matchExpressions?: readonly { readonly key: string; readonly values: string[] }[];
  readonly matchLabels?: Labels;
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly podSelector?: Selector;
    readonly selector?: Labels & Selector;
    readonly template?: { readonly spec: { readonly containers: object[] } };
  };
}

function manifests(golden: string): readonly Manifest[] {
  const text = readFileSync(join(project, "test", "golden", `${golden}.yaml`), "utf8");
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

function deploymentOf(golden: string): ServiceDeployment {
  const found = manifests(golden).find(({ kind }) => kind === "Deployment");
  return found as unknown as ServiceDeployment;
}

const request = { deadlineSeconds: 3600, reason: "audit", suspend: false, who: "ada@example.com" };
interface Twin {
  readonly metadata: { readonly labels: Labels };
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: {
        readonly containers: readonly {
          readonly env: readonly { readonly name: string; readonly value?: string }[];
        }[];
        readonly initContainers?: readonly { readonly name: string }[];
      };
    };
  };
}
const twin = (deployment: ServiceDeployment, more: Partial<typeof request> = {}): Twin =>
  twinOf("debug-ada-1", identity, deployment, { ...request, ...more }) as Twin;
const optionsOf = (job: Twin): readonly string[] =>
  (
    job.spec.template.spec.containers[0]?.env.find(({ name }) => name === "JAVA_TOOL_OPTIONS")
      ?.value ?? ""
  ).split(" ");

/** Whether a label selector selects an object with these labels. */
function selects({ matchExpressions = [], matchLabels = {} }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ""))
  );
}

describe("a twin", () => {
  it("is the service's pod with a debugger, without probes, migration and the service's labels", () => {
    textMatchesGolden("twin.yaml", stringify(twin(deploymentOf("web-service-everything"))));
  });

  it("has labels that no Service, budget or Deployment of the stack selects", () => {
    const { labels } = twin(deploymentOf("web-service-everything")).spec.template.metadata;
    assert.deepEqual(labels, twinLabels(identity, "orders"));
    const kinds = ["Deployment", "PodDisruptionBudget", "Service"];
    const objects = manifests("web-service-everything").filter(({ kind }) => kinds.includes(kind));
    assert.equal(objects.length, 3);
    for (const { kind, spec } of objects) {
      const { selector = {} } = spec;
      const selected = kind === "Service" ? { matchLabels: selector } : selector;
      assert.equal(selects(selected, labels), false, kind);
    }
  });

  it("may open the same connections as the service in a review stack, and get none", () => {
    const labels = twinLabels(identity, "orders");
    const policies = manifests("review-namespace").filter(({ kind }) => kind === "NetworkPolicy");
    const found = policies
      .filter(({ spec }) => selects(spec.podSelector ?? {}, labels))
      .map(({ metadata }) => metadata.name);
    assert.deepEqual(found.sort(), [
      "default-deny",
      "service-to-database",
      "service-to-datadog",
      "service-to-dns",
    ]);
  });

  it("adds the debugger to the JVM options, and replaces one that is there", () => {
    const everything = optionsOf(twin(deploymentOf("web-service-everything")));
    assert.ok(everything.includes("-Xlog:gc"), everything.join(" "));
    assert.deepEqual(
      everything.filter((option) => option.includes("jdwp")),
      ["-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:5005"],
    );
    const suspended = optionsOf(twin(deploymentOf("web-service"), { suspend: true }));
    assert.match(suspended.at(-1) ?? "", /suspend=y,address=127\.0\.0\.1:5005$/);
  });

  it("keeps sidecars and other init containers, but not migrate and seed", () => {
    const names = twin(deploymentOf("web-service-everything")).spec.template.spec.initContainers;
    assert.deepEqual(
      names?.map(({ name }) => name),
      ["beside", "before", "datadog-agent"],
    );
  });

  it("does not start without a plain text for the JVM options", () => {
    const deployment = deploymentOf("web-service");
    const container = { ...serviceContainer(deployment) };
    const valueFrom = { secretKeyRef: { key: "options", name: "jvm" } };
    const { metadata } = deployment;
    const spec = {
      containers: [{ ...container, env: [{ name: "JAVA_TOOL_OPTIONS", valueFrom }] }],
    };
    assert.throws(
      () => twin({ metadata, spec: { template: { metadata: {}, spec } } }),
      /gets JAVA_TOOL_OPTIONS from another object/,
    );
    assert.equal(httpPortOf(container), webService.port);
  });

  it("fits into the quota of a review stack, next to a rollout of one replica", () => {
    const { cpu, memory, pods } = reviewNamespace.quota;
    // Three pods of the service during a rollout, and one pod each for a command, for the database
    // and for the twin.
    const all = 3 + 1 + 1 + 1;
    assert.ok(all <= pods);
    assert.ok(all * (cores(webService.requests.cpu) ?? 0) <= (cores(cpu) ?? 0));
    assert.ok(all * (memoryBytes(webService.requests.memory) ?? 0) <= (memoryBytes(memory) ?? 0));
  });
});
