import { createRequire } from "node:module";
import { join } from "node:path";
import type * as Pulumi from "@pulumi/pulumi";
import { labels } from "../../components/conventions/labels";
import loadTypeScript from "../../lib/load-typescript.cjs";
import { project } from "../../lib/project";
import { UserError } from "../../lib/errors";
import type { Settings } from "../../settings";
import type { Json } from "../../operations/pulumi/events";

/** A resource that the program has declared, with the inputs that the engine would receive. */
export interface Declared {
  readonly inputs: Readonly<Record<string, Json>>;
  readonly name: string;
  /** URN of the parent resource: a component or the stack. */
  readonly parent: string;
  /** Type token, such as `kubernetes:apps/v1:Deployment` or `services:k8s:WebService`. */
  readonly type: string;
}

/**
 * Type of the function in `index.ts`. This file declares the type itself, because `index.ts` uses
 * `export =` and exports no type.
 */
type Program = (outside: object) => Promise<unknown>;

/** Placeholder for the random suffix of a name that Pulumi generates. */
export const suffix = "<generated-suffix>";

// Node.js loads a module when the code first needs the module.
const require = createRequire(join(project, "package.json"));

/**
 * Runs a function that declares resources, with Pulumi's mocks instead of an engine. Returns the
 * resources in the order of the golden manifests: by type and name.
 */
export async function declaredBy(
  run: () => unknown,
  stack = "local",
): Promise<readonly Declared[]> {
  const { runtime } = require("@pulumi/pulumi") as typeof Pulumi;
  const found: Omit<Declared, "parent">[] = [];
  const mocks: Pulumi.runtime.Mocks = {
    call: () => ({}),
    newResource: ({ inputs, name, type }) => {
      found.push({ inputs: inputs as Declared["inputs"], name, type });
      const { metadata } = inputs as { readonly metadata?: object };
      // Mocks do not generate names. Without a name, a reference to the object would be empty.
      const named = { metadata: { name: `${name}-${suffix}`, ...metadata } };
      const state = { ...(inputs as object), ...(metadata === undefined ? {} : named) };
      return { id: name, state };
    },
  };
  await runtime.setMocks(mocks, "services-orders", stack, true);
  const parents = new Map<string, string>();
  const monitor = runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  // Reads the parent's URN from the request, because the SDK does not pass this URN to the mocks.
  monitor.registerResource = async (request, callback) => {
    await register(request, callback);
    parents.set(`${request.getType()} ${request.getName()}`, request.getParent());
  };
  await run();
  // Waits until the SDK has registered all resources.
  await runtime.disconnect();
  return found
    .map((one) => ({ key: `${one.type} ${one.name}`, one }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ key, one }) => ({ ...one, parent: parents.get(key) ?? "" }));
}

interface Request {
  getName(): string;
  getParent(): string;
  getType(): string;
}

interface Monitor {
  registerResource(request: Request, callback: unknown): Promise<void>;
}

/** The program, after the first call of {@link declaredIn}. */
let loaded: Program | undefined;

/**
 * Runs the program for a stack without an engine, a state or a cluster. The function tells the
 * program that the namespace exists and belongs to the stack, and that the namespace contains no
 * Deployment and no Job.
 *
 * @throws UserError with the program's message, if the program refuses the settings.
 */
export async function declaredIn(settings: Settings): Promise<readonly Declared[]> {
  const { clusterUid = "", identity, stack } = settings;
  loaded ??= loadTypeScript(join(project, "index.ts")) as Program;
  const program = loaded;
  const namespace = { labels: labels(identity, "namespace"), terminating: false };
  const nothing = (): Promise<undefined> => Promise.resolve(undefined);
  const outside = {
    readCluster: () => Promise.resolve({ clusterUid, namespace }),
    readLastRelease: nothing,
    readRollouts: () => ({ deployment: nothing, job: nothing }),
    // Without the setting `eksCluster`, the program does not ask AWS for the address of a cluster
    // on EKS.
    readSettings: () => Promise.resolve({ ...settings, eksCluster: undefined }),
  };
  try {
    return await declaredBy(() => program(outside), stack);
  } catch (error) {
    const { ResourceError, RunError } = require("@pulumi/pulumi") as typeof Pulumi;
    const isExpected = RunError.isInstance(error) || ResourceError.isInstance(error);
    throw isExpected ? new UserError(error.message) : error;
  }
}
