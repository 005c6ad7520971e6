import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseEnv } from "node:util";
import { DescribeRepositoriesCommand, ECRClient } from "@aws-sdk/client-ecr";
import { execa } from "execa";
import { stringify } from "yaml";
import { company } from "../../../config/company";
import { eventually } from "../../../lib/time";
import { environment } from "../../../sandbox/environment";
import { tool, toolEnvironment } from "../../../sandbox/install/debian";
import { net, paths } from "../../../sandbox/layout";
import { containerdSocket } from "../../../sandbox/node/daemons";
import { runInNamespaces, sandboxProcesses } from "../../../sandbox/node/processes";
import { issueServerCertificate, testAuthority } from "../../../sandbox/node/test-authority";
import { EcrStandIn } from "../../operations/support/ecr-stand-in";
import { StsStandIn } from "../../operations/support/sts-stand-in";
import { freePort, type Moto } from "./moto";

const hour = 3_600_000;
const [host = ""] = company.imageRepository.split("/");
const [account = "", , , region = ""] = host.split(".");
/** Host names of AWS that resolve to the stand-ins: the registry, the API of ECR, and STS. */
const names = [host, ...["api.ecr", "sts"].map((api) => `${api}.${region}.amazonaws.com`)];
const hostsFile = join(paths.run, "hosts");

/**
 * Fixture: a stand-in for the company's registry in Amazon ECR, with the registry's host name and
 * with TLS. A new, empty registry on this machine stores the images. The platform creates the
 * repositories in moto. BuildKit, the node and the jobs reach the registry at the address that this
 * machine has in the sandbox's network. A separate hosts file contains this address, and replaces
 * /etc/hosts only for BuildKit, the node and the jobs.
 *
 * A job authenticates in the same way as in CircleCI: the job assumes its IAM role with its token,
 * and then gets a password from ECR. The job uses the real AWS CLI. The node gets a password
 * through the credential provider of the kubelet.
 */
export class PrivateRegistry {
  readonly host = host;
  readonly ecr: EcrStandIn;
  readonly sts: StsStandIn;
  /** Whether the node's IAM role has the permission `ecr:GetAuthorizationToken`. */
  nodeMayLogIn = true;
  readonly #directory = mkdtempSync(join(tmpdir(), "services-orders-ecr-"));
  #moved = 0;
  #stopStorage: () => Promise<void> = async () => Promise.resolve();

  private constructor(
    moto: Moto,
    storage: number,
    tls: { readonly cert: string; readonly key: string },
  ) {
    const now = (): number => Date.now() + this.#moved;
    const { AWS_ENDPOINT_URL: endpoint = "", AWS_ACCESS_KEY_ID: accessKeyId = "" } = moto.env;
    const credentials = { accessKeyId, secretAccessKey: accessKeyId };
    const client = new ECRClient({ credentials, endpoint, region });
    this.sts = new StsStandIn(now);
    this.ecr = new EcrStandIn({
      ...{ account, now, region, tls },
      // The node has no session here, so the stand-in recognizes the node by its address. On EKS,
      // the instance metadata service gives the node its role.
      mayLogIn: ({ headers, socket }) =>
        socket.remoteAddress === net.nodeAddress
          ? this.nodeMayLogIn
          : this.sts.isInSession(headers.authorization),
      otherService: (name, body) =>
        name.startsWith("sts.") ? this.sts.assume(new URLSearchParams(body)) : undefined,
      repositories: async () =>
        (await client.send(new DescribeRepositoriesCommand({}))).repositories ?? [],
      upstream: `http://127.0.0.1:${String(storage)}`,
    });
  }

  static async start(moto: Moto): Promise<PrivateRegistry> {
    const flag = "--image-credential-provider-config";
    if (!sandboxProcesses().some(({ commandLine }) => commandLine.includes(flag))) {
      throw new Error("older code started this sandbox: run npm run sandbox -- down, then up");
    }
    const port = await freePort();
    const certificates = mkdtempSync(join(tmpdir(), "services-orders-tls-"));
    const tls = await issueServerCertificate(names, certificates);
    rmSync(certificates, { recursive: true });
    const registry = new PrivateRegistry(moto, port, tls);
    await registry.#startStorage(port);
    await registry.ecr.start(net.outsideAddress, 443);
    const known = readFileSync("/etc/hosts", "utf8");
    writeFileSync(hostsFile, `${known}\n${net.outsideAddress} ${names.join(" ")}\n`);
    await runInNamespaces(["mount", "--bind", hostsFile, "/etc/hosts"]);
    await registry.#removePulledImages();
    registry.#prepareMachine(moto);
    return registry;
  }

  /** Starts an empty registry that accepts every request without a login. */
  async #startStorage(port: number): Promise<void> {
    const file = join(this.#directory, "registry.yml");
    const rootdirectory = join(this.#directory, "images");
    const http = { addr: `127.0.0.1:${String(port)}` };
    const config = { http, log: { level: "error" }, storage: { filesystem: { rootdirectory } } };
    writeFileSync(file, stringify({ version: "0.1", ...config }));
    const server = execa(tool("docker-registry"), ["serve", file], {
      ...{ cleanup: true, env: toolEnvironment, reject: false, stdio: "ignore" },
    });
    this.#stopStorage = async () => {
      server.kill();
      await server;
    };
    const answers = async (): Promise<boolean> =>
      (await fetch(`http://127.0.0.1:${String(port)}/v2/`)).ok;
    if (!(await eventually(answers, 30_000))) throw new Error("docker-registry does not answer");
  }

