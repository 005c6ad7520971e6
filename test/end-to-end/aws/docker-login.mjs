// A fixture that replaces `docker login`, because Docker may not be installed on the test machine.
// Like Docker, the fixture asks the registry whether the password is valid, and writes the password
// into Docker's configuration: https://docs.docker.com/reference/cli/docker/login/
//
// The fixture does not support other Docker commands, credential helpers or Bearer tokens.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [command, ...args] = process.argv.slice(2);
const username = args[args.indexOf("--username") + 1];
const host = args.at(-1);
if (command !== "login" || !args.includes("--password-stdin") || username === undefined) {
  throw new Error(`this fixture has only "docker login --username NAME --password-stdin HOST"`);
}
let password = "";
for await (const chunk of process.stdin) password += chunk;
const auth = Buffer.from(`${username}:${password.trim()}`).toString("base64");

const answer = await fetch(`https://${host}/v2/`, {
  headers: { Authorization: `Basic ${auth}` },
  signal: AbortSignal.timeout(20_000),
});
if (answer.status !== 200) {
  const status = `${answer.status} ${answer.statusText}`;
  console.error(
    `Error response from daemon: login attempt to https://${host}/v2/ failed with status: ${status}`,
  );
  process.exit(1);
}
const directory = process.env.DOCKER_CONFIG;
const file = join(directory, "config.json");
mkdirSync(directory, { recursive: true });
const { auths = {}, ...rest } = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
const config = { ...rest, auths: { ...auths, [host]: { auth } } };
writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
console.log("Login Succeeded");
