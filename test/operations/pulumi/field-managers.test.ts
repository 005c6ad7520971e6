import assert from "node:assert/strict";
import { fieldConflicts } from "../../../operations/pulumi/field-managers";

const told = (rest: string): string =>
  `Server-Side Apply field conflict detected. See https://www.pulumi.com/ for troubleshooting help.
    The resource managed by field manager "pulumi-kubernetes-11111111" had an apply conflict: Apply failed with ${rest}
Resources:
    - 3 unchanged`;

describe("a conflict over fields of an object", () => {
  it("with a manager that Pulumi generated says that an update was killed, and how to continue", () => {
    const said = told(
      `1 conflict: conflict with "pulumi-kubernetes-0a1b2c3d": .spec.volumeClaimTemplates`,
    );
    const [line = "", ...others] = fieldConflicts(said);
    assert.deepEqual(others, []);
    assert.match(line, /^A killed update of Pulumi.*\.spec\.volumeClaimTemplates/);
    assert.match(line, /PULUMI_K8S_ENABLE_PATCH_FORCE=true/);
  });

  it("with someone else names them, every field, and both ways to continue", () => {
    const said =
      told(`3 conflicts: conflicts with "kubectl-edit" using apps/v1 at 2026-01-01T00:00:00Z:
    - .spec.replicas
    - .spec.template.spec.containers[name="web"].image
    conflicts with "kubectl-scale" with subresource "scale" using apps/v1:
    - .spec.paused`);
    const [edit = "", scale = "", ...others] = fieldConflicts(said);
    assert.deepEqual(others, []);
    assert.match(
      edit,
      /^"kubectl-edit" has changed \.spec\.replicas, \.spec\.template\.spec\.containers\[name="web"\]\.image in the cluster/,
    );
    assert.match(
      edit,
      /write the new value into the program, or .*PULUMI_K8S_ENABLE_PATCH_FORCE=true/,
    );
    assert.match(scale, /^"kubectl-scale" has changed \.spec\.paused in/);
  });

  it("is reported once, also if Pulumi prints it twice, and only if there is one", () => {
    const said = told(`1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.replicas`);
    assert.equal(fieldConflicts(said + said).length, 1);
    assert.deepEqual(fieldConflicts("error: update failed"), []);
  });
});
