import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reviewUser } from "../../../components/conventions/ci-roles";
import { labels } from "../../../components/conventions/labels";
import { slug } from "../../../components/conventions/names";
import { defaultWorkspace } from "../../../operations/pulumi/run-pulumi";
import type { ReviewNamespace } from "../../../operations/stacks/review-namespace";
import type { ReviewState } from "../../../operations/stacks/review-state";
import { sweep } from "../../../operations/sweep/sweep";
import { type Inventory, decide } from "../../../operations/sweep/decisions";
import { identityOf } from "../../../settings/identity";
import { Programs } from "../support/programs";

const now = new Date("2026-01-10T12:00:00Z");
const hoursAgo = (hours: number): Date => new Date(now.getTime() - hours * 3_600_000);
const later = new Date("2026-01-11T12:00:00Z");
const past = new Date("2026-01-10T09:00:00Z");
const branch = "feature/a";
const name = `review-${slug(branch)}`;
const namespace = `services-orders-${name}`;
const life = (lastUpdate: Date) => ({ extendedUntil: undefined, lastUpdate, ttlHours: 72 });
const expired = { life: life(hoursAgo(75)) };

const remote = "github.com/acme/orders";
const review: ReviewNamespace = {
  branch,
  isOurs: true,
  isTerminating: false,
  life: life(hoursAgo(48)),
  name: namespace,
  person: "ada",
  remote,
  slug: slug(branch),
};
const inventory: Inventory = {
  branches: new Set(["main", branch]),
  canary: undefined,
  namespaces: [review],
  now,
  remote,
  states: [{ modified: hoursAgo(48), name }],
};

interface Case {
  readonly around?: Partial<Inventory>;
  readonly goes: boolean;
  readonly of?: Partial<ReviewNamespace>;
  readonly title: string;
  readonly why: RegExp;
}

const cases: readonly Case[] = [
  {
    goes: false,
    title: "lives and has its branch",
    why: /branch exists, and the stack expires in 24 h/,
  },
  { goes: true, of: expired, title: "has expired", why: /expired 3 h ago/ },
  {
    around: { branches: new Set(["main"]) },
    goes: true,
    title: "has lost its branch",
    why: /branch "feature\/a" is gone/,
  },
  {
    around: { branches: undefined },
    goes: false,
    title: "may have lost its branch, but the remote does not say",
    why: /remote could not be read/,
  },
  {
    around: { branches: new Set(["main"]) },
    goes: true,
    of: { remote: undefined },
    title: "has lost its branch, and does not say of which repository",
    why: /branch "feature\/a" is gone/,
  },
  {
    around: { branches: new Set(["main"]), remote: "github.com/ada/orders" },
    goes: false,
    title: "may have lost its branch, but a fork was asked",
    why: /belongs to github\.com\/acme\/orders, which the sweep does not read, and the stack expires in 24 h/,
  },
  {
    around: { branches: new Set() },
    goes: false,
    title: "may have lost its branch, but the repository is empty",
    why: /does not have the branch main, and the stack expires in 24 h/,
  },
  {
    around: { branches: undefined },
    goes: true,
    of: expired,
    title: "has expired, no matter what the remote says",
    why: /expired/,
  },
  {
    around: { states: [] },
    goes: true,
    of: expired,
    title: "has expired and lost its state",
    why: /expired/,
  },
  {
    goes: true,
    of: { isTerminating: true },
    title: "a killed removal has begun to delete",
    why: /its removal has begun/,
  },
  ...(
    [
      ["names no branch", undefined, /names no branch/],
      ["names a branch that differs from its name", "feature/b", /not the branch of this stack/],
      ["names a branch that has no review stack", "main", /not the branch of this stack/],
    ] as const
  ).flatMap(([title, other, why]) => [
    { around: { branches: new Set(["main"]) }, goes: false, of: { branch: other }, title, why },
    {
      goes: true,
      of: { branch: other, ...expired },
      title: `has expired, also when it ${title}`,
      why: /expired/,
    },
  ]),
  {
    around: { branches: new Set(["main"]) },
    goes: false,
    of: { isOurs: false, ...expired },
    title: "has a namespace that belongs to someone else",
    why: /someone else's labels/,
  },
  {
    around: { branches: new Set(["main"]) },
    goes: false,
    of: { isOurs: false, slug: undefined, ...expired },
    title: "has a name that no stack can have",
    why: /someone else's labels/,
  },
];

