import { imageRefForm } from "./components/conventions/faults";
import { cores, isMemory, type Requests } from "./components/conventions/quantities";
import { isDnsLabel } from "./components/conventions/names";
import { pod } from "./components/conventions/defaults";
import type { Kind } from "./components/conventions/stacks";

/** What the default of a setting may depend on. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly gitBranch: string;
  readonly kind: Kind;
  readonly slug: string;
}

/** One row of the table of settings. `parse` gives undefined for a value that is not allowed. */
export interface Setting<Value> {
  readonly allowed: string;
  /** Value where config has none. */
  readonly default: (surroundings: Surroundings) => Value;
  readonly description: string;
  /** Environment variable that is read where config has no value. */
  readonly env?: string;
  readonly parse: (text: string) => Exclude<Value, undefined> | undefined;
}

type Platform = "linux/amd64" | "linux/arm64";
type WithoutDefault<Value> = Omit<Setting<Value>, "default">;

const none = () => undefined;

function row<Value>(setting: Setting<Value>): Setting<Value> {
  return setting;
}

/** A row whose default is one value per kind of stack. */
function byKind<Value>(
  defaults: Readonly<Record<Kind, Value>>,
  rest: WithoutDefault<Value>,
): Setting<Value> {
  return { ...rest, default: ({ kind }) => defaults[kind] };
}

function text(form: RegExp) {
  return (value: string) => (form.test(value) ? value : undefined);
}

function integer(min: number, max: number) {
  return (value: string) => {
    const number = /^[0-9]+$/.test(value) ? Number(value) : NaN;
    return number >= min && number <= max ? number : undefined;
  };
}

function bool(value: string): boolean | undefined {
  return value === "true" ? true : value === "false" ? false : undefined;
}

