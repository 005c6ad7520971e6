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
      /** The notifier has reported the missed runs with due times before this time. */
      checkedUntil: time,
      /**
       * Names of the failed runs that the notifier has reported, and that the cluster still has.
       */
      failed: v.array(v.string()),
    }),
  ),
  /** Time of the notifier's last run that sent all messages. */
  ran: v.optional(time),
  /** Why the notifier's newest run failed. Undefined if this run succeeded. */
  trouble: v.optional(v.string()),
  version: v.literal(1),
});

/** The runs of a stack that the notifier has reported, and facts about the notifier's last run. */
export type Memory = v.InferOutput<typeof form>;

/** The list before the first run of the notifier. The list is empty. */
export const nothingRemembered: Memory = { jobs: {}, version: 1 };

const objectOf = (stack: string): string => `${stack}.json`;

/**
 * Reads the list of reported runs. Undefined if the notifier has never run for the stack. If the
 * list does not have the expected form, prints a warning and returns an empty list.
 *
 * @throws UserError if the function cannot read the state backend
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
      `warning: ${notifierFolder}/${name} in the state backend is damaged: the notifier reports every failed run again\n`,
    );
  }
  return memory ?? nothingRemembered;
}

/**
 * Writes the list of reported runs.
 *
 * @throws UserError if the function cannot write to the state backend
 */
export async function writeMemory(
  stack: string,
  state: StateOfProject,
  memory: Memory,
): Promise<void> {
  const text = `${JSON.stringify(memory, undefined, 2)}\n`;
  await stateObjects(state).write(notifierFolder, objectOf(stack), text);
}
