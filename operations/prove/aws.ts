import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ciRoles, roleName } from "../../components/conventions/ci-roles";
import { command, CommandError } from "../../lib/command";
import { UserError } from "../../lib/errors";
import { registryLogin } from "../clients/registry-login";
import type { Push, SeenAws } from "./aws-assertions";

type Env = Readonly<Record<string, string>>;
const TIMEOUT_MS = 30_000;

async function aws(args: readonly string[], env: Env): Promise<string> {
  return command("aws", args, { env, timeout: TIMEOUT_MS }).catch((error: unknown) => {
    if (!(error instanceof CommandError)) throw error;
    throw new UserError(`aws ${args.slice(0, 2).join(" ")} failed: ${error.reason}`);
  });
}

interface Repository {
  readonly imageTagMutability: string;
  readonly imageTagMutabilityExclusionFilters?: readonly { readonly filter: string }[];
  readonly repositoryUri: string;
}

/**
 * Returns a random name for the temporary repository that `npm run prove -- aws` creates and
 * deletes.
 */
export const newRepository = (of: string): string =>
  `${of}-prove-${randomBytes(4).toString("hex")}`;

/**
 * Creates an empty repository with the settings of the service's repository. Pushes images with a
 * configuration of two bytes to the new repository. Then finds out which roles this CircleCI job
 * can assume with its token. At the end, and after an error, the function deletes the new
 * repository.
 */
export async function seenInAws(repository: string, temporary: string, env: Env): Promise<SeenAws> {
  const names = ["--repository-names", repository, "--output", "json"];
  const found = JSON.parse(await aws(["ecr", "describe-repositories", ...names], env)) as {
    readonly repositories: readonly Repository[];
  };
  const [model] = found.repositories;
  if (model === undefined) throw new UserError(`there is no repository ${repository}`);
  const { imageTagMutability: mutability, imageTagMutabilityExclusionFilters = [] } = model;
  const filters = imageTagMutabilityExclusionFilters.map(({ filter }) => filter);
  const exclusions = filters.map((filter) => `filterType=WILDCARD,filter=${filter}`);
  await aws(
    [
      ...["ecr", "create-repository", "--repository-name", temporary],
      ...["--image-tag-mutability", mutability],
      ...(exclusions.length === 0
        ? []
        : ["--image-tag-mutability-exclusion-filters", ...exclusions]),
    ],
    env,
  );
  try {
    const [host = ""] = model.repositoryUri.split("/");
    return {
      filters,
      mutability,
      pushes: await pushes(host, temporary, env),
      ...(await trust(env)),
    };
  } finally {
    await aws(["ecr", "delete-repository", "--repository-name", temporary, "--force"], env);
  }
}

/**
 * Pushes an image to the temporary repository, first without a login and then with a login. Then
 * pushes another image with the same tag. Then pushes two images with a second tag. A filter
 * excludes this second tag from the immutable tags.
 */
async function pushes(host: string, repository: string, env: Env): Promise<SeenAws["pushes"]> {
  const scheme = /^127\.0\.0\.1:/.test(host) ? "http" : "https";
  const base = `${scheme}://${host}/v2/${repository}`;
  const login = await registryLogin(host, env);
  if (login === undefined) throw new UserError(`no login for ${host}`);
  const send = async (url: string, init: RequestInit, authorization?: string) =>
    fetch(url, {
      ...init,
      headers: {
        ...(init.headers as Readonly<Record<string, string>> | undefined),
        ...(authorization === undefined ? {} : { Authorization: authorization }),
      },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  const config = "{}";
  const digest = `sha256:${createHash("sha256").update(config).digest("hex")}`;
  const upload = await send(`${base}/blobs/uploads/`, { method: "POST" }, login);
  const place = new URL(upload.headers.get("location") ?? "", base);
  place.searchParams.set("digest", digest);
  await send(String(place), { body: config, method: "PUT" }, login);
  const push = async (tag: string, note: string, authorization?: string): Promise<Push> => {
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const body = JSON.stringify({
      ...{ annotations: { note }, layers: [], mediaType, schemaVersion: 2 },
      config: {
        digest,
        mediaType: "application/vnd.oci.image.config.v1+json",
        size: config.length,
      },
    });
    const headers = { "Content-Type": mediaType };
    const url = `${base}/manifests/${tag}`;
    const answer = await send(url, { body, headers, method: "PUT" }, authorization);
    return { body: await answer.text(), status: answer.status };
  };
  const anonymous = await push("release-1", "one");
  const first = await push("release-1", "one", login);
  const moved = await push("release-1", "two", login);
  await push("build-1", "one", login);
  return { anonymous, excluded: await push("build-1", "two", login), first, moved };
}

/**
 * Finds out which roles this CircleCI job can assume with its token. The function tries to start a
 * session with each role. A started session ends after an hour.
 */
async function trust(env: Env): Promise<Pick<SeenAws, "ref" | "roles">> {
  const { CIRCLE_OIDC_TOKEN_V2: token = "" } = { ...process.env, ...env };
  if (token === "") return { ref: "", roles: undefined };
  const claims = JSON.parse(
    Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"),
  ) as Readonly<Record<string, unknown>>;
  const caller = ["sts", "get-caller-identity", "--query", "Account", "--output", "text"];
  const account = (await aws(caller, env)).trim();
  const directory = mkdtempSync(join(tmpdir(), "prove-token-"));
  const file = join(directory, "token");
  writeFileSync(file, token, { mode: 0o600 });
  const roles: string[] = [];
  try {
    for (const name of ciRoles.map(roleName)) {
      const asRole = {
        AWS_ACCESS_KEY_ID: "",
        AWS_ROLE_ARN: `arn:aws:iam::${account}:role/${name}`,
        AWS_ROLE_SESSION_NAME: "prove",
        AWS_SECRET_ACCESS_KEY: "",
        AWS_SESSION_TOKEN: "",
        AWS_WEB_IDENTITY_TOKEN_FILE: file,
      };
      try {
        await command("aws", caller, { env: { ...env, ...asRole }, timeout: TIMEOUT_MS });
        roles.push(name);
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        if (!/AccessDenied|not authorized/i.test(error.message)) throw error;
      }
    }
  } finally {
    rmSync(directory, { force: true, recursive: true });
  }
  return { ref: String(claims["oidc.circleci.com/vcs-ref"]), roles };
}
