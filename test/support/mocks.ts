import * as pulumi from "@pulumi/pulumi";

/** A registered resource, as the engine would receive it. */
export interface Recorded {
  /** Earlier names and parents of the resource. */
  readonly aliases: readonly Readonly<Record<string, unknown>>[];
  readonly customTimeouts: Readonly<Record<string, string>>;
  /**
   * URN of another resource. If that resource is deleted, Pulumi does not delete this one itself.
   */
  readonly deletedWith: string;
  /** URNs of the resources that must exist before this one. */
  readonly dependencies: readonly string[];
  readonly ignoreChanges: readonly string[];
  readonly inputs: Manifest;
  readonly name: string;
  readonly protect: boolean;
  readonly provider: string;
  readonly retainOnDelete: boolean;
  /** Types from the child of the stack to the resource itself, joined by `$`. */
  readonly parentage: string;
  readonly type: string;
}

/** The inputs of a Kubernetes resource, which are nearly its manifest. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests read manifests by path
export type Manifest = any;

/** The digest of every image that is built under mocks. */
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
   * Returns the only resource of a type, or of a type and a name. Throws if there is not exactly
   * one.
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
  // Mocks do not generate names. Without this name, references to the name would silently be empty.
  if (metadata !== undefined) state["metadata"] = { name: `${args.name}-auto`, ...metadata };
  if (args.type === "docker-build:index:Image") state["digest"] = builtDigest;
  // Other resources use the ARN that AWS would return.
  if (args.type.startsWith("aws:")) state["arn"] = `arn:${args.name}`;
  return state;
}

/**
 * Starts to record, and returns the recorder. Call it before each test, because the SDK's state is
 * global. `call` returns the results of functions that read, such as `getCluster`.
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
  // The SDK does not pass the options to the mocks. So read them from the request.
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

/** Waits until all resources that were constructed so far are registered. */
export async function settled(): Promise<void> {
  // `disconnect` waits for all open requests. The mock monitor has no connection to close.
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
