import assert from "node:assert/strict";
import { runInNewContext } from "node:vm";
import * as pulumi from "@pulumi/pulumi";
import { shortHash } from "../../components/conventions/names";
import { labels } from "../../components/conventions/labels";
import { type Settings, settingsFrom } from "../../settings";
import { rules } from "../../policy/rules";
import { compiled, complaints } from "../support/compiler";
import { company } from "../../config/company";
import { type Leaves, differences, leavesOf } from "../support/fields";
import { digest } from "../support/fixtures";
import { type Recorder, record, settled } from "../support/mocks";
import { type Block, blocksOf, guide, load, pasted } from "../support/recipes";
import { said } from "../support/recorded";
import type program = require("../../index");

type Program = typeof program;

const imageRef = `localhost:5000/services-orders@${digest}`;

/** One stack of each environment. */
const stacks = ["local", "review-x", "staging", "prod", "prod-canary"] as const;
type Stack = (typeof stacks)[number];

/** The stacks that run a web service and jobs. `prod-canary` runs only a canary. */
const services = ["local", "review-x", "staging", "prod"] as const;

function settingsOf(stack: Stack, config: Readonly<Record<string, string>> = {}): Settings {
  const ownsData = stack === "local" || stack === "review-x";
  return settingsFrom({
    config: {
      "services-orders:imageRef": imageRef,
      "services-orders:branch": "x",
      ...(ownsData ? {} : { "services-orders:databaseHost": "db.example.com" }),
      ...config,
    },
    env: { SANDBOX_DOMAIN: "example.com", SANDBOX_EKS_CLUSTER: "none" },
    git: { branch: "main", commit: "0123456789".repeat(4) },
    stack,
  });
}

interface Made {
  readonly leaves: Leaves;
  readonly recorder: Recorder;
  readonly settings: Settings;
}

/**
 * Runs a program for a stack under Pulumi's mocks, and returns the resources that the program
 * creates.
 */
async function made(
  run: Program,
  stack: Stack,
  config: Readonly<Record<string, string>> = {},
): Promise<Made> {
  const settings = settingsOf(stack, config);
  const recorder = await record(stack);
  const namespace =
    stack === "prod-canary"
      ? { labels: labels(settings.identity, "namespace"), terminating: false }
      : undefined;
  await run({
    readCluster: () => Promise.resolve({ clusterUid: "1", namespace }),
    readSettings: () => Promise.resolve(settings),
  });
  await settled();
  return { leaves: leavesOf(recorder), recorder, settings };
}

/**
 * Returns the violations that the policy pack reports. For a review stack, also returns one message
 * for each host that the platform's policies would refuse.
 */
function refusals({ recorder, settings }: Made): readonly string[] {
  const known = ["localhost:5000", "docker.io/library/postgres", ...company.registries];
  const hosts = recorder
    .all("kubernetes:networking.k8s.io/v1:Ingress")
    .flatMap(({ inputs }) => inputs.spec.rules as { host: string }[])
    .filter(({ host }) => host !== settings.host)
    .map(({ host }) => `the platform refuses ${host} in a review stack`);
  return [
    ...said(recorder, settings.stack, rules(known)),
    ...(settings.stack.startsWith("review-") ? hosts : []),
  ];
}

const container = "spec.template.spec.containers[name=services-orders]";
/** The change of the annotation that lists the scheduled jobs, in the PodTemplate of a stack. */
const scheduledJobs = (names: string) => ({
  'PodTemplate services-orders metadata.annotations["jobs/scheduled"]': names,
});
const jobContainer = "spec.jobTemplate.spec.template.spec.containers";
const secretVolume = `secret-${shortHash("/etc/secrets/partner")}`;
const deployment = "Deployment services-orders";

type Fields = Readonly<Record<string, unknown>>;
type Expected = readonly (readonly [stacks: readonly Stack[], fields: Fields])[];

const withoutReview = ["local", "staging", "prod", "prod-canary"] as const;

/**
 * The fields that each recipe changes in each stack, with their new values. `undefined` means that
 * the recipe deletes the object.
 */
