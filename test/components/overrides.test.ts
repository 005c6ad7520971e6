import assert from "node:assert/strict";
import { runInThisContext } from "node:vm";
import ts from "typescript";
import { Canary, type CanaryOverrides } from "../../components/web-service/canary";
import {
  Postgres,
  type PostgresArgs,
  type PostgresOverrides,
} from "../../components/postgres/postgres";
import {
  ReviewNamespace,
  type ReviewNamespaceOverrides,
} from "../../components/namespace/review-namespace";
import {
  ScheduledJob,
  type ScheduledJobArgs,
  type ScheduledJobOverrides,
} from "../../components/scheduled-job/scheduled-job";
import {
  WebService,
  type WebServiceArgs,
  type WebServiceOverrides,
} from "../../components/web-service/web-service";
import { database, digest, identity, job, web } from "../support/fixtures";
import { differences, leavesOf } from "../support/fields";
import { rendered } from "../support/golden";
import { interfaces, propertiesOf } from "../support/interfaces";
import { type Recorder, record, settled } from "../support/mocks";

/**
 * For each spec: an override of one nested field, the manifest's line without the override, and the
 * line with the override.
 */
type Changes<Overrides> = {
  readonly [Spec in keyof Required<Overrides>]: readonly [
    change: NonNullable<Overrides[Spec]>,
    from: string,
    to: string,
  ];
};

const webService: Changes<WebServiceOverrides> = {
  autoscalerSpec: [
    (spec) => ({ ...spec, scaleTargetRef: { ...spec.scaleTargetRef, name: "other" } }),
    "    name: orders",
    "    name: other",
  ],
  container: [
    (spec) => ({ ...spec, livenessProbe: { ...spec.livenessProbe, timeoutSeconds: 9 } }),
    "            timeoutSeconds: 3",
    "            timeoutSeconds: 9",
  ],
  deploymentSpec: [
    (spec) => {
      const rollingUpdate = { ...spec.strategy?.rollingUpdate, maxSurge: "50%" };
      return { ...spec, strategy: { ...spec.strategy, rollingUpdate } };
    },
    "      maxSurge: 25%",
    "      maxSurge: 50%",
  ],
  ingressSpec: [
    (spec) => ({
      ...spec,
      rules: (spec.rules ?? []).map((rule) => ({ ...rule, host: "*.x.com" })),
    }),
    "    - host: orders.example.com",
    '    - host: "*.x.com"',
  ],
  migrationJobSpec: [
    (spec) => ({
      ...spec,
      podFailurePolicy: {
        rules: (spec.podFailurePolicy?.rules ?? []).map((rule) => ({ ...rule, action: "Count" })),
      },
    }),
    "      - action: Ignore",
    "      - action: Count",
  ],
  podDisruptionBudgetSpec: [
    (spec) => {
      const matchLabels = { ...spec.selector?.matchLabels, track: "canary" };
      return { ...spec, selector: { ...spec.selector, matchLabels } };
    },
    "      track: stable",
    "      track: canary",
  ],
  podSpec: [
    (spec) => ({ ...spec, securityContext: { ...spec.securityContext, fsGroup: 20_000 } }),
    "        fsGroup: 10001",
    "        fsGroup: 20000",
  ],
  serviceSpec: [
    (spec) => ({ ...spec, ports: (spec.ports ?? []).map((port) => ({ ...port, port: 81 })) }),
    "      port: 80",
    "      port: 81",
  ],
};

const scheduledJob: Changes<ScheduledJobOverrides> = {
  container: [
    (spec) => {
      const requests = { ...spec.resources?.requests, cpu: "1" };
      return { ...spec, resources: { ...spec.resources, requests } };
    },
    "                  cpu: 250m",
    '                  cpu: "1"',
  ],
  cronJobSpec: [
    (spec) => {
      const { metadata } = spec.jobTemplate;
      const labels = { ...metadata?.labels, app: "other" };
      return { ...spec, jobTemplate: { ...spec.jobTemplate, metadata: { ...metadata, labels } } };
    },
    "        app: services-orders-x",
    "        app: other",
  ],
  jobSpec: [
    (spec) => {
      const { metadata } = spec.template;
      const labels = { ...metadata?.labels, app: "other" };
      return { ...spec, template: { ...spec.template, metadata: { ...metadata, labels } } };
    },
    "            app: services-orders-x",
    "            app: other",
  ],
  podSpec: [
    (spec) => ({ ...spec, securityContext: { ...spec.securityContext, fsGroup: 20_000 } }),
    "            fsGroup: 10001",
    "            fsGroup: 20000",
  ],
};

const postgres: Changes<PostgresOverrides> = {
  container: [
    (spec) => ({ ...spec, readinessProbe: { ...spec.readinessProbe, periodSeconds: 9 } }),
    "            periodSeconds: 2",
    "            periodSeconds: 9",
  ],
  podSpec: [
    (spec) => ({ ...spec, securityContext: { ...spec.securityContext, fsGroup: 20_000 } }),
    "        fsGroup: 10001",
    "        fsGroup: 20000",
  ],
  serviceSpec: [
    (spec) => ({ ...spec, ports: (spec.ports ?? []).map((port) => ({ ...port, name: "x" })) }),
    "    - name: postgres",
    "    - name: x",
  ],
  statefulSetSpec: [
    (spec) => {
      const policy = { ...spec.persistentVolumeClaimRetentionPolicy, whenScaled: "Delete" };
      return { ...spec, persistentVolumeClaimRetentionPolicy: policy };
    },
    "    whenScaled: Retain",
    "    whenScaled: Delete",
  ],
};

