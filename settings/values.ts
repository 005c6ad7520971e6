import { pod } from "../components/conventions/defaults";
import { isDnsLabel } from "../components/conventions/names";
import { type Requests, cores, isMemory } from "../components/conventions/quantities";
import type { Quota } from "../components/conventions/quota";
import { type Parse, type Schema, listOf, objectOf, withSchema, wordsOf } from "./json-schema";

/**
 * How a setting's text becomes its value: each of these gives undefined for what is not allowed.
 * Pulumi hands lists and objects of a stack's file over as JSON.
 */

export type Platform = "linux/amd64" | "linux/arm64";

/** An EKS cluster, by what it is found by. */
export interface EksCluster {
  readonly name: string;
  readonly region: string;
}

/** Kubernetes' NetworkPolicyPeer, as far as addresses and namespaces go. */
export interface NetworkPeer {
  readonly ipBlock?: { readonly cidr: string; readonly except?: string[] };
  readonly namespaceSelector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  readonly podSelector?: { readonly matchLabels?: Readonly<Record<string, string>> };
}

/** Kubernetes' NetworkPolicyEgressRule. */
export interface NetworkRule {
  readonly ports?: { readonly port: number; readonly protocol?: "TCP" | "UDP" }[];
  readonly to: NetworkPeer[];
}

const plain: Schema = { type: "string" };

export function text(form: RegExp): Parse<string> {
  const schema = { pattern: form.source, type: "string" };
  return withSchema(schema, (value) => (form.test(value) ? value : undefined));
}

export const dnsLabel: Parse<string> = withSchema({ maxLength: 63, type: "string" }, (value) =>
  isDnsLabel(value) ? value : undefined,
);

export function oneOf<const Value extends string>(...allowed: readonly Value[]): Parse<Value> {
  return withSchema({ enum: allowed }, (value) => allowed.find((entry) => entry === value));
}

export function integer(min: number, max: number): Parse<number> {
  const written = { pattern: "^[0-9]+$", type: "string" };
  const schema = { anyOf: [{ maximum: max, minimum: min, type: "integer" }, written] };
  return withSchema(schema, (value) => {
    const number = /^[0-9]+$/.test(value) ? Number(value) : NaN;
    return number >= min && number <= max ? number : undefined;
  });
}

export const bool: Parse<boolean> = withSchema({ enum: [true, false, "true", "false"] }, (value) =>
  value === "true" ? true : value === "false" ? false : undefined,
);

function json(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** An object with these keys and no others. */
function fields(value: unknown, allowed: readonly string[]): Fields | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.keys(value).every((key) => allowed.includes(key)) ? (value as Fields) : undefined;
}

const isPlatform = (value: unknown): value is Platform =>
  value === "linux/amd64" || value === "linux/arm64";

/** A list in YAML, or names with commas between. */
function words<Word extends string>(
  least: number,
  is: (value: unknown) => value is Word,
  word: Schema,
): Parse<Word[]> {
  return withSchema(wordsOf(word), (value) => {
    const inYaml = value.startsWith("[");
    const parsed = inYaml ? json(value) : value.split(",").map((part) => part.trim());
    return Array.isArray(parsed) && parsed.length >= least && parsed.every(is) ? parsed : undefined;
  });
}

export const platforms: Parse<readonly Platform[]> = words(1, isPlatform, {
  enum: ["linux/amd64", "linux/arm64"],
});

const registryForm = /^[a-z0-9][a-z0-9.-]*(?::[0-9]+)?(?:\/[a-z0-9._-]+)*$/;

export const registries: Parse<readonly string[]> = words(
  0,
  (value): value is string => typeof value === "string" && registryForm.test(value),
  { pattern: registryForm.source, type: "string" },
);

const amountsSchema = { cpu: plain, memory: plain };