const expected: readonly (readonly [heading: string, changes: Expected])[] = [
  [
    "Set a variable",
    [[stacks, { [`${deployment} ${container}.env[name=DATABASE_POOL_SIZE].value`]: "20" }]],
  ],
  [
    "Set a variable for one environment",
    [[["staging"], { [`${deployment} ${container}.env[name=LOG_LEVEL].value`]: "debug" }]],
  ],
  [
    "Use a secret",
    [
      [
        withoutReview,
        {
          [`${deployment} ${container}.volumeMounts[name=${secretVolume}].mountPath`]:
            "/etc/secrets/partner",
        },
      ],
    ],
  ],
  [
    "Use a secret",
    [
      [
        withoutReview,
        {
          [`${deployment} ${container}.env[name=PARTNER_TOKEN].valueFrom.secretKeyRef.key`]:
            "token",
        },
      ],
    ],
  ],
  [
    "Rotate a secret",
    [
      [
        stacks,
        { [`${deployment} spec.template.metadata.annotations["secrets-rotated"]`]: "2026-01-31" },
      ],
    ],
  ],
  [
    "Add a label",
    [
      [stacks, { [`${deployment} metadata.labels.team`]: "orders" }],
      [
        services,
        {
          "Ingress services-orders metadata.labels.team": "orders",
          "Service services-orders metadata.labels.team": "orders",
          "ServiceAccount services-orders metadata.labels.team": "orders",
        },
      ],
      [
        ["local", "staging", "prod"],
        { "PodDisruptionBudget services-orders metadata.labels.team": "orders" },
      ],
    ],
  ],
  [
    "Add a label",
    [[stacks, { [`${deployment} spec.template.metadata.labels["cost-center"]`]: "1234" }]],
  ],
  [
    "Add a label",
    [
      [
        services,
        {
          "CronJob export metadata.labels.team": "orders",
          'CronJob export spec.jobTemplate.spec.template.metadata.labels["cost-center"]': "1234",
          "CronJob expire-unpaid metadata.labels.team": "orders",
        },
      ],
    ],
  ],
  [
    "Attach a debugger in the sandbox",
    [
      [
        ["local"],
        {
          [`${deployment} ${container}.livenessProbe.failureThreshold`]: 360,
          [`${deployment} ${container}.ports[name=debug].containerPort`]: 5005,
          [`${deployment} spec.replicas`]: 1,
          "PodDisruptionBudget services-orders ": undefined,
        },
      ],
    ],
  ],
  [
    "Add a job",
    [
      [
        services,
        {
          ...scheduledJobs("expire-unpaid,export,export-weekly"),
          "CronJob export-weekly spec.schedule": "0 6 * * 1",
          'CronJob export-weekly metadata.annotations["on-failure/tell"]': "slack:#orders-alerts",
        },
      ],
      [["local", "review-x"], { "CronJob export-weekly spec.suspend": true }],
      [["staging", "prod"], { "CronJob export-weekly spec.suspend": false }],
    ],
  ],
  [
    "Get a message when a job fails",
    [
      [
        services,
        {
          'CronJob export metadata.annotations["on-failure/runbook"]':
            "https://example.com/runbooks/orders",
          'CronJob export metadata.annotations["on-failure/tell"]': "slack:#orders-alerts",
        },
      ],
    ],
  ],
  [
    "Set a variable for one job",
    [
      [
        services,
        { [`CronJob export ${jobContainer}[name=export].env[name=DATABASE_POOL_SIZE].value`]: "2" },
      ],
    ],
  ],
  [
    "Give a job more memory",
    [
      [
        services,
        { [`CronJob export ${jobContainer}[name=export].resources.limits.memory`]: "1Gi" },
      ],
    ],
  ],
  [
    "Change a job in one environment",
    [
      [
        services,
        { [`CronJob export ${jobContainer}[name=export].env[name=DATABASE_POOL_SIZE].value`]: "2" },
      ],
      [["review-x"], { "CronJob export spec.suspend": false }],
      [
        ["staging"],
        {
          [`CronJob export ${jobContainer}[name=export].env[name=LOG_LEVEL].value`]: "debug",
          "CronJob export spec.schedule": "0 5 * * *",
        },
      ],
      [
        ["prod"],
        { [`CronJob export ${jobContainer}[name=export].resources.limits.memory`]: "1Gi" },
      ],
    ],
  ],
  ["Delete a job", [[["staging", "prod"], { "CronJob expire-unpaid spec.suspend": true }]]],
  [
    "Delete a job",
    [[services, { ...scheduledJobs("export"), "CronJob expire-unpaid ": undefined }]],
  ],
  // This recipe changes no field, because the service has no long migration.
  // test/program/long-migration.test.ts uses the SQL of this recipe.
  ["A migration of many minutes", []],
  [
    "2. Override a spec",
    [[stacks, { [`${deployment} ${container}.readinessProbe.successThreshold`]: 2 }]],
  ],
  // Pulumi's mocks do not run transforms, so a test below calls the transform of this recipe
  // directly.
  ["3. Transform an option of Pulumi", []],
  [
    "4. Build next to the component",
    [[services, { 'Service admin spec.selector["app.kubernetes.io/component"]': "web" }]],
  ],
  [
    "Add a host in production",
    [[["prod"], { "Ingress services-orders spec.rules[1].host": "api.example.com" }]],
  ],
  [
    "Open a second port",
    [
      [
        services,
        {
          [`${deployment} ${container}.ports[name=grpc].containerPort`]: 9090,
          "Service services-orders spec.ports[name=grpc].port": 9090,
        },
      ],
    ],
  ],
  [
    "Open a second port",
    [
      [
        ["local", "review-x"],
        { "NetworkPolicy namespace-ingress-to-web spec.ingress[1].ports[0].port": 9090 },
      ],
    ],
  ],
  [
    "Reach another service from a review stack",
    [
      [
        ["local"],
        {
          "NetworkPolicy namespace-service-to-others spec.egress[0].to[0].ipBlock.cidr":
            "10.30.0.0/16",
        },
      ],
    ],
  ],
  ["Run more pods", [[["local"], { [`${deployment} spec.replicas`]: 3 }]]],
  [
    "Let the load decide",
    [
      [
        ["prod"],
        {
          "HorizontalPodAutoscaler services-orders spec.maxReplicas": 12,
          "HorizontalPodAutoscaler services-orders spec.minReplicas": 3,
        },
      ],
    ],
  ],
  [
    "Give the service more memory",
    [[stacks, { [`${deployment} ${container}.resources.limits.memory`]: "768Mi" }]],
  ],
  [
    "Run a second container",
    [
      [
        ["prod"],
        { [`${deployment} spec.template.spec.initContainers[name=proxy].restartPolicy`]: "Always" },
      ],
    ],
  ],
  ["Allow a slow start", [[services, { [`${deployment} spec.progressDeadlineSeconds`]: 600 }]]],
];

