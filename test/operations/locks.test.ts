import assert from "node:assert/strict";
import { lockDirectory } from "../../operations/locks";

describe("the locks of a stack", () => {
  it("are looked for where the state is in files", () => {
    const expected = "/tmp/state/.pulumi/locks/organization/services-orders/review-a";
    assert.equal(lockDirectory("review-a", "file:///tmp/state"), expected);
    assert.equal(lockDirectory("review-a", "file:///tmp/state?no_tmp_dir=true"), expected);
  });

  it("are nobody's to judge elsewhere", () => {
    for (const url of [undefined, "s3://bucket", "file://~", "https://api.pulumi.com"]) {
      assert.equal(lockDirectory("review-a", url), undefined);
    }
  });
});
