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
function dockerConfig(): DockerConfig {
  const directory = process.env["DOCKER_CONFIG"] ?? join(homedir(), ".docker");
  const file = join(directory, "config.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as DockerConfig) : {};
}

/**
 * Returns the header `Authorization` for a registry. The login comes from Docker's credential
 * helper, from `docker login`, or for ECR from the shell's AWS role. Undefined if there is no
 * login: the registry may be public.
 */
export async function registryLogin(host: string): Promise<string | undefined> {
  const { auths = {}, credHelpers = {}, credsStore } = dockerConfig();
  const helper = credHelpers[host] ?? (host in auths ? credsStore : undefined);
  if (helper !== undefined) {
    const answer = await command(`docker-credential-${helper}`, ["get"], {
      input: host,
      timeout: patience,
    });
    const { Secret, Username } = JSON.parse(answer) as { Secret: string; Username: string };
    return basic(Username, Secret);
  }
  const { auth } = auths[host] ?? {};
  if (auth !== undefined) return `Basic ${auth}`;
  const region = ecrForm.exec(host)?.[1];
  return region && basic("AWS", await ecrPassword(region, {}));
}

type Env = Readonly<Record<string, string>>;

/** Gets a password for ECR with the shell's AWS role. The password expires after 12 hours. */
async function ecrPassword(region: string, env: Env): Promise<string> {
  const args = ["ecr", "get-login-password", "--region", region];
  return (await command("aws", args, { env, timeout: patience })).trim();
}

/**
 * Logs Docker in to ECR, before Pulumi builds and pushes an image. The builder uses only the logins
 * in Docker's configuration, and a missing login stops the push only after the whole build. Does
 * nothing for a registry other than ECR, or if Docker has a credential helper for the registry.
 *
 * @throws UserError if AWS gives no password, or Docker cannot be run.
 */
export async function logInToPush(repository: string, env: Env): Promise<void> {
  const [host = ""] = repository.split("/");
  const region = ecrForm.exec(host)?.[1];
  if (region === undefined || dockerConfig().credHelpers?.[host] !== undefined) return;
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
