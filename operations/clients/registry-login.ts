import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { command, CommandError } from "../../lib/command";
import { UserError } from "../../lib/errors";

interface DockerConfig {
  readonly auths?: Readonly<Record<string, { readonly auth?: string }>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

const ecrForm = /^[0-9]{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com$/;
const patience = 30_000;

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/**
 * Reads Docker's configuration file, which contains logins and the names of credential helpers.
 * Empty if the file does not exist.
 */
function dockerConfig(env: Env): DockerConfig {
  const { DOCKER_CONFIG: directory = join(homedir(), ".docker") } = { ...process.env, ...env };
  const file = join(directory, "config.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as DockerConfig) : {};
}

type Env = Readonly<Record<string, string>>;

/**
 * Returns the AWS region of a registry, or undefined if the registry is not ECR. If the variable
 * SANDBOX_ECR_REGION is set, this function treats the registry in SANDBOX_REGISTRY as ECR. Only
 * unit tests set this variable, because the end-to-end tests use the name of a registry in ECR.
 */
export function ecrRegion(host: string, env: Env): string | undefined {
  const { SANDBOX_ECR_REGION = "", SANDBOX_REGISTRY } = { ...process.env, ...env };
  const standIn = SANDBOX_ECR_REGION !== "" && host === SANDBOX_REGISTRY;
  return standIn ? SANDBOX_ECR_REGION : ecrForm.exec(host)?.[1];
}

/**
 * Returns the header `Authorization` for a registry. The login comes from the registry's credential
 * helper. Without a helper, the login for ECR is always new, because a password that Docker has
 * stored may have expired. Without a helper, the login for a registry other than ECR comes from
 * `docker login`. Undefined if there is no login: the registry may be public.
 *
 * @param limit timeout of the program that gives the login, in milliseconds
 */
export async function registryLogin(
  host: string,
  env: Env = {},
  limit = patience,
): Promise<string | undefined> {
  const { auths = {}, credHelpers = {}, credsStore } = dockerConfig(env);
  const region = ecrRegion(host, env);
  if (credHelpers[host] === undefined && region !== undefined) {
    return basic("AWS", await ecrPassword(region, env, limit));
  }
  const helper = credHelpers[host] ?? (host in auths ? credsStore : undefined);
  if (helper !== undefined) {
    const answer = await command(`docker-credential-${helper}`, ["get"], {
      env,
      input: host,
      timeout: limit,
    });
    const { Secret, Username } = JSON.parse(answer) as { Secret: string; Username: string };
    return basic(Username, Secret);
  }
  const { auth } = auths[host] ?? {};
  return auth === undefined ? undefined : `Basic ${auth}`;
}

/** Gets a password for ECR with the shell's AWS role. The password expires after 12 hours. */
async function ecrPassword(region: string, env: Env, limit = patience): Promise<string> {
  const args = ["ecr", "get-login-password", "--region", region];
  return (await command("aws", args, { env, timeout: limit })).trim();
}

/**
 * Logs Docker in to ECR, before Pulumi builds and pushes an image. The builder uses only the logins
 * in Docker's configuration. With a missing or expired login, the push fails only after the whole
 * build. So this function logs in even if the configuration already has a login. Does nothing for a
 * registry other than ECR, or if Docker has a credential helper for the registry.
 *
 * @throws UserError if AWS gives no password, or if `docker login` fails.
 */
export async function logInToPush(repository: string, env: Env): Promise<void> {
  const [host = ""] = repository.split("/");
  const region = ecrRegion(host, env);
  if (region === undefined || dockerConfig(env).credHelpers?.[host] !== undefined) return;
  try {
    const input = await ecrPassword(region, env);
    const login = ["login", "--username", "AWS", "--password-stdin", host];
    await command("docker", login, { env, input, timeout: patience });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new UserError(
      `Cannot log in to ${host}, where the image is pushed: ${error.reason}. Check the AWS role that the ` +
        "shell or the CI job has, and that aws and docker are on the PATH. Nothing was changed.",
    );
  }
}
