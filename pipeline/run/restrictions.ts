/**
 * The code in this file simulates how CircleCI decides whether a job gets a context. The quotes
 * come from CircleCI's page "Using contexts", unless a comment contains the name of another page.
 *
 * The code does not simulate four things: the group `All members`, changes that take effect late
 * ("CircleCI syncs GitHub team and LDAP groups every few hours"), config policies, and contexts in
 * pipelines of custom webhooks ("restricting contexts for custom webhook triggers is not currently
 * supported").
 *
 * The page says "a member of one of the security groups or projects". The page does not say whether
 * a context with a group and a project requires both. This code requires both. No command can find
 * out whether CircleCI requires both. docs/trust.md says how a person can test this behavior.
 */
import { type Expression, parseExpression } from "../checks/expression";
import { type ContextName, contexts, fullName, type Restriction, restrictionOf } from "../contexts";
import { actorOf, hasSsh, type JobRun, type Pipeline } from "./actors";

type Value = string | number | boolean;
export type Values = Readonly<Record<string, Value>>;

/**
 * Returns the pipeline values that describe the branch of the code and the branch of the
 * configuration. "Values prefixed with `pipeline.git.*` describe the git state of the code CircleCI
 * checks out"; this git state may differ from "the commit or branch used to fetch the configuration
 * file" (docs: Pipeline values).
 */
export function refValues({
  checkoutBranch,
  configBranch = checkoutBranch,
  configSource = "github_app",
}: Pick<Pipeline, "checkoutBranch" | "configBranch" | "configSource">): Values {
  return {
    "pipeline.config.ref": `refs/heads/${configBranch}`,
    "pipeline.config_source": configSource,
    "pipeline.git.branch": checkoutBranch,
  };
}

/** Error if an expression has no value. In this case, CircleCI refuses the context. */
class NoValue extends Error {}

/**
 * Whether the expression of a restriction is true. "Any errors evaluating an expression will fail
 * closed and prevent use of the context."
 *
 * This code is stricter than CircleCI: chains of comparisons, such as `a == b == c`, are errors.
 *
 * @throws Error if the expression contains an escape (`\`), which this code does not support
 */
export function holds(expression: string, known: Values): boolean {
  if (expression.includes("\\"))
    throw new Error(`the stand-in does not support escapes: ${expression}`);
  // "String literals are enclosed within double-quotes."
  if (expression.includes("'")) return false;
  try {
    return isTrue(valueOf(parseExpression(expression), known));
  } catch {
    return false;
  }
}

/** "Other than the boolean value `false`, all values ultimately evaluate as `true`." */
const isTrue = (value: Value): boolean => value !== false;

function valueOf(expression: Expression, known: Values): Value {
  switch (expression.kind) {
    case "literal":
    case "pattern":
      return expression.value;
    case "name":
      return variable(expression.name, known);
    case "not":
      return !isTrue(valueOf(expression.of, known));
    // "These are short-circuiting boolean operators."
    case "and":
      return isTrue(valueOf(expression.left, known)) && isTrue(valueOf(expression.right, known));
    case "or":
      return isTrue(valueOf(expression.left, known)) || isTrue(valueOf(expression.right, known));
    case "compare":
      return compare(
        expression.operator,
        valueOf(expression.left, known),
        valueOf(expression.right, known),
      );
  }
}

/**
 * "If the variable does not exist then the expression is immediately considered to have evaluated
 * as `false`." The values `pipeline.trigger_parameters.*` and the pipeline parameters "cannot be
 * used in expression restrictions".
 */
function variable(name: string, known: Values): Value {
  const value = Object.hasOwn(known, name) ? known[name] : undefined;
  if (value === undefined || /^pipeline\.(?:trigger_)?parameters\./.test(name)) {
    throw new NoValue(name);
  }
  return value;
}

/**
 * "If the operands are of different types then `==` will evaluate `false`, and `!=` will evaluate
 * `true`." For `starts-with` and `matches`, "it is an error to use a non-string type as an
 * operand". For `<`, `<=`, `>` and `>=`, "it is an error to use a non-numeric type as an operand".
 */
function compare(operator: string, left: Value, right: Value): boolean {
  const texts = typeof left === "string" && typeof right === "string";
  const numbers = typeof left === "number" && typeof right === "number";
  if (operator === "==") return left === right;
  if (operator === "!=") return left !== right;
  if (operator === "starts-with" && texts) return left.startsWith(right);
  if (operator === "matches" && texts) return new RegExp(`^(?:${right})$`).test(left);
  if (operator === ">" && numbers) return left > right;
  if (operator === ">=" && numbers) return left >= right;
  if (operator === "<" && numbers) return left < right;
  if (operator === "<=" && numbers) return left <= right;
  throw new NoValue(operator);
}

/**
 * Returns the reasons why a job does not get a context with this restriction. Empty if the job gets
 * the context. "If the user running the workflow does not have access to the context or an
 * expression evaluates to false, the workflow will fail with the `Unauthorized` status."
 */
export function refusals(
  { approversOnly, expression, projects }: Restriction,
  run: JobRun,
  pipelineValues: Values = refValues(run.pipeline),
): readonly string[] {
  const { organizationType = "github", project } = run.pipeline;
  const { administrator = false, approver = false } = actorOf(run);
  const found: string[] = [];
  const known = { ...pipelineValues, "job.ssh.enabled": hasSsh(run) };
  // This condition also applies to administrators: on CircleCI's page, the sentence about
  // administrators is about groups and projects, not about expressions.
  if (!holds(expression, known)) found.push(`its expression is false: ${expression}`);
  if (!administrator && !projects.includes(project.is)) {
    found.push(`its projects (${projects.join(", ")}) do not include project ${project.is}`);
  }
  // "Restricting the use of contexts using security groups is available for `github` type
  // organizations only."
  if (organizationType === "github" && approversOnly && !administrator && !approver) {
    found.push("its security group does not contain the person who caused the job to run");
  }
  return found;
}

/**
 * Returns the restriction of a context by the context's full name. docs/pipeline.md describes the
 * same restrictions. Undefined for a context that is not in pipeline/contexts.ts.
 */
export function ourRestriction(name: string, hasDeployProject?: boolean): Restriction | undefined {
  const known = (Object.keys(contexts) as ContextName[]).find((one) => fullName(one) === name);
  return known === undefined ? undefined : restrictionOf(known, hasDeployProject);
}

/**
 * Returns the contexts that a job does not get, with the reasons. If the result is not empty,
 * CircleCI does not run the job, and the job's status is "unauthorized". If a context has no
 * restriction, every job gets the context.
 */
export function refusedContexts(
  run: JobRun,
  pipelineValues?: Values,
  restrictionFor: (name: string) => Restriction | undefined = (name) => ourRestriction(name),
): ReadonlyMap<string, readonly string[]> {
  return new Map(
    run.contexts.flatMap((name) => {
      const restriction = restrictionFor(name);
      const reasons = restriction === undefined ? [] : refusals(restriction, run, pipelineValues);
      return reasons.length === 0 ? [] : [[name, reasons] as const];
    }),
  );
}
