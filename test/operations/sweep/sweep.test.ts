import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { slug } from "../../../components/conventions/names";
import { reviewStacks } from "../../../operations/stacks/review-stack";
import { defaultWorkspace } from "../../../operations/pulumi/run-pulumi";
import { sweep } from "../../../operations/sweep/sweep";
import { type Inventory, type Stack, decide } from "../../../operations/sweep/decisions";
import { Programs } from "../support/programs";

const now = new Date("2026-01-10T12:00:00Z");
const later = new Date("2026-01-11T12:00:00Z");
const past = new Date("2026-01-10T09:00:00Z");
const branch = "feature/a";
const name = `review-${slug(branch)}`;
const namespace = `services-orders-${name}`;

const remote = "github.com/acme/orders";
const stack: Stack = { branch, clusterUid: "here", expires: later, name, namespace, remote };
const inventory: Inventory = {
  branches: new Set(["main", branch]),
  canary: undefined,
  cluster: "here",
  namespaces: [{ name: namespace, ours: true }],
  now,
  remote,
  stacks: [stack],
};

interface Case {
  readonly around?: Partial<Inventory>;
  readonly goes: boolean;
  readonly of?: Partial<Stack>;
  readonly title: string;
  readonly why: RegExp;
}

const cases: readonly Case[] = [
  {
    goes: false,
    title: "lives and has its branch",
    why: /branch exists, and it expires in 24 h/,
  },
  { goes: true, of: { expires: past }, title: "has expired", why: /expired 3 h ago/ },
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
    why: /remote could not be asked/,
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
    why: /belongs to github\.com\/acme\/orders, which was not asked, and it expires in 24 h/,
  },
  {
    around: { branches: new Set() },
    goes: false,
    title: "may have lost its branch, but the repository is empty",
    why: /does not have the branch main, and it expires in 24 h/,
  },
  {
    around: { branches: undefined },
    goes: true,
    of: { expires: past },
    title: "has expired, no matter what the remote says",
    why: /expired/,
  },
  {
    around: { namespaces: [] },
    goes: true,
    of: { expires: past },
    title: "has expired and lost its namespace",
    why: /expired/,
  },
  { goes: false, of: { expires: undefined }, title: "was never updated", why: /never updated/ },
  {
    around: { branches: new Set() },
    goes: false,
    of: { branch: undefined },
    title: "names no branch",
    why: /has no branch tag/,
  },
  {
    around: { branches: new Set() },
    goes: false,
    of: { branch: "feature/b" },
    title: "names a branch that differs from its name",
    why: /not the branch of this name/,
  },
  {
    around: { branches: new Set() },
    goes: false,
    of: { branch: "main" },
    title: "names a branch that has no review stack",
    why: /not the branch of this name/,
  },
  {
    goes: false,
    of: { clusterUid: "there", expires: past },
    title: "is in another cluster",
    why: /another cluster \(there\)/,
  },
  {
    goes: false,
    of: { clusterUid: undefined, expires: past },
    title: "names no cluster",
    why: /has no cluster tag/,
  },
  {
    goes: false,
    of: { expires: past, namespace: "services-orders" },
    title: "names production's namespace",
    why: /does not belong to a review stack/,
  },
  {
    around: { namespaces: [{ name: namespace, ours: false }] },
    goes: false,
    of: { expires: past },
    title: "has a namespace that belongs to someone else",
    why: /someone else's labels/,
  },
  ...["prod", "staging", "local", "prod-canary", "review-main", "review-A"].map((other) => ({
    around: { branches: new Set<string>() },
    goes: false,
    of: { expires: past, name: other },
    title: `is named ${other}`,
    why: /not a review stack/,
  })),
];

describe("sweep", () => {
  for (const { around, goes, of, title, why } of cases) {
    it(`lets a stack ${goes ? "go" : "stay"} that ${title}`, () => {
      const [decision] = decide({ ...inventory, ...around, stacks: [{ ...stack, ...of }] });
      assert.equal(decision?.goes, goes);
      assert.match(decision.why, why);
    });
  }

  it("never removes a namespace that no stack of this state holds", () => {
    const orphans = [
      { name: "services-orders-review-orphan", ours: true },
      { name: "services-orders-review-foreign", ours: false },
    ];
    const decisions = decide({
      ...inventory,
      branches: new Set(),
      namespaces: orphans,
      stacks: [],
    });
    assert.deepEqual(
      decisions.map(({ goes, what }) => [goes, what]),
      [
        [false, "namespace"],
        [false, "namespace"],
      ],
    );
    assert.match(decisions[0]?.why ?? "", /kubectl delete namespace services-orders-review-orphan/);
  });

  it("reports a namespace once, and only namespaces of review stacks", () => {
    const namespaces = [...inventory.namespaces, { name: "services-orders", ours: false }];
    assert.equal(decide({ ...inventory, namespaces }).length, 1);
  });

  const canary = { branch, cluster: "prod", clusterUid: "prod", expires: later };
  const canaries = [
    [{ ...canary, expires: past }, true],
    [canary, false],
    [{ ...canary, expires: undefined }, false],
    [{ ...canary, clusterUid: "elsewhere", expires: past }, false],
  ] as const;
  it("stops a canary that expired, in its own cluster, and no other", () => {
    for (const [given, goes] of canaries) {
      const [decision] = decide({ ...inventory, canary: given, stacks: [] });
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
  const tags = { branch, clusterUid: "here" };
  const updated = (time: Date): string =>
    `echo '[{"kind":"update","endTime":"${time.toISOString()}"}]'`;
  const long = new Date("2026-01-01T00:00:00Z");
  const pulumi = {
    "*stack export*": "echo '{}'",
    "*stack history*": updated(long),
    "*stack ls*": `echo '[{"name":"${name}"}]'`,
    "*stack output*": "echo '{}'",
    "*stack tag ls*": `echo '${JSON.stringify(tags)}'`,
  };

  beforeEach(() => {
    programs = new Programs();
    programs.add("kubectl", {
      "*kube-system*": `echo '{"metadata":{"uid":"here"}}'`,
      "*get namespaces*": `echo '{"items":[]}'`,
    });
  });
  afterEach(() => {
    programs.remove();
  });

  async function removed(): Promise<boolean> {
    const workspace = programs.workspace({ SANDBOX_EKS_CLUSTER: "none" });
    await sweep({ apply: true, only: "reviews" }, workspace);
    return programs.calls.some((call) => call.includes(`stack rm ${name}`));
  }

  it("removes what has expired", async () => {
    programs.add("pulumi", pulumi);
    assert.ok(await removed());
  });

  it("leaves a stack that is updated after it was found expired", async () => {
    const history = [updated(long), updated(new Date())] as const;
    programs.add("pulumi", { ...pulumi, "*stack history*": history });
    assert.ok(!(await removed()));
  });

  it("continues when a stack is removed after it was listed", async () => {
    const list = (...names: string[]): string =>
      `echo '${JSON.stringify(names.map((one) => ({ name: one })))}'`;
    const ls = { "*stack ls*": [list(name, "review-b"), list("review-b")] as const };
    const gone = { [`*stack output --stack ${name}*`]: "exit 255" };
    programs.add("pulumi", { ...gone, ...pulumi, ...ls });
    const stacks = await reviewStacks(programs.workspace());
    assert.deepEqual(
      stacks.map((one) => one.name),
      ["review-b"],
    );
  });

  it("fails when a stack that is there cannot be read", async () => {
    programs.add("pulumi", { ...pulumi, "*stack output*": "echo no rights >&2; exit 255" });
    await assert.rejects(reviewStacks(programs.workspace()), /no rights/);
  });
});
