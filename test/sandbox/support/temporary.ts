import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/**
 * The sandbox directory of the tests, instead of ~/.services-orders-sandbox. sandbox-directory.cjs
 * creates this directory before Mocha loads any test.
 */
export const sandboxDirectory = process.env["SANDBOX_DIR"] ?? "";
if (!sandboxDirectory.startsWith(tmpdir())) {
  throw new Error("these tests need a separate sandbox directory: run them with .mocharc.json");
}

export const sha256 = (content: string | Buffer): string =>
  createHash("sha256").update(content).digest("hex");

/**
 * Changes environment variables. {@link Surroundings.restore} sets all variables to their original
 * values.
 */
export class Surroundings {
  readonly #before: Readonly<Record<string, string | undefined>> = { ...process.env };

  set(name: string, value: string | undefined): void {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }

  restore(): void {
    for (const name of new Set([...Object.keys(process.env), ...Object.keys(this.#before)])) {
      this.set(name, this.#before[name]);
    }
  }
}

/**
 * Fixture: a download mirror on 127.0.0.1. The mirror serves the files that a test adds under
 * `<host>/<path>`. For all other paths, the mirror answers with status 404.
 */
export class Mirror {
  readonly #files = new Map<string, string | Buffer>();
  readonly #server: Server;
  readonly asked: string[] = [];

  constructor() {
    this.#server = createServer((request, response) => {
      const path = (request.url ?? "").slice(1);
      this.asked.push(path);
      const content = this.#files.get(path);
      if (content === undefined) response.writeHead(404).end("not here");
      else if (content === Mirror.half)
        response.writeHead(200, { "content-length": "1000" }).write("half of");
      else response.end(content);
    });
  }

  /** If a file has this content, the mirror sends only a part of the response. */
  static readonly half = "\0half";

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  put(url: string, content: string | Buffer): void {
    this.#files.set(url.replace("https://", ""), content);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/**
 * Fixture: a stand-in for Go. The stand-in prints a version, and records its calls in the file
 * `calls`. A build creates a script instead of a compiled program.
 */
export function fakeGo(directory: string, version: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(
    join(directory, "go"),
    `#!/bin/sh
echo "$@" >> ${join(directory, "calls")}
case $1 in
  env) echo ${version} ;;
  build) while [ "$1" != -o ]; do shift; done; printf '#!/bin/sh\\necho built\\n' > "$2" ;;
esac
`,
  );
  chmodSync(join(directory, "go"), 0o755);
}

/**
 * Fills a directory with links to these programs, and returns the directory. A test uses this
 * directory as the PATH, so that the code finds no other program.
 */
export function onlyPrograms(directory: string, ...programs: readonly string[]): string {
  mkdirSync(directory, { recursive: true });
  for (const program of programs) {
    const candidates = (process.env["PATH"] ?? "").split(delimiter).map((at) => join(at, program));
    const found = candidates.find((candidate) => existsSync(candidate));
    if (found === undefined) throw new Error(`these tests need ${program} on the PATH`);
    symlinkSync(found, join(directory, program));
  }
  return directory;
}
