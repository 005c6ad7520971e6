import assert from "node:assert/strict";
import { type DeployFacts, validateDeploy } from "../../../operations/deploy/preconditions";

const older = "a".repeat(40);
const newer = "b".repeat(40);

const fine: DeployFacts = {
  allowOlder: false,
  branch: "feature/a",
  branchAtRemote: true,
  cluster: "here",
  environment: "review",
  goneImage: undefined,
  lastCluster: "here",
  downgrade: undefined,
  networkPolicies: "strict 2026-11-27T10:00:00.000Z",
  pullRequestOpen: true,
  stack: "review-feature-a",
};

const cases: readonly [title: string, change: Partial<DeployFacts>, text: RegExp | undefined][] = [
  ["accepts a deploy that nothing speaks against", {}, undefined],
  ["accepts a first deploy", { lastCluster: undefined }, undefined],
  ["refuses another cluster, naming both", { lastCluster: "there" }, /cluster there.* to here/],
  ["refuses a review stack whose branch is gone", { branchAtRemote: false }, /not at the remote/],
  [
    "refuses a review stack whose pull request is closed",
    { pullRequestOpen: false },
    /merged or closed/,
  ],
  [
    "refuses an image that is gone, by its name",
    { environment: "prod", goneImage: "registry/orders@sha256:0", stack: "prod" },
    /does not have registry\/orders@sha256:0 any more.*npm run image -- staging/,
  ],
  [
    "refuses a review stack in a cluster that no one has checked, with what to do",
    { networkPolicies: undefined },
    /^No one has checked .*npm run doctor -- platform$/,
  ],
  [
    "refuses a review stack where network policies hold too late, with the date and what to do",
    { networkPolicies: "late 2026-11-27T10:00:00.000Z" },
    /^Network policies .* first instruction \(seen 2026-11-27\).*ENFORCING_MODE to strict.*npm run doctor -- platform$/,
  ],
  [
    "refuses a review stack where network policies are not enforced",
    { networkPolicies: "never 2026-11-27T10:00:00.000Z" },
    /^Network policies .* are not enforced .*enableNetworkPolicy/,
  ],
  [
    "refuses a review stack if the record has another form",
    { networkPolicies: "yes" },
    /^No one has checked/,
  ],
  [
    "needs no record for staging, because only reviewed code runs there",
    { environment: "staging", networkPolicies: undefined, stack: "staging" },
    undefined,
  ],
  ["needs no pull request", { pullRequestOpen: undefined }, undefined],
  ["asks no remote where there is none", { branchAtRemote: undefined }, undefined],
  [
    "accepts staging without a branch",
    { branchAtRemote: false, environment: "staging" },
    undefined,
  ],
  [
    "refuses an older image, with what to do",
    { downgrade: { running: newer, wanted: older, what: "image" } },
    /runs code of bbbbbbb.* newer than aaaaaaa.*npm run review -- up BRANCH --allow-older/,
  ],
  [
    "refuses an older program, though the image is the same",
    { downgrade: { running: newer, wanted: older, what: "program" } },
    /a deploy of bbbbbbb/,
  ],
  [
    "accepts a revert",
    { allowOlder: true, downgrade: { running: newer, wanted: older, what: "image" } },
    undefined,
  ],
];

describe("deploy", () => {
  for (const [title, change, text] of cases) {
    it(title, () => {
      const found = validateDeploy({ ...fine, ...change });
      if (text === undefined) assert.deepEqual(found, []);
      else assert.match(found.join("\n"), text);
    });
  }

  it("reports every reason against it in one message", () => {
    assert.equal(
      validateDeploy({ ...fine, branchAtRemote: false, lastCluster: "there" }).length,
      2,
    );
  });
});
