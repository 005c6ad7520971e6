import { createHmac, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

/**
 * A repository of the registry. The fields have the same names as in the response of
 * DescribeRepositories.
 */
interface EcrRepository {
  readonly imageTagMutability?: string | undefined;
  readonly imageTagMutabilityExclusionFilters?:
    readonly { readonly filter?: string | undefined }[] | undefined;
  readonly repositoryName?: string | undefined;
}

export interface EcrOptions {
  /** Reads the repositories of the registry. A push does not create a repository. */
  readonly repositories: () => Promise<readonly EcrRepository[]>;
  /** URL of a registry without rules. This registry stores the images. */
  readonly upstream: string;
  readonly account?: string;
  /**
   * Whether the identity of a request may get a token.
   *
   * @default - every identity
   */
  readonly mayLogIn?: (request: IncomingMessage) => boolean;
  /** Clock of the stand-in. Returns the number of milliseconds since 1970. */
  readonly now?: () => number;
  /**
   * Answers a request to another service of AWS, such as STS. In some tests, the server of this
   * stand-in also gets the requests to the host of that service.
   *
   * @default - there is no other service
   */
  readonly otherService?: (host: string, body: string) => Answer | undefined;
  readonly region?: string;
  /**
   * Certificate and key of the server.
   *
   * @default - the server has no TLS
   */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A request that the stand-in has answered. */
interface Asked {
  /** IP address of the client. */
  readonly from: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

interface Answer {
  readonly body?: Buffer | string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
}

const hour = 3_600_000;
/**
 * Headers that belong to one connection. The stand-in does not forward these headers (RFC 9110,
 * section 7.6.1).
 */
const ofConnection = ["connection", "keep-alive", "transfer-encoding"];
/** Largest size of the `imageManifest` of PutImage, in bytes (APIReference/API_PutImage.html). */
const longestManifest = 4_194_304;
/** Largest number of results in one response of ListImages (APIReference/API_ListImages.html). */
const longestList = 1000;

/**
 * A stand-in for a private registry of Amazon ECR, in front of a registry without rules. The pages
 * with a relative path are in https://docs.aws.amazon.com/AmazonECR/latest/.
 *
 * Rules, and where each rule comes from:
 * - Login: user `AWS` and a token that "is valid for 12 hours" (userguide/registry_auth.html). Each
 *   new token is different. Nothing is public: without a login, even a pull gets 401.
 * - An expired token: 403, "Your authorization token has expired. Reauthenticate and try again."
 *   (userguide/common-errors-docker.html).
 * - A repository must exist: 404, "The repository with name ... does not exist in the registry with
 *   id ..." (RepositoryNotFoundException; seen in https://github.com/plexsystems/sinker/issues/55).
 * - Tags: an error "is returned if you push an image with a tag that is already in the repository"
 *   (userguide/image-tag-mutability.html), also if the image is the same as the existing image
 *   (https://github.com/moby/buildkit/issues/3776). The text of the error is from
 *   https://github.com/osscontainertools/kaniko/pull/204. Filters exclude tags from this rule.
 * - A request for a token needs the permission `ecr:GetAuthorizationToken`
 *   (userguide/registry_auth.html). Without this permission: 400 with AccessDeniedException
 *   (APIReference/CommonErrors.html).
 * - ECR mounts layers of another repository "when registry blob mounting is enabled"
 *   (userguide/blob-mounting.html). The stand-in does not mount layers, so the client uploads each
 *   layer.
 * - Sizes: a manifest has at most 4 MiB, and a list has at most 1000 tags.
 * - The stand-in refuses DELETE. No page of AWS names the status with which ECR refuses DELETE. The
 *   OCI specification gives the status 405 for a registry without deletion.
 *
 * The stand-in omits: permissions of IAM roles in each repository (test/platform tests these
 * permissions), signatures of requests to AWS, throttling, redirects of layers to S3, the media
 * types that ECR refuses, the response to a token that was never valid (here status 401), and the
 * lifecycle policy (test/platform/ecr-lifecycle.ts).
 */
export class EcrStandIn {
  readonly #key = randomBytes(16);
  readonly #options: Required<Omit<EcrOptions, "tls">>;
  readonly #server;
  /** The requests of all clients, in the order of the responses. */
  readonly asked: Asked[] = [];

  constructor({ tls, ...options }: EcrOptions) {
    this.#options = {
      ...{ account: "123456789012", mayLogIn: () => true, now: Date.now, region: "eu-central-1" },
      otherService: () => undefined,
      ...options,
    };
    const listener: RequestListener = (request, response) => {
      const { method = "GET", socket, url: path = "/" } = request;
      void this.#answer(request)
        .catch((error: unknown) => ({ body: String(error), headers: {}, status: 500 }))
        .then(({ body, headers, status }) => {
          this.asked.push({ from: socket.remoteAddress ?? "", method, path, status });
          response.writeHead(status, headers).end(body);
        });
    };
    this.#server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  }

  /**
   * Starts the stand-in, by default on a free port of 127.0.0.1. Returns the address and the port,
   * such as `127.0.0.1:5000`.
   */
  async start(address = "127.0.0.1", wanted = 0): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(wanted, address, resolve);
    });
    return `${address}:${String((this.#server.address() as AddressInfo).port)}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /**
   * Does what GetAuthorizationToken does, and returns the password and the time at which the
   * password expires.
   */
  token(): { readonly expiresAt: number; readonly password: string } {
    const expiresAt = this.#options.now() + 12 * hour;
    const payload = `${String(expiresAt)}.${randomBytes(8).toString("hex")}`;
    return { expiresAt, password: `${payload}.${this.#sign(payload)}` };
  }

  #sign(payload: string): string {
    return createHmac("sha256", this.#key).update(payload).digest("hex");
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const { method = "GET", url: path = "/" } = request;
    const body = await read(request);
    const other = this.#options.otherService(request.headers.host ?? "", body.toString());
    if (other !== undefined) return other;
    if (request.headers["x-amz-target"]?.toString().endsWith(".GetAuthorizationToken") === true) {
      if (!this.#options.mayLogIn(request)) {
        const __type = "AccessDeniedException";
        const message = "not authorized to perform: ecr:GetAuthorizationToken on resource: *";
        return { body: JSON.stringify({ __type, message }), status: 400 };
      }
      const { expiresAt, password } = this.token();
      const authorizationToken = Buffer.from(`AWS:${password}`).toString("base64");
      const data = { authorizationToken, expiresAt: expiresAt / 1000, proxyEndpoint: "" };
      return {
        body: JSON.stringify({ authorizationData: [data] }),
        headers: { "Content-Type": "application/x-amz-json-1.1" },
        status: 200,
      };
    }
    const refusal = this.#loginRefusal(request.headers.authorization);
    if (refusal !== undefined) return refusal;
    const [, name, kind, rest = ""] =
      /^\/v2\/(.+?)\/(manifests|blobs|tags)\/(.+)$/.exec(path) ?? [];
    if (name === undefined) return { status: path === "/v2/" ? 200 : 404 };
    const found = (await this.#options.repositories()).find(
      ({ repositoryName }) => repositoryName === name,
    );
    if (found === undefined) {
      const message = `The repository with name '${name}' does not exist in the registry with id '${this.#options.account}'`;
      return error(404, "NAME_UNKNOWN", message);
    }
    if (method === "DELETE") {
      return error(405, "UNSUPPORTED", "The operation is unsupported.");
    }
    if (method === "PUT" && kind === "manifests") {
      if (body.length > longestManifest) {
        return error(400, "MANIFEST_INVALID", "Invalid parameter at 'imageManifest'");
      }
      if (isImmutable(found, rest) && (await this.#has(path))) {
        const message = `The image tag '${rest}' already exists in the '${name}' repository and cannot be overwritten because the tag is immutable.`;
        return error(400, "TAG_INVALID", message);
      }
    }
    return this.#pass(request, kind === "tags" ? bounded(path) : withoutMount(path), body);
  }

  #loginRefusal(authorization = ""): Answer | undefined {
    const [user, password = ""] = Buffer.from(authorization.replace(/^Basic /, ""), "base64")
      .toString()
      .split(":");
    const [ends = "", nonce = "", signature] = password.split(".");
    if (user !== "AWS" || signature !== this.#sign(`${ends}.${nonce}`)) {
      const realm = `https://${this.#options.account}.dkr.ecr.${this.#options.region}.amazonaws.com/`;
      const challenge = `Basic realm="${realm}",service="ecr.amazonaws.com"`;
      return { body: "Not Authorized\n", headers: { "Www-Authenticate": challenge }, status: 401 };
    }
    if (Number(ends) > this.#options.now()) return undefined;
    const message = "Your authorization token has expired. Reauthenticate and try again.";
    return error(403, "DENIED", message);
  }

  async #has(path: string): Promise<boolean> {
    const headers = { Accept: "*/*" };
    return (await fetch(`${this.#options.upstream}${path}`, { headers, method: "HEAD" })).ok;
  }

  async #pass(request: IncomingMessage, path: string, body: Buffer): Promise<Answer> {
    // The stand-in does not forward these headers. The upstream registry needs no login, and the
    // function `fetch` sets or refuses the other headers.
    const own = ["authorization", "content-length", "expect", "host", ...ofConnection];
    const given = Object.entries(request.headers).filter(([name]) => !own.includes(name));
    const answer = await fetch(`${this.#options.upstream}${path}`, {
      ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
      headers: Object.fromEntries(given) as Record<string, string>,
      method: request.method ?? "GET",
      redirect: "manual",
    });
    const headers = Object.fromEntries(
      [...answer.headers].filter(([name]) => !ofConnection.includes(name)),
    );
    // In the response to an upload, the header `Location` contains the URL of the upstream
    // registry. This code removes the host, so that the client sends the next request to the
    // stand-in.
    const place = headers["location"]?.replace(/^https?:\/\/[^/]+/, "");
    const kept = { ...headers, ...(place === undefined ? {} : { location: place }) };
    return { body: Buffer.from(await answer.arrayBuffer()), headers: kept, status: answer.status };
  }
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function error(status: number, code: string, message: string): Answer {
  return {
    body: JSON.stringify({ errors: [{ code, message }] }),
    headers: { "Content-Type": "application/json; charset=utf-8" },
    status,
  };
}

function isImmutable(
  { imageTagMutability = "MUTABLE", imageTagMutabilityExclusionFilters = [] }: EcrRepository,
  reference: string,
): boolean {
  if (reference.startsWith("sha256:") || imageTagMutability.startsWith("MUTABLE")) return false;
  return !imageTagMutabilityExclusionFilters.some(({ filter = "" }) =>
    new RegExp(`^${filter.replace(/[.]/g, "\\.").replace(/\*/g, ".*")}$`).test(reference),
  );
}

/**
 * Returns the path of an upload without the parameters that ask for a mount, so the client uploads
 * the layer.
 */
function withoutMount(path: string): string {
  const [place = "", query = ""] = path.split("?");
  const kept = new URLSearchParams(query);
  if (!kept.has("mount")) return path;
  kept.delete("mount");
  kept.delete("from");
  return kept.size === 0 ? place : `${place}?${kept.toString()}`;
}

/**
 * Returns the path of a request for a list of tags. With this path, the request asks for at most
 * 1000 tags, the maximum of ECR.
 */
function bounded(path: string): string {
  const url = new URL(path, "http://registry");
  const asked = Number(url.searchParams.get("n") ?? longestList);
  url.searchParams.set("n", String(Math.min(asked, longestList)));
  return `${url.pathname}${url.search}`;
}
