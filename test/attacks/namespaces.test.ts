import assert from "node:assert/strict";
import fc from "fast-check";
import { reviewGroup, reviewUser } from "../../components/conventions/ci-roles";
import { slug } from "../../components/conventions/names";
import { recordKey, recordOf } from "../../operations/doctor/record";
import { nameOfBranch } from "../../platform/admission/review-names";
import { namespaces } from "../../platform/admission/review-policies";
import { refusals } from "./support/admission-stand-in";
import { settings } from "../support/platform";

const { circleci } = settings;
const policy = namespaces(circleci);

/**
 * Whether the platform accepts a name for the namespace of a branch. The name is
 * `services-orders-review-`, followed by `end`.
 */
function accepts(branch: string, end: string): boolean {
  const username = reviewUser(branch);
  const name = `services-orders-review-${end}`;
  const found = refusals(policy, {
    object: { metadata: { annotations: { "services-orders/owner": username }, labels: {}, name } },
    request: {
      namespace: name,
      operation: "CREATE",
      userInfo: { groups: [reviewGroup(circleci.projectId)], username },
    },
  });
  return !found.includes(nameOfBranch.message);
}

/**
 * Generates names of branches, but without the Kelvin sign and the dotted I. cel-js converts these
 * two characters to lower case, unlike the CEL of Kubernetes.
 */
const branches = fc
  .oneof(
    fc.string({ maxLength: 60, minLength: 1, unit: "grapheme" }),
    fc.stringMatching(/^(feature|fix|JIRA-[0-9]{1,4})[/_-][a-zA-Z0-9/_.-]{1,60}$/),
    fc.stringMatching(/^[a-z][a-z0-9-]{0,40}$/),
    fc.stringMatching(/^[0-9/._-]{1,10}$/),
  )
  .filter((name) => !/[\u212A\u0130]/.test(name));

describe("the name of a review namespace, in CEL", () => {
  it("is accepted if it is the slug of its branch, for 200 names", () => {
    fc.assert(
      fc.property(branches, (branch) => accepts(branch, slug(branch))),
      { numRuns: 200 },
    );
  });

  it("is refused if it belongs to another branch, unless the two differ only in the hash, for 200 pairs", () => {
    const head = (branch: string) => slug(branch).slice(0, -9);
    fc.assert(
      fc.property(branches, branches, (branch, other) => {
        const both = slug(branch) !== branch && slug(other) !== other;
        const may = branch === other || (both && head(branch) === head(other));
        assert.equal(accepts(branch, slug(other)), may);
      }),
      { numRuns: 200 },
    );
  });

  it("is refused if its owner is not a branch", () => {
    assert.equal(accepts("", "evil"), false);
  });
});

describe("the record of a cluster that the doctor has checked", () => {
  it("cannot be written by a review job, because it is not in a namespace of a review stack", () => {
    const username = reviewUser("feature-a");
    const kubeSystem = { annotations: { "services-orders/owner": username }, name: "kube-system" };
    const annotations = { ...kubeSystem.annotations, [recordKey]: recordOf("strict", new Date()) };
    const found = refusals(policy, {
      object: { metadata: { ...kubeSystem, annotations, labels: {} } },
      oldObject: { metadata: { ...kubeSystem, labels: {} } },
      request: {
        namespace: "kube-system",
        operation: "UPDATE",
        userInfo: { groups: [reviewGroup(circleci.projectId)], username },
      },
    });
    assert.match(found.join("\n"), /delete only namespaces services-orders-review-/);
  });
});
