import { UserError } from "../../lib/errors";
import { type Engine, pulumiEnv } from "./engine";
import { isLocked, untilUnlocked } from "./lock-wait";
import { lastWords } from "./events";
import { reports } from "../../lib/reports";
import type { Outputs } from "./stacks";

/** Pulumi's Automation API on a stack that exists, with Pulumi's own output on the terminal. */
export interface Automated {
  readonly destroy: () => Promise<void>;
  /** @param before - looks at the stack right before each try: an update that was waited for has changed it. */
  readonly up: (
    options: { readonly policyPacks: string[] },
    before: () => Promise<void>,
  ) => Promise<Outputs>;
}

/** The project's own program and files are used: plain `pulumi` sees the same stack. */
export async function automated(stack: string, engine: Engine): Promise<Automated> {
  // It takes a second to load, which no other command should wait for.
  const { LocalWorkspace } = await import("@pulumi/pulumi/automation");
  const workspace = { envVars: pulumiEnv(engine), workDir: engine.cwd };
  const selected = await LocalWorkspace.selectStack(
    { stackName: stack, workDir: engine.cwd },
    workspace,
  );
  const run = async <Result>(
    what: string,
    work: (options: Shared) => Promise<Result>,
  ): Promise<Result> => {
    const { end, options } = shared();
    try {
      return await work(options);
    } catch (error) {
      // What Pulumi says is on the terminal; its error repeats all of it.
      const said = error instanceof Error ? error.message : String(error);
      if (isLocked(said)) throw new UserError(lastWords(said));
      reports.addCause(lastWords(said));
      throw new UserError(
        `pulumi ${what} of ${stack} failed: what it says is above; mend it and run the command again`,
      );
    } finally {
      end();
    }
  };
  const patiently = async <Result>(work: () => Promise<Result>): Promise<Result> =>
    untilUnlocked(work, engine.lockWait);
  return {
    destroy: async () => {
      await patiently(async () => run("destroy", async (options) => selected.destroy(options)));
    },
    up: async (given, before) => {
      const { outputs } = await patiently(async () => {
        await before();
        return run("up", async (options) => selected.up({ ...given, ...options }));
      });
      const values = Object.entries(outputs).map(([name, output]) => [
        name,
        output.value as unknown,
      ]);
      return Object.fromEntries(values) as Outputs;
    },
  };
}

interface Shared {
  readonly color: "always" | "never";
  readonly onError: (text: string) => void;
  readonly onOutput: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Output as it comes; a signal that ends this process lets Pulumi end in order first. */
function shared(): { readonly end: () => void; readonly options: Shared } {
  const aborted = new AbortController();
  const abort = (): void => {
    aborted.abort();
  };
  // Ctrl-C reaches Pulumi by itself, in the terminal's foreground group; a second one would kill it.
  const wait = (): void => undefined;
  process.on("SIGINT", wait).once("SIGTERM", abort);
  return {
    end: () => {
      process.off("SIGINT", wait).off("SIGTERM", abort);
    },
    options: {
      color: process.stdout.isTTY ? "always" : "never",
      onError: (text) => void process.stderr.write(text),
      onOutput: (text) => void process.stdout.write(text),
      signal: aborted.signal,
    },
  };
}
