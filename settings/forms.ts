import * as v from "valibot";
import { pod } from "../components/conventions/defaults";
import { isDnsLabel } from "../components/conventions/names";
import { cores, isMemory } from "../components/conventions/quantities";
import { imageRefForm } from "../components/conventions/validation";

/** A schema that checks any input, and returns a value of the type `Value` or issues. */
type Schema<Value> = v.GenericSchema<unknown, Value>;

/**
 * Describes the values that a setting allows: as a schema, and as a text for messages and the
 * reference.
 */
export interface Form<Value> {
  readonly allowed: string;
  /** Accepts a value from parsed YAML, or the same value as text. */
  readonly schema: Schema<Value>;
}

export function text(allowed: string, pattern: RegExp): Form<string> {
  return { allowed, schema: v.pipe(v.string(allowed), v.regex(pattern, allowed)) };
}

/**
 * Accepts the strings for which `test` returns true. The editor schema cannot contain a function,
 * so the editor schema allows every string.
 */
function textThat(allowed: string, test: (value: string) => boolean): Form<string> {
  return { allowed, schema: v.pipe(v.string(allowed), v.check(test, allowed)) };
}

export function oneOf<const Value extends string>(...values: Value[]): Form<Value> {
  const allowed = values.join(" or ");
  return { allowed, schema: v.picklist(values, allowed) };
}

function wholeNumber(min: number, max: number, allowed: string) {
  return v.pipe(
    v.number(allowed),
    v.integer(allowed),
    v.minValue(min, allowed),
    v.maxValue(max, allowed),
  );
}

/** Accepts a whole number from `min` to `max`, or a text with the digits of such a number. */
export function integer(min: number, max: number, what = "a whole number"): Form<number> {
  const allowed = `${what} from ${String(min)} to ${String(max)}`;
  const number = wholeNumber(min, max, allowed);
  const digits = v.pipe(v.string(allowed), v.regex(/^[0-9]+$/, allowed), v.transform(Number));
  return { allowed, schema: v.union([number, v.pipe(digits, number)], allowed) };
}

const written = v.pipe(
  v.picklist(["true", "false"]),
  v.transform((value) => value === "true"),
);

export const bool: Form<boolean> = {
  allowed: "true or false",
  schema: v.union([v.boolean(), written], "true or false"),
};

export function listOf<Entry>(allowed: string, { schema }: Form<Entry>, least = 0): Form<Entry[]> {
  return { allowed, schema: v.pipe(v.array(schema, allowed), v.minLength(least, allowed)) };
}

/** Accepts a list of words, or a text with words that are separated by commas. */
export function wordsOf<Word>(allowed: string, word: Form<Word>, least = 0): Form<Word[]> {
  const list = listOf(allowed, word, least).schema;
  const split = v.pipe(
    v.string(),
    v.transform((words): unknown => words.split(",").map((part) => part.trim())),
    list,
  );
  return { allowed, schema: v.union([list, split], allowed) };
}

/** Accepts an object that has only these fields. */
export function objectOf<const Fields extends v.ObjectEntries>(allowed: string, fields: Fields) {
  return { allowed, schema: v.strictObject(fields, allowed) };
}

/** Returns the schema of an optional field of an object. */
export const optional = <Value>({ schema }: Form<Value>) => v.exactOptional(schema);

/**
 * Returns a form that also allows the text `none`, so that an environment variable can turn the
 * setting off.
 */
export function orNone<Value>({ allowed, schema }: Form<Value>): Form<Value | "none"> {
  const also = `none, or ${allowed}`;
  return { allowed: also, schema: v.union([v.literal("none"), schema], also) };
}

export const dnsLabel = textThat("a DNS label", (value) => isDnsLabel(value));
export const domain = text("a domain in lower case", /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/);
export const imageRef = text(
  "an image in the form repository@sha256:<64 hex digits>",
  imageRefForm,
);
export const ingressClass = text("the name of an IngressClass", /^[a-z0-9][a-z0-9.-]*$/);
export const secretName = text("the name of a Secret", /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/);
export const contextName = text("the name of a context of the kubeconfig", /^\S+$/);
export const port = integer(1, 65_535, "a port");