const setting = /^pulumi config set (\w+) '?(.+?)'? --stack (\S+)$/;
const blocks = guide.flatMap(blocksOf);
const recipes = blocks.filter(
  ({ language, text }) => language === "ts" || (language === "sh" && setting.test(text)),
);

/**
 * Returns the fields that a recipe must change in a stack. In a canary, the Deployment has a
 * different name, so the field names begin with `Deployment services-orders-canary`.
 */
function fieldsOf(changes: Expected, stack: Stack): Fields {
  const own = changes.filter(([where]) => where.includes(stack)).map(([, fields]) => fields);
  const named = (field: string) =>
    stack === "prod-canary" ? field.replace(deployment, `${deployment}-canary`) : field;
  return Object.fromEntries(
    own.flatMap(Object.entries).map(([field, value]) => [named(field), value as unknown]),
  );
}

/**
 * Returns the stack of a preview that the guide shows, and the kinds of objects in this preview.
 */
function shownBy(preview: Block | undefined) {
  if (preview?.language !== "text") return undefined;
  const [, stack] = /services-orders-(\S+)$/m.exec(preview.text) ?? [];
  const kinds = [...preview.text.matchAll(/[+~-] .*?kubernetes:[\w./]+:(\w+)/g)];
  return { kinds: new Set(kinds.map(([, kind]) => kind)), stack };
}

/**
 * Fails if a recipe does not change the expected fields of a stack, if the recipe changes objects
 * of an unexpected kind, or if a policy refuses the result. Returns the changed kinds.
 */
