import { traitsOf } from "../../environments";

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Makes Pulumi use the encryption key in the state if a stack has no stack settings file. Without
 * this variable, Pulumi would use another key.
 */
const fallback = { PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true" };

/**
 * Requests per second that Pulumi's Kubernetes provider may send, and how many requests it may send
 * before this limit applies. The provider's defaults are 50 and 120. With these defaults, this
 * limit slows down an update that changes hundreds of jobs. The API server has its own limits, and
 * slows down a client with too many requests before the other clients are affected.
 */
const clientLimits = { PULUMI_K8S_CLIENT_BURST: "400", PULUMI_K8S_CLIENT_QPS: "200" };

/**
 * Makes Pulumi compress the state. The part of the state about a scheduled job is then about 20
 * times smaller. See ADR 0032 for the reason why only the stacks that own their data have a
 * compressed state.
 */
const compressedState = { PULUMI_DIY_BACKEND_GZIP: "true" };

/**
 * Returns the stack in the arguments of a Pulumi command. Undefined if the arguments contain no
 * stack.
 */
export function stackIn(args: readonly string[]): string | undefined {
  const [what = "", action = "", name] = args;
  if (what === "stack" && ["init", "rm", "select"].includes(action)) return name;
  return args.includes("--stack") ? args[args.indexOf("--stack") + 1] : undefined;
}

/**
 * Returns the environment variables of a Pulumi command. If the caller has set one of the variables
 * for limits or compression, the result does not contain this variable.
 *
 * @param stack - the stack of the command. Undefined if the command is not about one stack.
 */
export const engineEnvironment = (
  stack: string | undefined,
  given: Variables,
): Readonly<Record<string, string>> => ({
  ...fallback,
  ...unlessSet(clientLimits, given),
  ...(ownsData(stack) && unlessSet(compressedState, given)),
});

/**
 * Returns the additional environment variables of an update. By default, Pulumi writes the whole
 * state before and after each step. In an update with many steps, these writes take most of the
 * time. So in a stack that owns its data, an update writes the state only at its end.
 * `recoverState` finds out what a killed update has done. In all other stacks, Pulumi writes the
 * state at each step, even if the caller has set the variable to another value. See ADR 0032.
 */
export const updateEnvironment = (
  stack: string,
  given: Variables,
): Readonly<Record<string, string>> =>
  ownsData(stack)
    ? unlessSet({ PULUMI_SKIP_CHECKPOINTS: "true" }, given)
    : { PULUMI_SKIP_CHECKPOINTS: "false" };

const ownsData = (stack: string | undefined): boolean =>
  stack !== undefined && traitsOf(stack)?.data === "own";

const unlessSet = (
  values: Readonly<Record<string, string>>,
  given: Variables,
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(values).filter(([name]) => given[name] === undefined));
