import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type BuildFacts,
  type CanaryFacts,
  validateBuild,
  validateCanary,
  validateCheckout,
} from "../../../operations/canary/preconditions";
import { canaryShare, shareIssue, shown } from "../../../operations/canary/share";
import { deploy } from "../../../operations/deploy/deploy";

describe("the canary's share", () => {
  const table = [
    { asked: 10, pods: 1, real: "10 %", stable: 9 },
    { asked: 10, pods: 1, real: "25 %", stable: 3 },
    { asked: 10, pods: 2, real: "10 %", stable: 18 },
    { asked: 25, pods: 1, real: "25 %", stable: 3 },
    { asked: 50, pods: 4, real: "50 %", stable: 4 },
    { asked: 1, pods: 1, real: "1 %", stable: 100 },
  ];
  for (const { asked, pods, real, stable } of table) {
    it(`is ${real} with ${String(pods)} next to ${String(stable)}, when ${String(asked)} % is requested`, () => {
      const share = canaryShare(stable, asked / 100);
      assert.equal(share.pods, pods);
      assert.match(
        shown(share),
        new RegExp(`= ${String(pods)} canary .*: ${real.replace(".", "\\.")} of`),
      );
    });
  }

  it("is never nearer to what is asked with one pod more or less", () => {
    const stables = fc.integer({ max: 100, min: 1 });
    const shares = fc.double({ max: 0.5, min: 0.001, noNaN: true });
    fc.assert(
      fc.property(stables, shares, (stable, asked) => {
        const { pods } = canaryShare(stable, asked);
        // The exact number of canary pods is p·N/(1−p), for a share p and N stable pods. The code
        // rounds this number.
        const exact = (asked * stable) / (1 - asked);
        return pods === 1 ? exact < 1.5 : Math.abs(pods - exact) <= 0.5 + 1e-9;
      }),
    );
  });

  it("is refused above a third, and above twice what is asked", () => {
    assert.match(
      shareIssue(canaryShare(1, 0.3)) ?? "",
      /50 % of the requests, more than a third.*--accept-share/,
    );
    assert.match(
      shareIssue(canaryShare(3, 0.1)) ?? "",
      /25 % of the requests, more than twice the requested 10 %/,
    );
    assert.equal(shareIssue(canaryShare(9, 0.1)), undefined);
    assert.equal(shareIssue(canaryShare(2, 0.33)), undefined, "a third itself is accepted");
    assert.equal(shareIssue(canaryShare(4, 0.1)), undefined, "twice itself is accepted");
  });

  it("is refused when production has no Ready pod", () => {
    assert.match(shareIssue(canaryShare(0, 0.1)) ?? "", /no Ready pod/);
  });
});

const commit = "c".repeat(40);
const fine: CanaryFacts = {
  branch: "feature/a",
  commit,
  containsProduction: true,
  migrations: [],
  productionCommit: "d".repeat(40),
  productionRuns: true,
  hold: undefined,
  running: undefined,
};

const cases: readonly [string, Partial<CanaryFacts>, RegExp][] = [
  [
    "while another canary runs",
    { running: { branch: "feature/b", started: false } },
    /"feature\/b" is already running.*canary -- stop/,
  ],
  [
    "while it runs already",
    { running: { branch: "feature/a", started: true } },
    /"feature\/a" is already running/,
  ],
  [
    "with an image that names no commit",
    { commit: undefined },
    /^--image needs --commit, the 40 hex digits/,
  ],
  [
    "while production runs nothing",
    { productionCommit: undefined, productionRuns: false },
    /runs nothing yet.*deploy -- prod/,
  ],
  [
    "while the commit of production's image is unknown",
    { productionCommit: undefined },
    /^Production does not say which commit it runs.*promote .*--commit/,
  ],
  [
    "without what production runs",
    { containsProduction: false },
    /does not contain.*ddddddd.*Merge main/,
  ],
  ["of commits that git does not know", { containsProduction: undefined }, /git fetch/],
  ["whose migrations git cannot compare", { migrations: undefined }, /git fetch/],
  [
    "while production is held, for example after a rollback",
    { hold: 'Stack "prod" is held since yesterday by ada: checkout fails' },
    /^Stack "prod" is held since yesterday by ada: checkout fails/,
  ],
  ["with a new migration", { migrations: ["V2__more.sql"] }, /V2__more\.sql.*never migrates/],
];

const buildable: BuildFacts = {
  branch: "feature/a",
  commit,
  otherBuildFiles: [],
  tip: commit,
  unusualFiles: [],
};
const buildCases: readonly [string, Partial<BuildFacts>, RegExp][] = [
  ["of a branch that is not at the remote", { tip: undefined }, /not at the remote: push it/],
  [
    "of a commit that the branch has left",
    { tip: "e".repeat(40) },
    /is not the newest commit of branch "feature\/a" at the remote: the newest one is eeee/,
  ],
  ["of a commit that git does not know", { otherBuildFiles: undefined }, /git fetch/],
  ["of a commit whose files git does not know", { unusualFiles: undefined }, /git fetch/],
  [
    "with a build file of the branch, because it would run code in main's job",
    { otherBuildFiles: ["service/pom.xml"] },
    /build files that differ from main: service\/pom\.xml\. .*to main first/,
  ],
  [
    "with a link, which could copy a file of the machine into the image",
    { unusualFiles: ["service/src/main/resources/environ"] },
    /symbolic links or submodules in its code: service\/src\/main\/resources\/environ/,
  ],
];

describe("the image of a canary", () => {
  it("is built when nothing speaks against it", () => {
    assert.equal(validateBuild(buildable), undefined);
  });
  for (const [title, change, text] of buildCases) {
    it(`is not built ${title}`, () => {
      assert.match(validateBuild({ ...buildable, ...change }) ?? "", text);
    });
  }
});

describe("a canary", () => {
  it("may start when nothing speaks against it", () => {
    assert.equal(validateCanary(fine), undefined);
  });
  it("may continue its start, when that failed or was killed", () => {
    const running = { branch: "feature/a", started: false };
    assert.equal(validateCanary({ ...fine, running }), undefined);
  });
  for (const [title, change, text] of cases) {
    it(`is refused ${title}`, () => {
      assert.match(validateCanary({ ...fine, ...change }) ?? "", text);
    });
  }

  const checkouts = [
    [
      "on a branch",
      { onMain: false, uncommitted: [] },
      /is not on the remote's main.*git checkout/,
    ],
    ["where no remote says what main is", { onMain: undefined, uncommitted: [] }, /is not known/],
    ["outside of a repository", { onMain: undefined, uncommitted: undefined }, /is not known/],
    ["with changes to the program", { onMain: true, uncommitted: ["index.ts"] }, /: index\.ts\. /],
  ] as const;
  for (const [where, checkout, text] of checkouts) {
    it(`is refused ${where}, because its program and settings must be those of main`, () => {
      assert.match(validateCheckout(checkout).join("\n"), text);
    });
  }
  it("may start from main as it is at the remote", () => {
    assert.deepEqual(validateCheckout({ onMain: true, uncommitted: [] }), []);
  });

  it("is started by its own command only, which refuses what deploy would not", async () => {
    await assert.rejects(deploy("prod-canary"), /npm run canary -- start BRANCH/);
  });
});
