/**
 * Evaluates IAM trust policies for tests. It knows only the condition operators that this
 * repository uses, and throws an error for every other one. So it never accepts a policy that it
 * does not understand.
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
 * Matches a whole text with IAM's wildcards: `*` is any text, also with slashes, and `?` is one
 * character.
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
 * Whether a token of the issuer with these claims may take the role. A missing claim never matches.
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
        // Several values of one key: one of them is enough.
        const all = typeof wanted === "string" ? [wanted] : wanted;
        return got !== undefined && all.some((one) => holds(one, got));
      });
    });
  });
}
