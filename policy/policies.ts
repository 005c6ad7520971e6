import type { ResourceValidationArgs, ResourceValidationPolicy } from "@pulumi/policy";
import { declared, environmentOf } from "./rules/declared";
import type { Exception } from "./exceptions";
import { type Rule, message } from "./rules/rule";
import { secretPaths } from "./rules/secret-paths";
import { noSecretValues } from "./rules/secrets";

type Given = Pick<ResourceValidationArgs, "name" | "opts" | "props" | "type" | "urn">;

/**
 * Returns a message for each place where a resource breaks a rule. Empty if an exception applies.
 */
export function messages(
  rule: Rule,
  given: Given,
  exceptions: readonly Exception[],
  secrets: readonly string[] = [],
): readonly string[] {
  const object = declared(given, secrets);
  const stack = environmentOf(object);
  const excepted = exceptions.some(
    (exception) =>
      exception.rule === rule.name &&
      exception.object === `${object.kind} "${object.name}"` &&
      exception.stacks.some((environment) => environment === stack),
  );
  return excepted ? [] : rule.check(object).map((broken) => message(object, broken));
}

/** Returns the rule in the form that Pulumi runs. */
export function policyOf(rule: Rule, exceptions: readonly Exception[]): ResourceValidationPolicy {
  const { description, name } = rule;
  if (rule !== noSecretValues) {
    return {
      description,
      enforcementLevel: "mandatory",
      name,
      validateResource: (args, report) => {
        for (const line of messages(rule, args, exceptions)) report(line);
      },
    };
  }
  // Only a remediation can find out which values are secret. Pulumi runs the remediation of a
  // policy before the validation. So the remediation of this policy stores the paths of the
  // secrets, and changes nothing. If the validation reports an issue, the update fails. The levels
  // `remediate` and `mandatory` have the same effect here.
  const marked = new Map<string, readonly string[]>();
  return {
    description,
    enforcementLevel: "remediate",
    name,
    remediateResource: ({ props, urn }) => {
      marked.set(urn, secretPaths(props));
    },
    validateResource: (args, report) => {
      for (const line of messages(rule, args, exceptions, marked.get(args.urn))) report(line);
    },
  };
}