const reviewNamespace: Changes<ReviewNamespaceOverrides> = {
  limitRangeSpec: [
    (spec) => {
      const limits = spec.limits.map((limit) => ({ ...limit, default: { memory: "1Gi" } }));
      return { ...spec, limits };
    },
    "        ephemeral-storage: 1Gi\n        memory: 512Mi",
    "        memory: 1Gi",
  ],
  networkPolicySpecs: [
    {
      "service-to-database": (spec) => {
        const egress = (spec.egress ?? []).map((rule) => {
          return { ...rule, ports: (rule.ports ?? []).map((port) => ({ ...port, port: 5433 })) };
        });
        return { ...spec, egress };
      },
    },
    "        - port: 5432",
    "        - port: 5433",
  ],
  resourceQuotaSpec: [
    (spec) => ({ ...spec, hard: { ...spec.hard, services: "9" } }),
    '    services: "5"',
    '    services: "9"',
  ],
};

interface Component {
  readonly changes: Readonly<Record<string, readonly [unknown, string, string]>>;
  readonly make: (overrides: object) => unknown;
}

const autoscaling = { maxReplicas: 9, minReplicas: 2 };
const postgresArgs: PostgresArgs = { identity, imageRef: `postgres@${digest}`, namespace: "ns" };
const webArgs: WebServiceArgs = {
  ...{ ...web, autoscaling, database },
  host: "orders.example.com",
  longMigration: { version: "12" },
};
const jobArgs: ScheduledJobArgs = { ...job, database };

const { container, deploymentSpec, podSpec } = webService;
const canary: Changes<CanaryOverrides> = {
  container,
  deploymentSpec,
  networkPolicySpec: [
    (spec) => ({ ...spec, policyTypes: ["Ingress"] }),
    "    - Egress",
    "    - Ingress",
  ],
  podSpec,
};

const components: Readonly<Record<string, Component>> = {
  Canary: {
    changes: canary,
    make: (overrides) =>
      new Canary("orders", {
        ...{ ...web, database, replicas: 2, serviceAccountName: "orders" },
        overrides,
      }),
  },
  Postgres: {
    changes: postgres,
    make: (overrides) => new Postgres("postgres", { ...postgresArgs, overrides }),
  },
  ReviewNamespace: {
    changes: reviewNamespace,
    make: (overrides) => new ReviewNamespace("ns", { identity, namespace: "ns", overrides }),
  },
  ScheduledJob: {
    changes: scheduledJob,
    make: (overrides) => new ScheduledJob("orders", { ...jobArgs, overrides }),
  },
  WebService: {
    changes: webService,
    make: (overrides) => new WebService("orders", { ...webArgs, overrides }),
  },
};

async function made(component: Component, overrides: object): Promise<Recorder> {
  const recorder = await record();
  component.make(overrides);
  await settled();
  return recorder;
}

/**
 * Returns the lines of both texts without their common first lines and their common last lines.
 */
function differingLines(one: string, two: string): { readonly from: string; readonly to: string } {
  const [a, b] = [one.split("\n"), two.split("\n")];
  const begin = a.findIndex((line, index) => line !== b[index]);
  let end = 0;
  while (a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const differing = (lines: readonly string[]) => lines.slice(begin, lines.length - end).join("\n");
  return { from: differing(a), to: differing(b) };
}

/** Returns the `@example` in the documentation of an override. */
function exampleOf(member: ts.PropertySignature): string {
  const tag = ts.getJSDocTags(member).find(({ tagName }) => tagName.text === "example");
  return ts.getTextOfJSDocComment(tag?.comment) ?? "";
}

describe("overrides", () => {
  it("are tested here for every component that has them", () => {
    const found = interfaces.map(({ name }) => name.text).filter((n) => n.endsWith("Overrides"));
    assert.deepEqual(
      found.sort(),
      Object.keys(components).map((name) => `${name}Overrides`),
    );
  });

  for (const [name, component] of Object.entries(components)) {
    describe(`of ${name}`, () => {
      const members = propertiesOf(`${name}Overrides`);

      it("have a change of one nested field here for every spec", () => {
        const specs = members.map((member) => member.name.getText());
        assert.deepEqual(Object.keys(component.changes).sort(), specs.sort());
      });

      for (const [spec, [change, from, to]] of Object.entries(component.changes)) {
        it(`change one line of the manifest for one nested field: ${spec} ${to.trim()}`, async () => {
          const before = rendered(await made(component, {}));
          const after = rendered(await made(component, { [spec]: change }));
          assert.deepEqual(differingLines(before, after), { from, to });
        });
      }

      for (const member of members) {
        const spec = member.name.getText();
        it(`change one field of the spec by what the documentation of ${spec} shows`, async () => {
          const change: unknown = runInThisContext(`(${exampleOf(member)})`);
          assert.ok(typeof change === "function" || typeof change === "object");
          const before = leavesOf(await made(component, {}));
          const after = leavesOf(await made(component, { [spec]: change }));
          const field = (path: string) => {
            const own = /^.*\.containers\[name=\w+\]\./.exec(path) ?? /^.*spec\./.exec(path);
            return path.slice(own?.[0].length).split(/[.[]/)[0];
          };
          const changed = differences(before, after).map(
            ([kind, path]) => `${kind} ${String(field(path))}`,
          );
          assert.equal(new Set(changed).size, 1, changed.join(", "));
        });
      }
    });
  }
});
