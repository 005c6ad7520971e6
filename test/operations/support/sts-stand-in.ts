import { createHmac, randomBytes } from "node:crypto";

const hour = 3_600_000;

interface Answer {
  readonly body: string;
  readonly status: number;
}

/**
 * A stand-in for AssumeRoleWithWebIdentity, which is the part of AWS STS that a CI job uses. The
 * stand-in also replaces the part of CircleCI that gives a token to each job.
 *
 * Rules, and where each rule comes from:
 * - The claim `exp` of CircleCI's token: "Its value is one hour after the time of issuance"
 *   (https://circleci.com/docs/guides/permissions-authentication/openid-connect-tokens/).
 * - An expired token: 400 with ExpiredTokenException. A token that the stand-in has not issued: 400
 *   with InvalidIdentityToken
 *   (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html).
 * - A session lasts "one hour" if the request names no duration (the page in the rule above). In
 *   the stand-in, every session lasts one hour.
 *
 * The stand-in omits: trust policies and the claims of a token (test/platform and test/attacks test
 * these policies and claims), permissions of a role, and signatures of requests.
 */
export class StsStandIn {
  readonly #key = randomBytes(16);
  readonly #now: () => number;
  /** The end of each session as a time in milliseconds, by the id of the session's access key. */
  readonly #sessions = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Returns a new token that replaces CircleCI's token for a job. The new token has only the claim
   * `exp`.
   */
  jobToken(): string {
    const claims = Buffer.from(JSON.stringify({ exp: this.#now() + hour })).toString("base64url");
    return `${claims}.${this.#sign(claims)}`;
  }

  #sign(claims: string): string {
    return createHmac("sha256", this.#key).update(claims).digest("hex");
  }

  /** Answers a request whose action is AssumeRoleWithWebIdentity. */
  assume(form: URLSearchParams): Answer {
    const [claims = "", signature] = (form.get("WebIdentityToken") ?? "").split(".");
    if (signature !== this.#sign(claims)) {
      return refusal("InvalidIdentityToken", "The provided token is not valid");
    }
    const { exp } = JSON.parse(Buffer.from(claims, "base64url").toString()) as { exp: number };
    const now = this.#now();
    if (exp <= now) {
      const [current, end] = [now, exp].map((time) => String(Math.floor(time / 1000)));
      return refusal(
        "ExpiredTokenException",
        `Token expired: current date/time ${current ?? ""} must be before the expiration date/time ${end ?? ""}`,
      );
    }
    const id = `ASIA${randomBytes(8).toString("hex").toUpperCase()}`;
    this.#sessions.set(id, now + hour);
    const role = form.get("RoleArn") ?? "";
    const name = form.get("RoleSessionName") ?? "";
    const credentials = [
      `<AccessKeyId>${id}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>`,
      "<SessionToken>session</SessionToken>",
      // The AWS CLI compares this time with the machine's clock, and no test changes the machine's
      // clock. So this code uses the machine's clock, too.
      `<Expiration>${new Date(Date.now() + hour).toISOString()}</Expiration>`,
    ].join("");
    const user = `<AssumedRoleUser><Arn>${role}/${name}</Arn><AssumedRoleId>A:${name}</AssumedRoleId></AssumedRoleUser>`;
    const result = `<AssumeRoleWithWebIdentityResult><Credentials>${credentials}</Credentials>${user}</AssumeRoleWithWebIdentityResult>`;
    return {
      body: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${result}</AssumeRoleWithWebIdentityResponse>`,
      status: 200,
    };
  }

  /** Whether a request's header `Authorization` names a session that has not ended. */
  isInSession(authorization = ""): boolean {
    const [, id = ""] = /^AWS4-HMAC-SHA256 Credential=([^/]+)\//.exec(authorization) ?? [];
    return (this.#sessions.get(id) ?? 0) > this.#now();
  }
}

function refusal(code: string, message: string): Answer {
  return {
    body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
    status: 400,
  };
}