  /**
   * Prepares the machine of a job: writes the programs `bash`, `docker` and `aws` into a directory
   * of the PATH. CircleCI starts `bash` for each step. The new program `bash` runs each step with
   * the hosts file. Each job has its own token and its own configuration of Docker.
   */
  #prepareMachine({ env: { PATH = "" } }: Moto): void {
    mkdirSync(this.#bin);
    const mount = `mount --bind ${hostsFile} /etc/hosts && exec /bin/bash "$@"`;
    this.#program("bash", [
      'room=$(dirname "$BASH_ENV")',
      `[ -e "$room/token" ] || cp ${this.#token} "$room/token"`,
      '[ -z "$AWS_ROLE_ARN" ] || export AWS_WEB_IDENTITY_TOKEN_FILE="$room/token"',
      'export DOCKER_CONFIG="$room/docker"',
      `exec unshare --mount --propagation private sh -c '${mount}' bash "$@"`,
    ]);
    const script = join(import.meta.dirname, "docker-login.mjs");
    this.#program("docker", [`exec "${process.execPath}" "${script}" "$@"`]);
    // The AWS CLI stores sessions in the home directory, so each job has its own home directory.
    const aws = join(PATH.split(":").at(-1) ?? "", "aws");
    this.#program("aws", [`HOME=$(dirname "$BASH_ENV") exec ${aws} "$@"`]);
    const { NODE_EXTRA_CA_CERTS: more } = process.env;
    const others = more !== undefined && existsSync(more) ? readFileSync(more, "utf8") : "";
    writeFileSync(this.#authorities, `${others}\n${readFileSync(testAuthority, "utf8")}`);
    this.moveClock(0);
  }

  #program(name: string, lines: readonly string[]): void {
    writeFileSync(join(this.#bin, name), ["#!/bin/sh", ...lines, ""].join("\n"));
    chmodSync(join(this.#bin, name), 0o755);
  }

  get #authorities(): string {
    return join(this.#directory, "authorities.crt");
  }

  get #bin(): string {
    return join(this.#directory, "bin");
  }

  get #token(): string {
    return join(this.#directory, "token");
  }

  /**
   * Moves the clock of the stand-ins for AWS and CircleCI forward. A job that starts later gets a
   * new token.
   */
  moveClock(hours: number): void {
    this.#moved += hours * hour;
    writeFileSync(this.#token, this.sts.jobToken());
  }

  /**
   * Runs a shell script as a step of a job that has this IAM role. Returns what the script prints.
   */
  async inJob(role: string, script: string): Promise<string> {
    const room = mkdtempSync(join(this.#directory, "job-"));
    const BASH_ENV = join(room, "bash-environment");
    writeFileSync(BASH_ENV, "");
    const env = { ...this.env, ...parseEnv(this.role(role)), BASH_ENV };
    const { all } = await execa(join(this.#bin, "bash"), ["-c", script], {
      ...{ all: true, env, reject: false, timeout: 60_000 },
    });
    return all;
  }

  /**
   * Environment variables for the commands of a test. SANDBOX_REGISTRY is empty, so that the
   * commands use the registry of the settings.
   */
  get env(): Record<string, string> {
    return {
      AWS_EC2_METADATA_DISABLED: "true",
      NODE_EXTRA_CA_CERTS: this.#authorities,
      PATH: `${this.#bin}:${environment()["PATH"] ?? ""}`,
      SANDBOX_REGISTRY: "",
      SSL_CERT_DIR: `/etc/ssl/certs:${dirname(testAuthority)}`,
    };
  }

  /** Environment variables of the context with this IAM role, one variable in each line. */
  role(name: string): string {
    const variables = {
      AWS_CA_BUNDLE: testAuthority,
      AWS_REGION: region,
      AWS_ROLE_ARN: `arn:aws:iam::${account}:role/services-orders-${name}`,
      AWS_ROLE_SESSION_NAME: "job",
    };
    const lines = Object.entries(variables).map(([key, value]) => `${key}=${value}\n`);
    return lines.join("");
  }

  /** Removes all images of this registry from the node. */
  async #removePulledImages(): Promise<void> {
    const ctr = [tool("ctr"), "--address", containerdSocket, "--namespace", "k8s.io", "images"];
    const all = (await runInNamespaces([...ctr, "list", "--quiet"])).split("\n");
    const pulled = all.filter((name) => name.startsWith(`${host}/`));
    if (pulled.length > 0) await runInNamespaces([...ctr, "remove", ...pulled]);
  }

  async stop(): Promise<void> {
    await this.#removePulledImages();
    await runInNamespaces(["umount", "/etc/hosts"]);
    await this.ecr.stop();
    await this.#stopStorage();
    rmSync(this.#directory, { force: true, recursive: true });
  }
}