async function check(
  changed: Program,
  stack: Stack,
  changes: Expected,
  config: Readonly<Record<string, string>>,
): Promise<ReadonlySet<string>> {
  const before = await unchanged(stack);
  const after = await made(changed, stack, config);
  const fields = fieldsOf(changes, stack);
  for (const [field, wanted] of Object.entries(fields)) {
    assert.notEqual(before.get(field), after.leaves.get(field), `${stack}: ${field} was so before`);
    const leaf = wanted === undefined ? undefined : JSON.stringify(wanted);
    assert.equal(after.leaves.get(field), leaf, `${stack}: ${field}`);
  }
  const kinds = new Set(differences(before, after.leaves).map(([kind]) => kind));
  assert.deepEqual(kinds, new Set(Object.keys(fields).map((field) => field.split(" ")[0])), stack);
  assert.deepEqual(refusals(after), [], stack);
  return kinds;
}

const plainProgram = load() as Program;
const plain = new Map<Stack, Leaves>();

/** Returns what the program creates without any recipe. */
async function unchanged(stack: Stack): Promise<Leaves> {
  const known = plain.get(stack) ?? (await made(plainProgram, stack)).leaves;
  plain.set(stack, known);
  return known;
}

describe("docs/guide.md and its pages", () => {
  it("have an expectation here for every recipe", () => {
    assert.deepEqual(
      recipes.map(({ heading }) => heading),
      expected.map(([heading]) => heading),
    );
  });

  for (const [number, recipe] of recipes.entries()) {
    const { heading, page, text } = recipe;
    const [, changes = []] = expected[number] ?? [];
    const title = `${page}, "${heading}": ${text.split("\n")[1] ?? text}`;
    const [, key, value = "", configured] = setting.exec(text) ?? [];
    const change = key === undefined ? pasted(text) : undefined;
    const shown = shownBy(blocks[blocks.indexOf(recipe) + 1]);
    let loaded: Program | undefined;

    if (change !== undefined) {
      const name = change.file.replace(/(\w+)\.ts$/, `guide-${String(number)}-$1.ts`);
      const file = compiled(name, change.text);
      it(`compiles ${title}`, () => {
        assert.deepEqual(complaints(file), []);
      }).timeout(60_000);
    }

    for (const stack of stacks) {
      if (configured !== undefined && configured !== stack) continue;
      if (text.includes("transforms")) continue;
      it(`does as ${stack} what it says of ${title}`, async () => {
        const changed = (loaded ??=
          change === undefined ? plainProgram : (load(change) as Program));
        const config = key === undefined ? {} : { [`services-orders:${key}`]: value };
        const kinds = await check(changed, stack, changes, config);
        if (shown?.stack === stack) assert.deepEqual(shown.kinds, kinds);
      });
    }
  }

  it("notice a recipe that a review stack would be refused for", async () => {
    const broken = pasted(`// program/environment.ts, in \`web\`
      hosts: [{ host: "api.example.com" }],`);
    const { settings, recorder, leaves } = await made(load(broken) as Program, "review-x");
    assert.deepEqual(refusals({ leaves, recorder, settings }), [
      "the platform refuses api.example.com in a review stack",
    ]);
  });

  it("notice a recipe that breaks a policy", async () => {
    const broken = pasted(`// program/web-service-args.ts, in what \`webServiceArgs\` returns
      env: { PARTNER_TOKEN: "just-a-test" },`);
    const [refusal = ""] = refusals(await made(load(broken) as Program, "prod"));
    assert.match(refusal, /PARTNER_TOKEN/);
  });

  it("let a transform change an option of the Ingress, and of nothing else", () => {
    const shown = recipes.find(({ text }) => text.includes("transforms"));
    const expression = `({ ${shown?.text.replace(/^\/\/.*\n/, "") ?? ""} })`;
    const { transforms } = runInNewContext(expression, { opts: {}, pulumi }) as {
      transforms: [(args: object) => { opts: object } | undefined];
    };
    const of = (type: string) => transforms[0]({ opts: {}, props: {}, type })?.opts;
    const ingress = of("kubernetes:networking.k8s.io/v1:Ingress") as pulumi.CustomResourceOptions;
    assert.equal(ingress.customTimeouts?.create, "20m");
    assert.equal(of("kubernetes:core/v1:Service"), undefined);
  });
});
