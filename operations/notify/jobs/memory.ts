import * as v from "valibot";
import { notifierFolder } from "../../../components/conventions/ci-roles";
import { parsedJson } from "../../../lib/json";
import { type StateOfProject, stateObjects } from "../../clients/state-objects";

const time = v.pipe(
  v.string(),
  v.check((text) => !Number.isNaN(Date.parse(text))),
);

const form = v.object({
  jobs: v.record(
    v.string(),
    v.object({
      /** Due times before this time were compared with the runs, and the missed ones were told. */
      checkedUntil: time,
      /** Names of the failed runs that were told, while the cluster has these runs. */
      failed: v.array(v.string()),
    }),
  ),
  /** Time of the last run that could tell everything. */
  ran: v.optional(time),
  /** Why the newest run could not tell everything. */
  trouble: v.optional(v.string()),
  version: v.literal(1),
});

/** What the notifier remembers about the jobs of a stack. */
export type Memory = v.InferOutput<typeof form>;

/** The memory before the first run of the notifier. */
export const nothingRemembered: Memory = { jobs: {}, version: 1 };

const objectOf = (stack: string): string => `${stack}.json`;

/**
 * Reads the memory of the notifier. Undefined if no notifier has run for the stack.
 *
 * @throws UserError if the state backend cannot be read
 */
export async function readMemory(
  stack: string,
  state: StateOfProject,
): Promise<Memory | undefined> {
  const objects = stateObjects(state);
  const name = objectOf(stack);
  const all = await objects.list(notifierFolder);
  if (!all.some((one) => one.name === name)) return undefined;
  const memory = parsedJson(form, await objects.read(notifierFolder, name));
  if (memory === undefined) {
    process.stderr.write(
      `warning: ${notifierFolder}/${name} in the state backend does not have the form of this file: every failure counts as new\n`,
    );
  }
  return memory ?? nothingRemembered;
}

/** @throws UserError if the state backend cannot be written */
export async function writeMemory(
  stack: string,
  state: StateOfProject,
  memory: Memory,
): Promise<void> {
  const text = `${JSON.stringify(memory, undefined, 2)}\n`;
  await stateObjects(state).write(notifierFolder, objectOf(stack), text);
}
