import { UserError } from "../../lib/errors";
import { CommandError } from "../../lib/command";
import { dateOf } from "../../lib/time";
import { registryLogin } from "./registry-login";

/** The parts of an image reference in the form `host/path@sha256:...`. */
export interface ImageParts {
  readonly digest: string;
  readonly host: string;
  readonly path: string;
}

const refForm = /^([^/]+)\/(.+)@(sha256:[0-9a-f]{64})$/;

export function imageParts(imageRef: string): ImageParts {
  const [, host, path, digest] = refForm.exec(imageRef) ?? [];
  if (host === undefined || path === undefined || digest === undefined) {
    throw new UserError(
      `An image must be registry/repository@sha256:<64 hex digits>, got "${imageRef}". ` +
        "Name the image by its digest: a tag may be moved.",
    );
  }
  return { digest, host, path };
}

/**
 * Media types of the manifests that a tag may name: the image of one platform, or a list of the
 * images of several platforms.
 */
const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

const patience = 30_000;

/** URL of a registry: with `http` for a registry on this machine, otherwise with `https`. */
function urlOf(host: string): string {
  // The names of Docker Hub's images contain `docker.io`, but another host serves the images.
  if (host === "docker.io") return "https://registry-1.docker.io";
  const here = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(host);
  return `${here ? "http" : "https"}://${host}`;
}

type Env = Readonly<Record<string, string>>;
type Ask = (reference: string, init?: RequestInit) => Promise<Response>;

/**
 * Returns a function that reads or writes manifests in an image's repository through the registry's
 * API.
 *
 * @param limit timeout of the login and of each request, in milliseconds
 */
async function asking(
  { host, path }: Pick<ImageParts, "host" | "path">,
  env: Env,
  limit = patience,
): Promise<Ask> {
  const authorization = await registryLogin(host, env, limit).catch((error: unknown) => {
    if (!(error instanceof CommandError)) throw error;
    throw new UserError(
      `Cannot log in to ${host}: ${error.reason}. Check the AWS role, or Docker's credential helper.`,
    );
  });
  const send = async (url: string, init: RequestInit, login = authorization): Promise<Response> => {
    const headers = new Headers(init.headers);
    if (login !== undefined) headers.set("Authorization", login);
    const signal = AbortSignal.timeout(limit);
    return fetch(url, { ...init, headers, signal }).catch((error: unknown) => {
      const cause = error instanceof Error ? (error.cause ?? error) : error;
      throw new UserError(`The registry ${host} does not answer: ${String(cause)}.`);
    });
  };
  return async (reference, init = { headers: { Accept: manifestTypes } }) => {
    const url = `${urlOf(host)}/v2/${path}/manifests/${reference}`;
    const answer = await send(url, init);
    const service = tokenService(answer);
    if (service === undefined) return answer;
    const issued = await send(service, {});
    if (!issued.ok) return issued;
    const { token } = (await issued.json()) as { readonly token?: string };
    return token === undefined ? answer : send(url, init, `Bearer ${token}`);
  };
}

/**
 * Returns the URL of the registry's token service, from the response to a request without a token.
 * Undefined if the response contains no such URL. Registries such as Docker Hub accept only their
 * own tokens, for private images and for public images:
 * https://distribution.github.io/distribution/spec/auth/token/
 */
