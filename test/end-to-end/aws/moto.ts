import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { command } from "../../../lib/command";
import { UserError } from "../../../lib/errors";
import { root } from "../../../sandbox/layout";

const requirements = join(import.meta.dirname, "requirements.txt");
/** Timeout for the start of moto, in seconds. The start usually takes about 2 seconds. */
const startSeconds = 60;

/**
 * Returns the directory of moto and the AWS CLI. The directory's name contains a hash of
 * requirements.txt, so each set of versions has its own directory.
 */
function directory(): string {
  const hash = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 8);
  return join(root, `moto-${hash}`);
}

/**
 * Installs moto and the AWS CLI into the sandbox's directory, if they are not installed yet.
 * Returns the directory of both programs. The installation takes about 40 s, and uses 300 MB on the
 * disk.
 */
async function install(): Promise<string> {
  const venv = directory();
  const done = join(venv, "installed");
  if (existsSync(done)) return venv;
  rmSync(venv, { force: true, recursive: true });
  try {
    await command("python3", ["-m", "venv", venv]);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    await command(join(venv, "bin", "python"), [...pip, "-r", requirements], { timeout: 600_000 });
  } catch (error) {
    throw new UserError(
      `moto cannot be installed: ${(error as Error).message}\nPython 3 with its module venv and a package index are needed.`,
    );
  }
  writeFileSync(done, "");
  return venv;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

/**
 * The server moto, which replaces AWS. The server listens on 127.0.0.1. After its start, the server
 * has no resources.
 */
export interface Moto {
  /** Runs the AWS CLI, and returns the JSON that the CLI prints. */
  readonly aws: (...args: string[]) => Promise<unknown>;
  /**
   * Environment variables for `pulumi` and the AWS CLI. The stand-in for the AWS plugin is first in
   * the PATH.
   */
  readonly env: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
}

/**
 * Starts moto on a free port, and waits until moto answers. In the result's `env`, the PATH
 * contains the stand-in for the AWS plugin, then `path`, and then the AWS CLI.
 */
export async function startMoto(path: string): Promise<Moto> {
  const venv = await install();
  const port = await freePort();
  const env = {
    AWS_ACCESS_KEY_ID: "test",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ENDPOINT_URL: `http://127.0.0.1:${String(port)}`,
    AWS_REGION: "eu-central-1",
    AWS_SECRET_ACCESS_KEY: "test",
    // The directory of the AWS CLI is last, because this directory also contains Python. Programs
    // must find the machine's Python first.
    PATH: [join(import.meta.dirname, "bin"), path, join(venv, "bin")].join(":"),
  };
  const server = execa(
    join(venv, "bin", "moto_server"),
    ["--host", "127.0.0.1", "--port", String(port)],
    // moto logs one line per request. The tests do not need this log.
    { cleanup: true, reject: false, stdio: "ignore" },
  );
  const deadline = Date.now() + startSeconds * 1000;
  while (!(await answers(env.AWS_ENDPOINT_URL))) {
    if (server.exitCode !== null || Date.now() > deadline) {
      server.kill();
      throw new UserError(`moto does not answer at ${env.AWS_ENDPOINT_URL}`);
    }
    await sleep(200);
  }
  return {
    aws: async (...args) => {
      const text = await command(join(venv, "bin", "aws"), [...args, "--output", "json"], {
        env: { ...env, AWS_DEFAULT_REGION: env.AWS_REGION },
        timeout: 60_000,
      });
      return text === "" ? undefined : (JSON.parse(text) as unknown);
    },
    env,
    stop: async () => {
      server.kill();
      await server;
    },
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/moto-api/`, { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false;
  }
}