export const requests: Parse<Requests> = withSchema(objectOf(amountsSchema), (value) => {
  const given = fields(json(value), ["cpu", "memory"]);
  if (given === undefined) return undefined;
  const { cpu = pod.requests.cpu, memory = pod.requests.memory } = given;
  if (typeof cpu !== "string" || cores(cpu) === undefined) return undefined;
  return typeof memory === "string" && isMemory(memory) ? { cpu, memory } : undefined;
});

const podsOf = integer(1, 1000);
const quotaSchema = objectOf({ ...amountsSchema, pods: podsOf.schema }, ["pods"]);

export const quota: Parse<Quota> = withSchema(quotaSchema, (value) => {
  const given = fields(json(value), ["cpu", "memory", "pods"]);
  const amounts = given && requests(JSON.stringify({ cpu: given["cpu"], memory: given["memory"] }));
  const pods = podsOf(String(given?.["pods"]));
  return amounts === undefined || pods === undefined ? undefined : { ...amounts, pods };
});

const clusterSchema = objectOf({ name: plain, region: plain }, ["name", "region"]);

export const eksCluster: Parse<EksCluster> = withSchema(clusterSchema, (value) => {
  const given = fields(json(value), ["name", "region"]);
  const { name, region } = given ?? {};
  if (typeof name !== "string" || !/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(name)) return undefined;
  return typeof region === "string" && /^[a-z]{2}(?:-[a-z]+)+-[0-9]$/.test(region)
    ? { name, region }
    : undefined;
});

const cidrForm = /^(?:[0-9]{1,3}\.){3}[0-9]{1,3}\/(?:3[0-2]|[12]?[0-9])$|^[0-9a-f:]+\/[0-9]{1,3}$/;

function isPeer(value: unknown): value is NetworkPeer {
  const peer = fields(value, ["ipBlock", "namespaceSelector", "podSelector"]);
  if (peer === undefined || Object.keys(peer).length === 0) return false;
  const { ipBlock } = peer;
  if (ipBlock === undefined) return true;
  const { cidr } = fields(ipBlock, ["cidr", "except"]) ?? {};
  return typeof cidr === "string" && cidrForm.test(cidr);
}

function list<Entry>(entry: Schema, is: (value: unknown) => value is Entry): Parse<Entry[]> {
  return withSchema(listOf(entry), (value) => {
    const parsed = json(value);
    return Array.isArray(parsed) && parsed.every(is) ? parsed : undefined;
  });
}

const selectorSchema: Schema = { type: "object" };
const peerSchema: Schema = {
  ...objectOf({
    ipBlock: objectOf({ cidr: plain, except: listOf(plain) }, ["cidr"]),
    namespaceSelector: selectorSchema,
    podSelector: selectorSchema,
  }),
  minProperties: 1,
};
const portSchema = objectOf(
  {
    port: { maximum: 65_535, minimum: 1, type: "integer" },
    protocol: { enum: ["TCP", "UDP"] },
  },
  ["port"],
);
// Kubernetes takes an empty list for every port.
const portsSchema = { ...listOf(portSchema), minItems: 1 };
const ruleSchema = objectOf({ ports: portsSchema, to: listOf(peerSchema) }, ["to"]);

function isPort(value: unknown): boolean {
  const { port, protocol = "TCP" } = fields(value, ["port", "protocol"]) ?? {};
  const known = protocol === "TCP" || protocol === "UDP";
  return known && Number.isInteger(port) && Number(port) >= 1 && Number(port) <= 65_535;
}

export const peers: Parse<NetworkPeer[]> = list(peerSchema, isPeer);

export const rules: Parse<NetworkRule[]> = list(ruleSchema, (value): value is NetworkRule => {
  const { ports, to } = fields(value, ["ports", "to"]) ?? {};
  const some = (list: unknown): list is unknown[] => Array.isArray(list) && list.length > 0;
  return (
    some(to) && to.every(isPeer) && (ports === undefined || (some(ports) && ports.every(isPort)))
  );
});
