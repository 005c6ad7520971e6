import { type Workspace, ask, askJson, whenUnlocked } from "./run-pulumi";

/**
 * Outputs of a stack's last update. If an older version of the program deployed the stack, some
 * outputs may be missing.
 */
export interface Outputs {
  readonly branch?: string;
  readonly clusterUid?: string;
  readonly commit?: string;
  readonly imageRef?: string;
  readonly namespace?: string;
  readonly releaseReason?: string;
  readonly replicas?: number;
  readonly url?: string;
}

export type Tags = Readonly<Record<string, string>>;

/** Reads a stack's outputs. Empty for a stack without a successful update. */
export async function outputsOf(stack: string, workspace: Workspace): Promise<Outputs> {
  return (await askJson(["stack", "output", "--stack", stack], workspace)) as Outputs;
}

export async function tagsOf(stack: string, workspace: Workspace): Promise<Tags> {
  return (await askJson(["stack", "tag", "ls", "--stack", stack], workspace)) as Tags;
}

/**
 * Sets tags of a stack. Sets the tags one after the other, because each `pulumi stack tag` command
 * reads and writes all tags of the stack.
 */
export async function setTags(stack: string, tags: Tags, workspace: Workspace): Promise<void> {
  for (const [name, value] of Object.entries(tags)) {
    // Name and value follow `--`, because Pulumi could otherwise treat a value that begins with `-`
    // as an option.
    await ask(["stack", "tag", "set", "--stack", stack, "--", name, value], workspace);
  }
}

export async function removeTags(
  stack: string,
  names: readonly string[],
  workspace: Workspace,
): Promise<void> {
  const present = await tagsOf(stack, workspace);
  for (const name of names.filter((tag) => tag in present)) {
    await ask(["stack", "tag", "rm", "--stack", stack, name], workspace);
  }
}

/** A resource in a stack's state. */
export interface StateResource {
  /** `false` for a component, `true` for a resource that a provider manages. */
  readonly custom?: boolean;
  /**
   * Whether the next update deletes this resource, for example because a new resource has replaced
   * it.
   */
  readonly delete?: boolean;
  readonly id?: string;
  /**
   * Why the resource is not ready. The next update waits until the resource is ready, even if the
   * program does not change the resource.
   */
  readonly initErrors?: readonly string[];
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** URN of the component that the resource belongs to. */
  readonly parent?: string;
  /**
   * Whether an update has deleted the resource in order to replace it, and its replacement does not
   * exist yet.
   */
  readonly pendingReplacement?: boolean;
  /** URN and id of the resource's provider, with `::` between them. */
  readonly provider?: string;
  readonly retainOnDelete?: boolean;
  readonly type: string;
  readonly urn: string;
}

export interface State {
  readonly begun: readonly StateResource[];
  readonly pending: boolean;
  readonly resources: readonly StateResource[];
}

export async function stateOf(stack: string, workspace: Workspace): Promise<State> {
  const { deployment = {} } = await exported(stack, workspace);
  const { pending_operations: pending = [], resources = [] } = deployment;
  return { begun: begunIn(deployment), pending: pending.length > 0, resources };
}

/**
 * Returns the outputs of a stack from the resources in its state. Empty if the stack has no
 * resources. In the state, the values of secret outputs are encrypted.
 */
export function outputsIn(resources: readonly StateResource[]): Readonly<Record<string, unknown>> {
  return resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs ?? {};
}

/**
 * Returns the resources that an update had begun to create when Pulumi wrote the state. After a
 * kill, each of these resources may or may not exist.
 */
export function begunIn({ pending_operations = [] }: Deployment): readonly StateResource[] {
  return pending_operations
    .filter(({ type }) => type === "creating")
    .map(({ resource }) => resource);
}

/** A step that had begun but not ended when Pulumi wrote the state. */
interface PendingOperation {
  readonly resource: StateResource;
  readonly type: string;
}

/**
 * The part of the output of `pulumi stack export` that this project reads. In this output, secrets
 * are encrypted.
 */
export interface Deployment {
  readonly pending_operations?: readonly PendingOperation[];
  readonly resources?: readonly StateResource[];
}

interface Exported {
  readonly deployment?: Deployment;
}

async function exported(stack: string, workspace: Workspace): Promise<Exported> {
  return JSON.parse(await ask(["stack", "export", "--stack", stack], workspace)) as Exported;
}

/**
 * Edits a stack's state. When Pulumi imports the edited state, Pulumi removes all pending
 * operations.
 */
export async function editState(
  stack: string,
  edit: (deployment: Deployment) => Deployment | Promise<Deployment>,
  workspace: Workspace,
): Promise<void> {
  const state = await exported(stack, workspace);
  const edited = { ...state, deployment: await edit(state.deployment ?? {}) };
  await ask(["stack", "import", "--stack", stack], workspace, { input: JSON.stringify(edited) });
}

/**
 * Creates a stack. Does not select the stack as Pulumi's current stack.
 *
 * @param secretsProvider encrypts the stack's secrets. If undefined, Pulumi chooses the provider.
 */
export async function createStack(
  stack: string,
  secretsProvider: string | undefined,
  workspace: Workspace,
): Promise<void> {
  const provider = secretsProvider === undefined ? [] : ["--secrets-provider", secretsProvider];
  await whenUnlocked(stack, workspace, async () =>
    ask(["stack", "init", stack, "--no-select", ...provider], workspace),
  );
}

/** Removes an empty stack with its history, backups, tags and stack settings file. */
export async function removeStack(stack: string, workspace: Workspace): Promise<void> {
  await whenUnlocked(stack, workspace, async () =>
    ask(["stack", "rm", stack, "--yes", "--remove-backups"], workspace),
  );
}