describe("sweep", () => {
  for (const { around, goes, of, title, why } of cases) {
    it(`lets a stack ${goes ? "go" : "stay"} that ${title}`, () => {
      const decisions = decide({ ...inventory, ...around, namespaces: [{ ...review, ...of }] });
      assert.deepEqual(
        decisions.map((decision) => decision.goes),
        [goes],
      );
      assert.match(decisions[0]?.why ?? "", why);
    });
  }

  const states: readonly (readonly [
    title: string,
    goes: boolean,
    of: Partial<ReviewState>,
    branches: Inventory["branches"],
  ])[] = [
    ["whose branch is gone", true, {}, new Set(["main", "feature/b"])],
    ["whose branch exists", false, {}, new Set(["main", branch])],
    ["that no one has written for 72 h", true, { modified: hoursAgo(73) }, inventory.branches],
    ["when the remote cannot be asked", false, {}, undefined],
    ["when the repository is empty", false, {}, new Set()],
  ];
  for (const [title, goes, of, branches] of states) {
    it(`lets a state without a namespace ${goes ? "go" : "stay"} ${title}`, () => {
      const state = { modified: hoursAgo(48), name, ...of };
      const decisions = decide({ ...inventory, branches, namespaces: [], states: [state] });
      assert.deepEqual(
        decisions.map((decision) => [decision.name, decision.goes]),
        [[name, goes]],
      );
      assert.match(decisions[0]?.why ?? "", /^has no namespace, and /);
    });
  }

  const canary = { branch, cluster: "prod", clusterUid: "prod", expires: later };
  const canaries = [
    [{ ...canary, expires: past }, true],
    [canary, false],
    [{ ...canary, expires: undefined }, false],
    [{ ...canary, clusterUid: "elsewhere", expires: past }, false],
  ] as const;
  it("stops a canary that expired, in its own cluster, and no other", () => {
    for (const [given, goes] of canaries) {
      const [decision] = decide({ ...inventory, canary: given, namespaces: [], states: [] });
      assert.deepEqual([decision?.name, decision?.goes], ["prod-canary", goes], decision?.why);
    }
  });

  it("asks state and both clusters before it looks at anything", async () => {
    const bin = mkdtempSync(join(tmpdir(), "services-orders-sweep-"));
    const program = (name: string, does: string): void => {
      const script = `#!/bin/sh\necho "${name} $*" >> ${bin}/calls\n${does}\n`;
      writeFileSync(join(bin, name), script, { mode: 0o755 });
    };
    program("pulumi", 'echo \'[{"name":"prod-canary"}]\'');
    program("kubectl", 'echo \'{"metadata":{"uid":"1234"}}\'');
    program("aws", "echo denied >&2; exit 1");
    try {
      const env = { PATH: `${bin}:/usr/bin:/bin`, SANDBOX_EKS_CLUSTER: "none" };
      await assert.rejects(
        sweep({}, { ...defaultWorkspace, env }),
        /EKS cluster "prod" .*: denied/,
      );
      const calls = readFileSync(join(bin, "calls"), "utf8").trim().split("\n");
      const questions = /^(?:pulumi stack ls|kubectl .*kube-system|aws eks)/;
      assert.deepEqual(
        calls.filter((call) => !questions.test(call)),
        [],
      );
    } finally {
      rmSync(bin, { recursive: true });
    }
  });
});

describe("sweep --apply", () => {
  let programs: Programs;
  let state: string;
  const old = "2026-01-01T00:00:00Z";
  const metadata = {
    annotations: { "services-orders/owner": reviewUser(branch) },
    creationTimestamp: old,
    labels: labels(identityOf("review", slug(branch)), "namespace"),
    name: namespace,
    uid: "1",
  };
  const named = (more: object = {}): string =>
    JSON.stringify({ metadata: { ...metadata, ...more } });
  const listed = (...namespaces: readonly string[]): string =>
    `echo '{"items":[${namespaces.join(",")}]}'`;
  const kubectl = {
    "*kube-system*": `echo '{"metadata":{"uid":"here"}}'`,
    "*delete namespace*": 'touch "$0.deleted"',
    [`*get namespace ${namespace} *`]: `[ -e "$0.deleted" ] || echo '${named()}'`,
    "*get namespaces*": listed(named()),
  } as const;

  beforeEach(() => {
    programs = new Programs();
    programs.add("pulumi", {});
    state = join(programs.directory, "state", ".pulumi", "stacks", "services-orders");
    mkdirSync(state, { recursive: true });
  });
  afterEach(() => {
    programs.remove();
  });

  /**
   * Runs a sweep, and checks that the sweep does not start Pulumi. Returns the kubectl commands of
   * the sweep that delete something.
   */
  async function deletions(): Promise<readonly string[]> {
    const backend = { PULUMI_BACKEND_URL: `file://${programs.directory}/state` };
    const workspace = programs.workspace({ ...backend, SANDBOX_EKS_CLUSTER: "none" });
    await sweep({ apply: true, only: "reviews" }, workspace);
    assert.deepEqual(
      programs.calls.filter((call) => call.startsWith("pulumi")),
      [],
    );
    return programs.calls.filter((call) => call.startsWith("kubectl delete"));
  }

  it("removes what has expired", async () => {
    programs.add("kubectl", kubectl);
    assert.equal((await deletions()).length, 1);
  });

  it("leaves a stack that is updated after it was found expired", async () => {
    const annotations = {
      ...metadata.annotations,
      "services-orders/last-update": new Date().toISOString(),
    };
    const lists = [listed(named()), listed(named({ annotations }))] as const;
    programs.add("kubectl", { ...kubectl, "*get namespaces*": lists });
    assert.deepEqual(await deletions(), []);
  });

  it("continues when a stack is removed after it was listed", async () => {
    programs.add("kubectl", { ...kubectl, "*get namespaces*": [listed(named()), listed()] });
    assert.deepEqual(await deletions(), []);
  });

  it("removes a state without a namespace that no one has written for 72 h", async () => {
    const none = { "*get namespaces*": listed(), [`*get namespace ${namespace} *`]: "true" };
    programs.add("kubectl", { ...kubectl, ...none });
    const file = join(state, `${name}.json`);
    for (const one of [file, join(state, "review-b.json"), join(state, "prod.json")]) {
      writeFileSync(one, "{}");
      if (!one.includes("review-b")) utimesSync(one, new Date(old), new Date(old));
    }
    assert.deepEqual(await deletions(), []);
    assert.deepEqual(readdirSync(state).sort(), ["prod.json", "review-b.json"]);
  });
});
