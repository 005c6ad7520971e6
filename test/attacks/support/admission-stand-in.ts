/**
 * A stand-in for the API server. The stand-in evaluates the real expressions of our
 * ValidatingAdmissionPolicies. If the evaluation of an expression fails, `refusals` throws an
 * error. In this case, the API server would refuse the request (`failurePolicy: Fail`).
 *
 * Several fields of a policy define which requests the policy checks. The stand-in uses only two of
 * these fields: `labelled` and `only`. The stand-in also ignores the field `requires` and the types
 * of Kubernetes' fields. The end-to-end tests check the policies on a real API server.
 */
import { Environment } from "@marcbachmann/cel-js";
import type { Policy } from "../../../platform/admission/policy";

interface Request {
  readonly object: unknown;
  readonly oldObject?: unknown;
  readonly namespaceObject?: unknown;
  /** The object that the policy requires. */
  readonly params?: unknown;
  readonly request: {
    readonly namespace: string;
    readonly operation: "CREATE" | "DELETE" | "UPDATE";
    readonly resource?: { readonly resource: string };
    readonly userInfo: { readonly groups: readonly string[]; readonly username: string };
  };
}

/** Returns whether a policy checks objects with these labels. */
export function selects({ labelled }: Policy, labels: Readonly<Record<string, string>>): boolean {
  if (labelled === undefined) return true;
  const value = labels[labelled.key];
  return value !== undefined && (labelled.values ?? [value]).includes(value);
}

const environment = new Environment({
  enableOptionalTypes: true,
  unlistedVariablesAreDyn: true,
})
  // Registers the functions of Kubernetes' regex library, because the package cel-js has only CEL's
  // own functions.
  .registerFunction(
    "string.find(string): string",
    (text: string, pattern: string) => new RegExp(pattern, "u").exec(text)?.[0] ?? "",
  )
  .registerFunction(
    "string.findAll(string): list<string>",
    (text: string, pattern: string) => text.match(new RegExp(pattern, "gu")) ?? [],
  );

function evaluated(expression: string, known: Readonly<Record<string, unknown>>): unknown {
  return environment.evaluate(expression, known) as unknown;
}

/**
 * Returns the messages of the rules that refuse the request. Empty if the policy does not apply to
 * the request.
 */
export function refusals(
  { only, validations, variables = [] }: Policy,
  request: Request,
): readonly string[] {
  const known: Record<string, unknown> = { ...request, variables: {} };
  if (!Object.values(only).every((condition) => evaluated(condition, known) === true)) return [];
  for (const { expression, name } of variables) {
    const soFar = known["variables"] as Readonly<Record<string, unknown>>;
    known["variables"] = { ...soFar, [name]: evaluated(expression, known) };
  }
  return validations
    .filter(({ expression }) => evaluated(expression, known) !== true)
    .map(({ message }) => message);
}
