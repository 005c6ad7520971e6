import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { command } from "../../lib/command";

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

/** Docker's configuration file, to which `docker login` and helpers write. */
function dockerConfig(): DockerConfig {
  const directory = process.env["DOCKER_CONFIG"] ?? join(homedir(), ".docker");
  const file = join(directory, "config.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as DockerConfig) : {};
}

/**
 * Header `Authorization` for a registry: from Docker's credential helper or login, or for ECR from
 * the shell's AWS role. Undefined without any of these: a registry may be public.
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
  if (region === undefined) return undefined;
  const args = ["ecr", "get-login-password", "--region", region];
  return basic("AWS", (await command("aws", args, { timeout: patience })).trim());
}
