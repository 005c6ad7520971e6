import { randomBytes } from "node:crypto";
import { createServer, request } from "node:http";
import { existsSync, mkdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { UserError } from "../../../lib/errors";
import { executable } from "../../../sandbox/install/download-or-build";
import { versitygw } from "../../../sandbox/install/extra-parts";

/** Timeout for the start of the S3 server, in milliseconds. The start takes less than a second. */
const startMs = 30_000;

/** S3 server on this machine. */
interface SlowS3 {
  /** Environment variables for `pulumi` commands whose state is in S3. */
  readonly env: Readonly<Record<string, string>>;
  /** Number of requests since the last call. */
  readonly requests: () => number;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a stand-in for Amazon S3: versitygw, which checks the signature of each request and stores
 * objects in files. A proxy forwards each request to versitygw after a delay. In contrast to Amazon
 * S3, there is no TLS and no encryption with KMS, and the delay does not depend on the size of an
 * object.
 *
 * @param directory - new directory for the objects and the socket
 * @param milliseconds - delay of each request
 */
export async function startSlowS3(directory: string, milliseconds: number): Promise<SlowS3> {
  const socket = join(directory, "socket");
  const objects = join(directory, "objects");
  const metadata = join(directory, "metadata");
  mkdirSync(metadata, { recursive: true });
  // versitygw uses this directory as the bucket `state`.
  mkdirSync(join(objects, "state"), { recursive: true });
  const secret = randomBytes(20).toString("hex");
  const keys = ["--access", "bench", "--secret", secret];
  const server = execa(
    executable(versitygw),
    ["--quiet", "--port", socket, ...keys, "posix", "--sidecar", metadata, objects],
    { all: true, cleanup: true, reject: false },
  );
  const started = Date.now();
  while (!existsSync(socket)) {
    if (server.exitCode !== null || Date.now() - started > startMs) {
      server.kill();
      throw new UserError(`versitygw did not start:\n${(await server).all}`);
    }
    await sleep(100);
  }

  let count = 0;
  const proxy = createServer((incoming, answer) => {
    count += 1;
    setTimeout(() => {
      const { headers, method, url } = incoming;
      const outgoing = request({ headers, method, path: url, socketPath: socket }, (reply) => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(answer);
      });
      outgoing.on("error", (error) => {
        answer.destroy(error);
      });
      incoming.pipe(outgoing);
    }, milliseconds);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  const where = `endpoint=http://127.0.0.1:${String(port)}&s3ForcePathStyle=true`;
  return {
    env: {
      AWS_ACCESS_KEY_ID: "bench",
      AWS_REGION: "us-east-1",
      AWS_SECRET_ACCESS_KEY: secret,
      PULUMI_BACKEND_URL: `s3://state?${where}&region=us-east-1`,
    },
    requests: () => {
      const since = count;
      count = 0;
      return since;
    },
    stop: async () => {
      proxy.close();
      proxy.closeAllConnections();
      server.kill();
      await server;
    },
  };
}
