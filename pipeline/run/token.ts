/**
 * The code in this file imitates the OIDC tokens of CircleCI's jobs. The quotes are from CircleCI's
 * page "Using OpenID Connect tokens in jobs".
 *
 * The code leaves out three features: tokens with custom claims (`circleci run oidc get`), the
 * document at `<iss>/.well-known/openid-configuration`, and the rule that jobs of forks get no
 * token. No cloud provider accepts these tokens, because the key that signs the tokens exists only
 * in this process.
 */
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { actorOf, hasSsh, type JobRun } from "./actors";

/** Values that are the same in all tokens of one organization and repository. */
export interface Origin {
  readonly organizationId: string;
  /** "A string similar to `github.com/organization-123/repo-1`." */
  readonly vcsOrigin: string;
}

/** Values that differ between tokens. */
export interface TokenIds {
  /** Time of issuance, in seconds since 1970. */
  readonly at: number;
  readonly jobId: string;
  readonly pipelineId: string;
  readonly workflowId: string;
}

export type Claims = Readonly<Record<string, boolean | number | string | readonly string[]>>;

/** "Its value is one hour after the time of issuance." */
const LIFETIME_SECONDS = 3600;

/**
 * Returns a UUID that depends only on the text. In CircleCI, contexts, projects and users have
 * UUIDs.
 */
export function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, "$1-$2-4$3-8$4-$5");
}

/**
 * Returns the claims of a job's token. The page does not say whether `vcs-ref` is the branch of the
 * checkout or the branch of the configuration. This code uses the branch of the checkout, because
 * this choice gives an attacker more possibilities. The attacks in test/attacks must fail even with
 * this choice.
 *
 * @param version - 2 for `CIRCLE_OIDC_TOKEN_V2`, whose `sub` "also includes information about the
 * source of change"
 */
export function claimsOf(
  run: JobRun,
  { organizationId, vcsOrigin }: Origin,
  { at, jobId, pipelineId, workflowId }: TokenIds,
  version: 1 | 2 = 2,
): Claims {
  const { checkoutBranch, project, trigger = "event" } = run.pipeline;
  const ref = `refs/heads/${checkoutBranch}`;
  const who = `org/${organizationId}/project/${project.id}/user/${actorOf(run).id}`;
  // "The claim is absent for pipelines triggered by custom webhooks". For these pipelines, this
  // code leaves `vcs-origin` and `vcs-ref` out of `sub`, too.
  const fromEvent = trigger === "event";
  const claim = (name: string): string => `oidc.circleci.com/${name}`;
  return {
    aud: organizationId,
    exp: at + LIFETIME_SECONDS,
    iat: at,
    iss: `https://oidc.circleci.com/org/${organizationId}`,
    [claim("context-ids")]: run.contexts.map((name) => uuidOf(`context ${name}`)),
    [claim("job-id")]: jobId,
    [claim("org-id")]: organizationId,
    [claim("pipeline-definition-id")]: uuidOf(`pipeline definition of ${project.id}`),
    [claim("pipeline-id")]: pipelineId,
    [claim("project-id")]: project.id,
    // "A boolean indicating if the CI job is started using the SSH rerun feature."
    [claim("ssh-rerun")]: hasSsh(run),
    ...(fromEvent ? { [claim("vcs-origin")]: vcsOrigin, [claim("vcs-ref")]: ref } : {}),
    [claim("workflow-id")]: workflowId,
    sub: version === 2 && fromEvent ? `${who}/vcs-origin/${vcsOrigin}/vcs-ref/${ref}` : who,
  };
}

/**
 * Signs tokens in the same way as CircleCI does for one organization, and verifies these tokens.
 */
export class Issuer {
  readonly #key: KeyObject = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;

  /** Returns a token with these claims, in the form `header.claims.signature` (JWT, RS256). */
  token(claims: Claims): string {
    const parts = [{ alg: "RS256", typ: "JWT" }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString("base64url"),
    );
    const text = parts.join(".");
    return `${text}.${sign("RSA-SHA256", Buffer.from(text), this.#key).toString("base64url")}`;
  }

  /**
   * Returns the claims of a token of this issuer.
   *
   * @throws Error if another key has signed the token, or if the token has expired
   */
  claims(token: string, at: number): Claims {
    const [header = "", body = "", signature = ""] = token.split(".");
    const text = Buffer.from(`${header}.${body}`);
    const key = createPublicKey(this.#key);
    if (!verify("RSA-SHA256", text, key, Buffer.from(signature, "base64url"))) {
      throw new Error("another issuer signed the token");
    }
    const claims = JSON.parse(Buffer.from(body, "base64url").toString("utf8")) as Claims;
    if (Number(claims["exp"]) <= at) throw new Error("the token has expired");
    return claims;
  }
}