export const cpu = textThat("a CPU quantity", (value) => cores(value) !== undefined);
export const memory = textThat("a memory quantity in Ki, Mi or Gi", isMemory);

const amounts = {
  cpu: v.optional(cpu.schema, pod.requests.cpu),
  memory: v.optional(memory.schema, pod.requests.memory),
};

export const requests = objectOf(
  'an object of cpu and memory, such as {"cpu": "250m", "memory": "512Mi"}',
  amounts,
);
export const quota = objectOf('an object such as {"cpu": "2", "memory": "4Gi", "pods": 10}', {
  ...amounts,
  pods: integer(1, 1000).schema,
});

export const clusterName = text("the name of an EKS cluster", /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/);
const region = text("an AWS region", /^[a-z]{2}(?:-[a-z]+)+-[0-9]$/);
/** Identifies an EKS cluster. */
export const eksCluster = objectOf('an object such as {"name": "staging", "region": "us-east-1"}', {
  name: clusterName.schema,
  region: region.schema,
});

export const cidr = text(
  "a network, such as 10.0.0.0/20",
  /^(?:[0-9]{1,3}\.){3}[0-9]{1,3}\/(?:3[0-2]|[12]?[0-9])$|^[0-9a-f:]+\/[0-9]{1,3}$/,
);

/** S3Uri.java in the service has the same pattern, so change both files together. */
export const s3Uri = text(
  "a bucket and optionally a prefix, such as s3://bucket/prefix",
  /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[A-Za-z0-9!_.*'()-]+)*\/?$/,
);
export const roleArn = text(
  "the ARN of an IAM role, such as arn:aws:iam::111122223333:role/orders-export",
  /^arn:aws[a-z-]*:iam::[0-9]{12}:role\/\S+$/,
);

const selector = v.exactOptional(
  v.looseObject({ matchLabels: v.exactOptional(v.record(v.string(), v.string())) }),
);
const peerAllowed = "a NetworkPolicyPeer";
const ipBlock = objectOf('an object such as {"cidr": "10.0.0.0/20"}', {
  cidr: cidr.schema,
  except: v.exactOptional(v.array(v.string())),
});
/** Kubernetes' NetworkPolicyPeer. */
const peer = v.pipe(
  v.strictObject(
    { ipBlock: optional(ipBlock), namespaceSelector: selector, podSelector: selector },
    peerAllowed,
  ),
  v.minEntries(1, peerAllowed),
);
export type NetworkPeer = v.InferOutput<typeof peer>;

export const peers = listOf<NetworkPeer>(
  'a list of NetworkPolicyPeers, such as [{"ipBlock": {"cidr": "10.0.0.0/20"}}]',
  { allowed: peerAllowed, schema: peer },
);

const protocol = oneOf("TCP", "UDP");
const rulePort = v.strictObject({
  port: wholeNumber(1, 65_535, port.allowed),
  protocol: optional(protocol),
});
const ruleAllowed = "a NetworkPolicyEgressRule with `to`, and optionally `ports` as numbers";
/**
 * Kubernetes' NetworkPolicyEgressRule. An empty list of ports is an error, because in Kubernetes an
 * empty list means every port.
 */
const rule = v.strictObject(
  {
    ports: v.exactOptional(
      v.pipe(v.array(rulePort), v.minLength(1, "a list of at least one port")),
    ),
    to: v.pipe(v.array(peer, peers.allowed), v.minLength(1, peers.allowed)),
  },
  ruleAllowed,
);

export const rules = listOf<v.InferOutput<typeof rule>>(
  "a list of NetworkPolicyEgressRules, each with `to`, and optionally `ports` as numbers",
  { allowed: ruleAllowed, schema: rule },
);
