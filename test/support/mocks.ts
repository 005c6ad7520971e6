import * as pulumi from "@pulumi/pulumi";

/** One registered resource: what the engine would have been sent. */
export interface Recorded {
  /** What the resource may have been known by before: names and parents. */
  readonly aliases: readonly Readonly<Record<string, unknown>>[];
  readonly customTimeouts: Readonly<Record<string, string>>;
  /** URN of the resource whose deletion takes this one with it. */
  readonly deletedWith: string;
  /** URNs of the resources that must be there first. */
  readonly dependencies: readonly string[];
  readonly ignoreChanges: readonly string[];
  readonly inputs: Manifest;
  readonly name: string;
  readonly protect: boolean;
  readonly provider: string;
  readonly retainOnDelete: boolean;
  /** Types from the stack's child down to the resource itself, joined by `$`. */
  readonly parentage: string;
  readonly type: string;
}

/** Inputs of a Kubernetes resource are nearly its manifest. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests read manifests by path
export type Manifest = any;

/** What a build's output is under mocks. */
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

/** Records resources, and gives them what a cluster and a builder would. */
export class Recorder {
  readonly resources: Recorded[] = [];

  /** The only resource of a type, or of a type and a name. */
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

  /** Types and names, sorted: registration order is not the program's order. */
  list(): readonly string[] {
    return this.resources.map(({ name, type }) => `${type} ${name}`).sort();
  }

  /** Everything that was registered, components excluded. */
  custom(): readonly Recorded[] {
    return this.resources.filter(({ type }) => !type.startsWith("services:"));
  }
}

function filled(args: pulumi.runtime.MockResourceArgs): Record<string, unknown> {
  const inputs = args.inputs as Record<string, unknown>;
  const { metadata } = inputs as { metadata?: { name?: string } };
  const state = { ...inputs };
  // Mocks do no autonaming, and what refers to the name would silently lose it.
  if (metadata !== undefined) state["metadata"] = { name: `${args.name}-auto`, ...metadata };
  if (args.type === "docker-build:index:Image") state["digest"] = builtDigest;
  // What AWS answers, and others refer to.
  if (args.type.startsWith("aws:")) state["arn"] = `arn:${args.name}`;
  return state;
}

/** Starts recording. Call it before each test: the SDK's state is global. `call` answers reads. */
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
  // Mocks are not told of options; the request itself has them.
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

/** Waits until everything that was constructed so far is registered. */
export async function settled(): Promise<void> {
  // Waits for every request that is under way; the mock monitor has no connection to close.
  await pulumi.runtime.disconnect();
}

/** The value of an output. */
export function valueOf<T>(output: pulumi.Input<T>): Promise<T> {
  return new Promise((resolve) => {
    pulumi.output(output).apply((value) => {
      resolve(value as T);
    });
  });
}
