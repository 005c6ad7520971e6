/**
 * A test's own evaluator of IAM trust policies: the condition operators that this repository uses,
 * and an error for every other one, so that a policy it does not understand is never called good.
 */

type Claims = Readonly<Record<string, string>>;

interface TrustPolicy {
  readonly Statement: readonly {
    readonly Action: string;
    readonly Condition: Readonly<Record<string, Readonly<Record<string, string>>>>;
    readonly Effect: string;
    readonly Principal: { readonly Federated: string };
  }[];
}

/** IAM's wildcards: `*` is any text, slashes too, `?` is one character. Anchored at both ends. */
function like(pattern: string, value: string): boolean {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace(/\*/g, "[^]*").replace(/\?/g, "[^]")}$`).test(value);
}

const operators: Readonly<Record<string, (wanted: string, got: string) => boolean>> = {
  StringEquals: (wanted, got) => wanted === got,
  StringLike: like,
};

/** Whether an issuer's token with these claims may take the role. A missing claim never matches. */
export function mayAssume(policy: TrustPolicy, issuer: string, claims: Claims): boolean {
  return policy.Statement.some(({ Action, Condition, Effect, Principal }) => {
    if (Effect !== "Allow") throw new Error(`the evaluator knows no effect ${Effect}`);
    if (Action !== "sts:AssumeRoleWithWebIdentity") return false;
    if (!Principal.Federated.endsWith(`:oidc-provider/${issuer}`)) return false;
    return Object.entries(Condition).every(([operator, keys]) => {
      const holds = operators[operator];
      if (holds === undefined) throw new Error(`the evaluator knows no operator ${operator}`);
      return Object.entries(keys).every(([key, wanted]) => {
        if (!key.startsWith(`${issuer}:`)) return false;
        const got = claims[key.slice(issuer.length + 1)];
        return got !== undefined && holds(wanted, got);
      });
    });
  });
}
