/**
 * Evaluates IAM trust policies for tests. This module supports only the condition operators that
 * this repository uses. For every other operator, the module throws an error. So the module never
 * accepts a policy that it cannot evaluate.
 */

type Claims = Readonly<Record<string, string>>;

interface TrustPolicy {
  readonly Statement: readonly {
    readonly Action: string;
    readonly Condition: Readonly<
      Record<string, Readonly<Record<string, string | readonly string[]>>>
    >;
    readonly Effect: string;
    readonly Principal: { readonly Federated: string };
  }[];
}

/**
 * Whether a whole text matches a pattern with IAM's wildcards: `*` matches any text, including
 * slashes, and `?` matches one character.
 */
function like(pattern: string, value: string): boolean {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace(/\*/g, "[^]*").replace(/\?/g, "[^]")}$`).test(value);
}

const operators: Readonly<Record<string, (wanted: string, got: string) => boolean>> = {
  StringEquals: (wanted, got) => wanted === got,
  StringLike: like,
};

/**
 * Whether a token of this issuer with these claims may assume the role. If a claim is missing, a
 * condition about this claim is false.
 */
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
        // If a key has several values, one matching value is enough.
        const all = typeof wanted === "string" ? [wanted] : wanted;
        return got !== undefined && all.some((one) => holds(one, got));
      });
    });
  });
}