function tokenService({ headers, status }: Response): string | undefined {
  const challenge = headers.get("www-authenticate") ?? "";
  if (status !== 401 || !/^bearer /i.test(challenge)) return undefined;
  const found = new Map(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]),
  );
  const realm = found.get("realm");
  if (realm === undefined || !URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  for (const name of ["service", "scope"]) {
    const value = found.get(name);
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}

const head: RequestInit = { headers: { Accept: manifestTypes }, method: "HEAD" };

/**
 * Whether the registry no longer has an image, for example because a lifecycle rule deleted it. If
 * the registry gives no clear response, prints a warning and returns false. For example, the nodes
 * may have permission to pull the image, but the role that runs this command may not have it.
 */
export async function isGone(imageRef: string, env: Env): Promise<boolean> {
  try {
    const parts = imageParts(imageRef);
    const ask = await asking(parts, env);
    const { status } = await ask(parts.digest, head);
    if (status === 404) return true;
    expectStatus({ status }, 200, imageRef, parts.host);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(`warning: cannot tell whether the image is in the registry: ${error.message}`);
  }
  return false;
}

/**
 * Returns the image to which a tag refers, in the form `repository@sha256:...`. Undefined if there
 * is no such tag.
 *
 * @throws UserError if the registry does not answer, or answers with an unexpected status
 */
export async function taggedImage(
  repository: string,
  tag: string,
  env: Env,
): Promise<string | undefined> {
  const [host = "", ...path] = repository.split("/");
  const ask = await asking({ host, path: path.join("/") }, env);
  const found = await ask(tag, head);
  const digest = found.headers.get("docker-content-digest");
  if (found.status === 200 && digest !== null) return `${repository}@${digest}`;
  expectStatus(found, 404, `tag ${tag}`, host);
  return undefined;
}

/** The response of a registry to a request for an image, with the times of this machine. */
export interface RegistryAnswer {
  /** Code of the registry's error, such as `NAME_UNKNOWN` for a repository that does not exist. */
  readonly code: string | undefined;
  /**
   * Time at which the registry answered, from the registry's clock, in whole seconds. Undefined if
   * the response has no time.
   */
  readonly date: Date | undefined;
  /** Time of this machine when the response arrived, in milliseconds since 1970. */
  readonly received: number;
  /** Time of this machine before the request, in milliseconds since 1970. */
  readonly sent: number;
  readonly status: number;
}

/**
 * Asks a registry for an image. Returns the registry's response. The registry may answer with an
 * error.
 *
 * @param reference tag or digest of the image
 * @param limit timeout of the login and of each request, in milliseconds
 * @throws UserError if the registry does not answer, or the login fails
 */
export async function askRegistry(
  repository: string,
  reference: string,
  env: Env,
  limit: number,
): Promise<RegistryAnswer> {
  const [host = "", ...path] = repository.split("/");
  const ask = await asking({ host, path: path.join("/") }, env, limit);
  const sent = Date.now();
  const answer = await ask(reference);
  const received = Date.now();
  const text = await answer.text();
  return {
    code: /"code"\s*:\s*"([A-Z_]+)"/.exec(text)?.[1],
    date: dateOf(answer.headers.get("date") ?? ""),
    received,
    sent,
    status: answer.status,
  };
}

interface TagOptions {
  readonly env?: Env;
  /** Whether to move the tag to this image if the tag already names another image. */
  readonly moves?: boolean;
}

/**
 * Adds a tag to an image through the registry's API. Does not pull or push the image. Moves an
 * existing tag only if `moves` is true.
 *
 * @returns "was there" if the tag already names this image, otherwise "added"
 * @throws UserError if the tag names another image and `moves` is false, if the image does not
 * exist, or if the registry refuses the request.
 */
export async function addTag(
  imageRef: string,
  tag: string,
  { env = {}, moves = false }: TagOptions = {},
): Promise<"added" | "was there"> {
  const parts = imageParts(imageRef);
  const { digest, host, path } = parts;
  const ask = await asking(parts, env);
  const present = await ask(tag, head);
  const there = present.headers.get("docker-content-digest");
  if (present.status === 200 && there === digest) {
    return "was there";
  }
  if (present.status === 200 && !moves) {
    throw new UserError(
      `Tag ${tag} of ${host}/${path} names ${there ?? "another image"}, not ${digest}. This tag is never moved.`,
    );
  }
  if (present.status !== 200) expectStatus(present, 404, `tag ${tag}`, host);
  const manifest = await ask(digest);
  expectStatus(manifest, 200, imageRef, host);
  const type = manifest.headers.get("content-type") ?? "application/json";
  const body = await manifest.text();
  const put = await ask(tag, { body, headers: { "Content-Type": type }, method: "PUT" });
  expectStatus(put, 201, `tag ${tag}`, host);
  return "added";
}

function expectStatus(
  answer: Pick<Response, "status">,
  wanted: number,
  what: string,
  host: string,
): void {
  if (answer.status === wanted) return;
  const todo =
    answer.status === 401 || answer.status === 403
      ? "log in to the registry, or check the AWS role"
      : answer.status === 404
        ? "the image may have expired. Build it again"
        : answer.status === 400
          ? "compare the repository's tag mutability with platform/image-repository.ts"
          : "try again";
  throw new UserError(
    `The registry ${host} answers ${String(answer.status)} for ${what}, not ${String(wanted)}: ${todo}.`,
  );
}
