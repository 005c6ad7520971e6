import { createRequire } from "node:module";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";

// Pulumi's SDK takes a stack trace for each promise. With the source maps of tsx, these stack
// traces would take a third of the CPU time of the tests. Only a message about promises that never
// end has them, so the tests leave them empty.
const promises = createRequire(join(process.cwd(), "package.json"))(
  "@pulumi/pulumi/runtime/debuggable",
) as { debuggablePromise: (promise: unknown, context: unknown) => unknown };
const { debuggablePromise } = promises;
promises.debuggablePromise = (promise, context) => {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return debuggablePromise(promise, context);
  } finally {
    Error.stackTraceLimit = limit;
  }
};

/** A registered resource, with the values that Pulumi's engine would receive. */
export interface Recorded {
  /** Aliases of the resource: its earlier names and parents. */
  readonly aliases: readonly Readonly<Record<string, unknown>>[];
  readonly customTimeouts: Readonly<Record<string, string>>;
  /**
   * URN of another resource. When Pulumi deletes the other resource, Pulumi skips the deletion of
   * this resource.
   */
  readonly deletedWith: string;
  /** URNs of the resources that must exist before this resource. */
  readonly dependencies: readonly string[];
  readonly ignoreChanges: readonly string[];
  readonly inputs: Manifest;
  readonly name: string;
  readonly protect: boolean;
  readonly provider: string;
  readonly retainOnDelete: boolean;
  /**
   * Types of the resource's parents and of the resource itself, joined by `$`. Does not include the
   * stack.
   */
  readonly parentage: string;
  readonly type: string;
}

/**
 * The inputs of a Kubernetes resource. The inputs have almost the same form as the object's
 * manifest.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests read manifests by path
export type Manifest = any;

/** The digest of all images that a program builds under mocks. */
export const builtDigest = `sha256:${"b".repeat(64)}`;

interface Request {
  getAliasesList(): { toObject(): { spec?: Record<string, unknown> } }[];
  getCustom(): boolean;
  getCustomtimeouts(): { toObject(): Record<string, string> } | undefined;
  getDeletedwith(): string;
  getDependenciesList(): string[];
  getIgnorechangesList(): string[];
  getName(): string;
  getObject(): { toJavaScript(): unknown };
  getParent(): string;
  getProtect(): boolean;
  getProvider(): string;
  getRetainondelete(): boolean;
  getType(): string;
}

interface Monitor {
  registerResource(request: Request, callback: unknown): Promise<void>;
}

/** Records the registered resources. */
export class Recorder {
  readonly resources: Recorded[] = [];

  /**
   * Returns the only resource of a type, or of a type and a name. Throws if there is no such
   * resource, or more than one.
   */
  one(type: string, name?: string): Recorded {
    const found = this.all(type).filter((r) => name === undefined || r.name === name);
    const [first] = found;
    if (first === undefined || found.length > 1) {
      throw new Error(`${String(found.length)} resources of type ${type}, not one`);
    }
    return first;
  }

  all(type: string): readonly Recorded[] {
    return this.resources.filter((resource) => resource.type === type);
  }

  /** Returns type and name of all resources, sorted, because the order of registration may vary. */
  list(): readonly string[] {
    return this.resources.map(({ name, type }) => `${type} ${name}`).sort();
  }

  /** Returns all registered resources, without components. */
  custom(): readonly Recorded[] {
    return this.resources.filter(({ type }) => !type.startsWith("services:"));
  }
}

function filled(args: pulumi.runtime.MockResourceArgs): Record<string, unknown> {
  const inputs = args.inputs as Record<string, unknown>;
  const { metadata } = inputs as { metadata?: { name?: string } };
  const state = { ...inputs };
  // Adds a name, because mocks do not generate names. References to a missing name would silently
  // be empty.
  if (metadata !== undefined) state["metadata"] = { name: `${args.name}-auto`, ...metadata };
  if (args.type === "docker-build:index:Image") state["digest"] = builtDigest;
  // Adds an ARN, because AWS would return an ARN, and other resources refer to this ARN.
  if (args.type.startsWith("aws:")) state["arn"] = `arn:${args.name}`;
  return state;
}

/**
 * Replaces the engine with mocks that record resources, and returns the recorder. Call this
 * function before each test, because the SDK's state is global. `call` returns the results of
 * provider functions, such as `getCluster`.
 */
export async function record(
  stack = "local",
  call: (token: string) => Record<string, unknown> = () => ({}),
): Promise<Recorder> {
  const recorder = new Recorder();
  const inputsOf = new Map<string, unknown>();
  await pulumi.runtime.setMocks(
    {
      call: ({ token }) => call(token),
      newResource: (args) => {
        inputsOf.set(`${args.type} ${args.name}`, args.inputs);
        return { id: `${args.name}-id`, state: filled(args) };
      },
    },
    "services-orders",
    stack,
    false,
  );
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  // Reads the resource options from the request, because the SDK does not pass these options to the
  // mocks.
  monitor.registerResource = async (request, callback) => {
    await register(request, callback);
    const type = request.getType();
    if (type === "pulumi:pulumi:Stack") return;
    const parents = (request.getParent().split("::")[2] ?? "").replace(
      /^pulumi:pulumi:Stack\$?/,
      "",
    );
    recorder.resources.push({
      aliases: request.getAliasesList().map((alias) => alias.toObject().spec ?? {}),
      customTimeouts: request.getCustomtimeouts()?.toObject() ?? {},
      deletedWith: request.getDeletedwith(),
      dependencies: request.getDependenciesList(),
      ignoreChanges: request.getIgnorechangesList(),
      inputs: inputsOf.get(`${type} ${request.getName()}`),
      name: request.getName(),
      parentage: parents === "" ? type : `${parents}$${type}`,
      protect: request.getProtect(),
      provider: request.getProvider(),
      retainOnDelete: request.getRetainondelete(),
      type,
    });
  };
  return recorder;
}

/** Waits until the SDK has registered all resources that the program has constructed so far. */
export async function settled(): Promise<void> {
  // `disconnect` waits for all open requests. The call has no other effect, because the monitor of
  // the mocks has no connection.
  await pulumi.runtime.disconnect();
}

/** Returns the value of an output. */
export function valueOf<T>(output: pulumi.Input<T>): Promise<T> {
  return new Promise((resolve) => {
    pulumi.output(output).apply((value) => {
      resolve(value as T);
    });
  });
}
