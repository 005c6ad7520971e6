import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Engine, ask, withEnv } from "../engine";

/** What Pulumi says of a stack that nobody has deployed yet. */
const unknownStack = /no stack named '[^']*' found/;

/** Whether a preview failed only because the stack is not there yet, and has no file that names its key. */
export function isNew(stack: string, { cwd }: Engine, printed: string): boolean {
  return unknownStack.test(printed) && !existsSync(join(cwd, `Pulumi.${stack}.yaml`));
}

/**
 * Lets a stack be previewed that does not exist: in an empty state of its own, which is gone afterwards. Who
 * previews may not write into the real one.
 */
export async function asNew<T>(
  stack: string,
  engine: Engine,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const state = mkdtempSync(join(tmpdir(), "services-orders-new-"));
  const file = join(engine.cwd, `Pulumi.${stack}.yaml`);
  const remove = (): void => {
    rmSync(state, { force: true, recursive: true });
    // Pulumi keeps there by what it encrypts.
    rmSync(file, { force: true });
  };
  process.once("exit", remove);
  try {
    const empty = withEnv(engine, {
      PULUMI_BACKEND_URL: `file://${state}`,
      PULUMI_CONFIG_PASSPHRASE: "",
    });
    await ask(["stack", "init", stack, "--no-select", "--secrets-provider", "passphrase"], empty);
    return await work(empty);
  } finally {
    remove();
    process.off("exit", remove);
  }
}
