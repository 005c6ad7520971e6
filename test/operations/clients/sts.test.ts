import assert from "node:assert/strict";
import { StsStandIn } from "../support/sts-stand-in";

const hour = 3_600_000;

describe("the stand-in for STS", () => {
  let clock: number;
  let sts: StsStandIn;

  beforeEach(() => {
    clock = Date.parse("2026-11-27T08:00:00Z");
    sts = new StsStandIn(() => clock);
  });

  const assume = (token: string) =>
    sts.assume(
      new URLSearchParams({ RoleArn: "arn", RoleSessionName: "job", WebIdentityToken: token }),
    );
  /**
   * Returns the header `Authorization` of a request that the AWS CLI has signed with the session's
   * access key.
   */
  const signed = (body: string): string => {
    const [, id = ""] = /<AccessKeyId>([^<]+)</.exec(body) ?? [];
    return `AWS4-HMAC-SHA256 Credential=${id}/20261127/eu-central-1/ecr/aws4_request, Signature=x`;
  };

  it("gives a session for a token, and both end after an hour", () => {
    const token = sts.jobToken();
    clock += hour - 1;
    const { body, status } = assume(token);
    assert.equal(status, 200);
    assert.ok(sts.isInSession(signed(body)));
    clock += 1;
    const late = assume(token);
    assert.equal(late.status, 400);
    assert.match(late.body, /ExpiredTokenException.*Token expired: current date\/time/);
    clock += hour - 1;
    assert.ok(!sts.isInSession(signed(body)));
  });

  it("refuses a token of someone else, and a request without a session", () => {
    const other = new StsStandIn(() => clock).jobToken();
    assert.match(assume(other).body, /InvalidIdentityToken/);
    assert.match(assume("").body, /InvalidIdentityToken/);
    assert.ok(!sts.isInSession());
    assert.ok(!sts.isInSession(signed("<AccessKeyId>other</AccessKeyId>")));
  });
});