function json(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

const isPlatform = (value: unknown): value is Platform =>
  value === "linux/amd64" || value === "linux/arm64";

/** A list in YAML, or names with commas between. */
function platformList(value: string): readonly Platform[] | undefined {
  const parsed = value.startsWith("[") ? json(value) : value.split(",").map((part) => part.trim());
  return Array.isArray(parsed) && parsed.length > 0 && parsed.every(isPlatform)
    ? parsed
    : undefined;
}

function requestsObject(value: string): Requests | undefined {
  const parsed = json(value);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return undefined;
  const given = parsed as Readonly<Record<string, unknown>>;
  if (Object.keys(given).some((key) => key !== "cpu" && key !== "memory")) return undefined;
  const { cpu = pod.requests.cpu, memory = pod.requests.memory } = given;
  if (typeof cpu !== "string" || cores(cpu) === undefined) return undefined;
  return typeof memory === "string" && isMemory(memory) ? { cpu, memory } : undefined;
}

const digest = "an image as repository@sha256:<64 hex digits>";

const imageRef = { allowed: digest, parse: text(imageRefForm) };

/** Public image of the throw-away database: PostgreSQL 17, all platforms. */
const publicPostgres =
  "postgres@sha256:d74eeac9a635390a49bc21bd49fccd973de707e2a53a76ac49b552b8712ec46f";

/**
 * Every key of a stack's configuration (`services-orders:<key>`), in alphabetical order.
 * The value is taken from config, else from `env`, else it is the default of the kind of stack.
 */
export const table = {
  baseImageRef: row<string | undefined>({
    ...imageRef,
    default: none,
    description: "Image that takes the place of the Dockerfile's stage `base`.",
    env: "SANDBOX_BASE_IMAGE",
  }),
  branch: row<string>({
    allowed: "the name of a branch, without spaces",
    default: ({ gitBranch }) => gitBranch,
    description:
      "Branch that is released. CI sets it, because it checks out a commit and no branch.",
    parse: text(/^\S+$/),
  }),
  builder: row<string | undefined>({
    allowed: "the name of a buildx builder",
    default: none,
    description: "Builder of the image; none leaves the choice to buildx.",
    env: "BUILDX_BUILDER",
    parse: text(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/),
  }),
  clusterUid: row<string | undefined>({
    allowed: "the UID of the cluster's namespace kube-system",
    default: none,
    description: "The only cluster that the stack may change; none takes any.",
    parse: text(/^[0-9a-f-]{36}$/),
  }),
  context: row<string | undefined>({
    allowed: "the name of a context of the kubeconfig",
    default: none,
    description: "Context of the ambient kubeconfig; none takes its current one.",
    parse: text(/^\S+$/),
  }),
  databaseImageRef: row<string>({
    ...imageRef,
    default: () => publicPostgres,
    description: "Image of the throw-away PostgreSQL.",
    env: "SANDBOX_POSTGRES_IMAGE",
  }),
  domain: byKind<string | undefined>(
    {
      canary: undefined,
      local: "localhost",
      prod: undefined,
      review: undefined,
      staging: undefined,
    },
    {
      allowed: "a domain in lower case",
      description: "`{domain}` in hostPattern.",
      parse: text(/^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/),
    },
  ),
  hostPattern: byKind<string>(
    {
      canary: "services-orders.{domain}",
      local: "services-orders.{domain}",
      prod: "services-orders.{domain}",
      review: "services-orders.{slug}.{domain}",
      staging: "services-orders.{slug}.{domain}",
    },
    {
      allowed: "a host name that may contain {slug} and {domain}",
      description:
        "Public host. A wildcard certificate for *.{domain} does not cover services-orders.{slug}.{domain}.",
      parse: text(/^(?:[a-z0-9.-]|\{slug\}|\{domain\})+$/),
    },
  ),
  imageRef: row<string | undefined>({
    ...imageRef,
    default: none,
    description: "Image to deploy; no image is built then.",
  }),
  imageRepository: row<string | undefined>({
    allowed: "a registry and a path without tag or digest",
    default: ({ env }) => {
      const registry = env["SANDBOX_REGISTRY"];
      return registry === undefined || registry === "" ? undefined : `${registry}/services-orders`;
    },
    description:
      "Repository that the image is pushed to. Where SANDBOX_REGISTRY is set: one of that registry.",
    parse: text(/^[a-z0-9][a-z0-9.-]*(?::[0-9]+)?(?:\/[a-z0-9._-]+)+$/),
  }),
  ingressClassName: row<string | undefined>({
    allowed: "the name of an IngressClass",
    default: none,
    description: "Class of the Ingress; none takes the cluster's default.",
    parse: text(/^[a-z0-9][a-z0-9.-]*$/),
  }),
  namespace: row<string>({
    allowed: "a DNS label",
    default: ({ kind, slug }) =>
      kind === "prod" || kind === "canary"
        ? "services-orders"
        : `services-orders-${kind === "review" ? "review-" : ""}${slug}`,
    description: "Namespace of the stack.",
    parse: (value) => (isDnsLabel(value) ? value : undefined),
  }),
  platforms: row<readonly Platform[] | undefined>({
    allowed: "a list of linux/amd64 and linux/arm64",
    default: none,
    description: "Platforms the image is built for; none takes the builder's own.",
    parse: platformList,
  }),
  publicPort: row<number | undefined>({
    allowed: "a port from 1 to 65535",
    default: none,
    description: "Port of the public URL, where it is not the scheme's own.",
    env: "SANDBOX_INGRESS_PORT",
    parse: integer(1, 65_535),
  }),
  replicas: byKind<number>(
    { canary: 1, local: 2, prod: 3, review: 1, staging: 2 },
    {
      allowed: "a whole number from 0 to 100",
      description: "Pods of the web service.",
      parse: integer(0, 100),
    },
  ),
  requests: row<Requests>({
    allowed: 'an object of cpu and memory, as {"cpu": "250m", "memory": "512Mi"}',
    default: () => pod.requests,
    description: "CPU and memory that each web pod and each job is promised.",
    parse: requestsObject,
  }),
  tls: byKind<boolean>(
    { canary: true, local: false, prod: true, review: true, staging: true },
    { allowed: "true or false", description: "Whether the public URL is https.", parse: bool },
  ),
} as const;

/** The settings' values, by key. */
export type Values = {
  readonly [Key in keyof typeof table]: ReturnType<(typeof table)[Key]["default"]>;
};
