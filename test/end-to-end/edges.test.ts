import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { builtFrom, contentHash } from "../../components/conventions/content-hash";
import { labels } from "../../components/conventions/labels";
import { project } from "../../lib/project";
import { command } from "../../lib/command";
import type { Row } from "../../operations/doctor/finding";
import { namespacedRules, readNamespaces } from "../../platform/cluster-roles";
import { identityOf } from "../../settings/identity";
import { environment as shell } from "../../sandbox/environment";
import { paths, registryName, root } from "../../sandbox/layout";
import { startTime } from "../../lib/processes";
import { buildService } from "../../tools/build";
import { CLOSED_PORT, ClosedRoom, TAKEN_PORT } from "./support/closed-room";
import { copyOfProject } from "./support/commands";

// Most tests make a mistake, or remove something that a command needs, such as a program or disk
// space. In each of these cases, the command must print one line that describes the solution, and
// must change nothing.

/**
 * A user id without an entry in /etc/passwd, so that every program uses HOME as its home directory.
 */
const ORDINARY_USER = 60_001;
/**
 * Timeout of a command, in milliseconds. Every command normally ends much earlier, so the timeout
 * stops only a command that hangs.
 */
const HUNG_MS = 600_000;

/**
 * The beginning of a command line that runs a program as an ordinary user. The project may be in a
 * directory that only root can read. So this user has the permission to read every file, but no
 * additional permission to write files.
 */
const asOrdinaryUser = [
  ...[
    "setpriv",
    `--reuid=${String(ORDINARY_USER)}`,
    `--regid=${String(ORDINARY_USER)}`,
    "--clear-groups",
  ],
  ...["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search", "--"],
];

/** Runs kubectl on the cluster of the running sandbox. */
const kubectl = (...args: string[]): Promise<string> => command("kubectl", args, { env: shell() });

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  cwd = project,
): Promise<Ran> {
  const [file = "", ...args] = argv;
  const child = spawn(file, args, {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: HUNG_MS,
    killSignal: "SIGKILL",
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

/** Lists every file below a directory, with its mode, its size and the time of its last change. */
function filesOf(directory: string): string[] {
  return (existsSync(directory) ? (readdirSync(directory, { recursive: true }) as string[]) : [])
    .sort()
    .map((file) => {
      const { mode, mtimeMs, size } = lstatSync(join(directory, file));
      return `${file} ${String(mode)} ${String(size)} ${String(mtimeMs)}`;
    });
}

function processesWith(text: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return commandLine.includes(text) ? [`${pid} ${commandLine}`] : [];
      } catch {
        return [];
      }
    });
}

/**
 * Fills `directory` with links to all programs in the PATH, except the programs in `hidden`.
 * Returns `directory`, so that a test can use this directory as the PATH.
 */
function programsWithout(directory: string, ...hidden: readonly string[]): string {
  mkdirSync(directory);
  for (const at of (process.env["PATH"] ?? "").split(":").filter((path) => existsSync(path))) {
    for (const program of readdirSync(at).filter((name) => !hidden.includes(name))) {
      if (!existsSync(join(directory, program)) && existsSync(join(at, program))) {
        symlinkSync(join(at, program), join(directory, program));
      }
    }
  }
  return directory;
}

const oneLine = (text: string): string => {
  assert.match(text, /^[^\n]+\n$/, "it is not one line");
  return text.trimEnd();
};

describe("at the edges", () => {
  let room: ClosedRoom;
  let files: string;
  let home: string;
  let sandbox: string;
  let stopped: string;

  before(async () => {
    assert.equal(process.getuid?.(), 0, "these tests need root, as the sandbox does");
    // The last tests use the engine and the cluster of this machine's sandbox. If this sandbox
    // already runs, `sandbox up` changes nothing.
    const { code, stdout, stderr } = await run(
      [process.execPath, "cli/entry.mjs", "sandbox", "up"],
      process.env,
    );
    assert.equal(code, 0, `${stdout}${stderr}`);
    room = await ClosedRoom.open();
  });
  after(async () => {
    await room.close();
  });
  beforeEach(() => {
    files = mkdtempSync(join(tmpdir(), "services-orders-edges-"));
    chmodSync(files, 0o755);
    home = join(files, "home");
    mkdirSync(home);
    sandbox = join(files, "sandbox");
    // One of the command's checks must stop the set-up. If no check stops the set-up, these
    // stand-ins for apt-get and Go make the set-up fail at its first package or build. Without the
    // stand-ins, the set-up would take half an hour.
    stopped = join(files, "stopped");
    mkdirSync(stopped);
    writeFileSync(join(stopped, "apt-get"), '#!/bin/sh\necho "the set-up has begun"\nexit 1\n', {
      mode: 0o755,
    });
    writeFileSync(join(stopped, "go"), '#!/bin/sh\n[ "$1" = env ] && echo go1.26.0\n', {
      mode: 0o755,
    });
  });
  afterEach(() => {
    rmSync(files, { force: true, recursive: true });
  });

  const environment = (
    more: Readonly<Record<string, string | undefined>> = {},
  ): Record<string, string | undefined> => ({
    ...process.env,
    HOME: home,
    PATH: `${stopped}:${process.env["PATH"] ?? ""}`,
    SANDBOX_DIR: sandbox,
    SANDBOX_DOWNLOAD_MIRROR: `http://127.0.0.1:${String(CLOSED_PORT)}`,
    ...more,
  });

  const machineNow = (): Record<string, unknown> => ({
    room: room.state(),
    home: filesOf(home),
    sandbox: filesOf(sandbox),
    mounts: readFileSync("/proc/self/mounts", "utf8"),
    interfaces: readFileSync("/proc/self/net/dev", "utf8").replace(/:.*$/gm, ""),
    processes: processesWith(files),
  });

  /**
   * Runs a command that must fail and must change nothing. Returns the line that the command
   * prints.
   */
  async function refused(
    args: readonly string[],
    env: Readonly<Record<string, string | undefined>> = {},
    through: readonly string[] = [],
  ): Promise<string> {
    const was = machineNow();
    const entry = [process.execPath, join(project, "cli", "entry.mjs")];
    const { code, stderr, stdout } = await run(
      [...room.enter, ...through, ...entry, ...args],
      environment(env),
    );
    assert.equal(code, 1, `${stdout}${stderr}`);
    const line = oneLine(stderr);
    assert.equal(stdout, "", "it had begun");
    assert.deepEqual(machineNow(), was);
    return line;
  }

  const up = ["sandbox", "up", "--ingress-port", "18082", "--registry-port", "15000"];

  it("says that root is needed to whoever is not", async () => {
    chmodSync(files, 0o777);
    chmodSync(home, 0o777);
    const readable = await run(
      [...asOrdinaryUser, "cat", join(project, "cli", "main.ts")],
      environment(),
    );
    assert.equal(readable.code, 0, readable.stderr);
    for (const args of [up, ["up"]]) {
      assert.equal(
        await refused(args, { TMPDIR: files }, asOrdinaryUser),
        "the sandbox makes namespaces, mounts and a network interface, so root must start it; run the command again with sudo, or use a cluster that you have: npm run up -- --context NAME --registry ADDRESS",
      );
    }
  });

  describe("a port that another program has", () => {
    for (const [flag, what] of [
      ["--ingress-port", "ingress controller"],
      ["--registry-port", "registry"],
    ] as const) {
      it(`is named for the ${what}, with a way to choose another`, async () => {
        const line = await refused([...up, flag, String(TAKEN_PORT)]);
        assert.match(
          line,
          new RegExp(
            `^port ${String(TAKEN_PORT)} on 127\\.0\\.0\\.1, for the sandbox's ${what}, is used by another program`,
          ),
        );
        assert.match(line, new RegExp(`choose another port: npm run sandbox -- up ${flag} 28080$`));
      });
    }

    it("does not matter for what is not started", async () => {
      const kubeconfig = kubeconfigOf(CLOSED_PORT);
      const line = await refused([
        ...["sandbox", "up", "--kubeconfig", kubeconfig, "--registry", "localhost:5000"],
        ...["--ingress-port", String(TAKEN_PORT), "--registry-port", String(TAKEN_PORT)],
      ]);
      assert.match(line, /does not answer/);
    });
  });

  it("says that Go is missing before it sets up anything, when a part has no download", async () => {
    const line = await refused(up, { PATH: programsWithout(join(files, "bin"), "go", "gofmt") });
    assert.match(
      line,
      /^the sandbox cannot download \S.* \(.+\), and cannot build it without Go; install Go 1\.26 or newer/,
    );
    assert.match(line, /run the command again$/);
  });

  it("says which directory must have how much space, and how much it has", async () => {
    mkdirSync(sandbox);
    await command("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", sandbox]);
    // A new mount is not visible in a room that already exists, so the test creates another room.
    const small = await ClosedRoom.open();
    const whole = room;
    room = small;
    try {
      const line = await refused(up);
      assert.match(
        line,
        /must have \d+ GiB free, it has 0\.1; free some space, or set SANDBOX_DIR to a directory on a larger disk$/,
      );
      assert.equal(line.startsWith(`${sandbox} `), true, line);
    } finally {
      room = whole;
      await small.close();
      await command("umount", [sandbox]);
    }
  });

  describe("a sandbox that another command is starting", () => {
    const lock = (): string => join(sandbox, "lock");

    /** Starts a command that holds the lock until the test kills the command. */
    async function holder(): Promise<{ pid: number; kill: () => Promise<void> }> {
      const code = `
        const { exclusively } = await import(${JSON.stringify(join(project, "sandbox", "preflight.ts"))});
        await exclusively("sandbox up", async () => {
          console.log("held");
          await new Promise((resolve) => setTimeout(resolve, ${String(HUNG_MS)}));
        });`;
      const child = spawn(
        process.execPath,
        ["--import", "tsx", "--input-type=module", "-e", code],
        {
          cwd: project,
          env: environment(),
          stdio: ["ignore", "pipe", "inherit"],
        },
      );
      const [said] = (await once(child.stdout, "data")) as [Buffer];
      assert.equal(said.toString("utf8").trim(), "held");
      return {
        pid: child.pid ?? 0,
        kill: async () => {
          const ended = once(child, "exit");
          child.kill("SIGKILL");
          await ended;
        },
      };
    }

    it("is left to that command, which is named", async () => {
      const { kill, pid } = await holder();
      try {
        for (const args of [up, ["sandbox", "down"]]) {
          assert.equal(
            await refused(args),
            `another command is working on the sandbox (sandbox up, process ${String(pid)}); wait until that command has ended, then run this command again`,
          );
        }
      } finally {
        await kill();
      }
    });

    it("is free again after that command was killed", async () => {
      const { kill } = await holder();
      await kill();
      assert.equal(existsSync(lock()), true);
      // After the kill, the checks succeed. The set-up begins, and fails at the stand-in for
      // apt-get.
      const { code, stderr, stdout } = await run(
        [...room.enter, process.execPath, join(project, "cli", "entry.mjs"), ...up],
        environment(),
      );
      assert.equal(code, 1);
      assert.match(stdout, /^\[1\/\d+\] Debian packages/, stderr);
      assert.equal(existsSync(lock()), false);
    });

    it("is free, too, when another program has got the command's process id since", async () => {
      mkdirSync(sandbox);
      writeFileSync(lock(), JSON.stringify({ pid: process.pid, started: "1", what: "sandbox up" }));
      assert.notEqual(startTime(process.pid), "1");
      const { code, stderr } = await run(
        [process.execPath, "cli/entry.mjs", "sandbox", "down"],
        environment(),
      );
      assert.equal(code, 0, stderr);
      assert.equal(existsSync(lock()), false);
    });
  });

  function kubeconfigOf(port: number): string {
    const path = join(files, "kubeconfig");
    const server = `https://127.0.0.1:${String(port)}`;
    writeFileSync(
      path,
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "there", cluster: { server } }],
        contexts: [{ name: "there", context: { cluster: "there", user: "me" } }],
        "current-context": "there",
        users: [{ name: "me", user: { token: "none" } }],
      }),
    );
    return path;
  }

  describe("your own cluster", () => {
    const given = (kubeconfig: string): string[] => [
      ...["sandbox", "up", "--kubeconfig", kubeconfig, "--registry", "localhost:5000"],
    ];

    it("that refuses connections is named with its address", async () => {
      const kubeconfig = kubeconfigOf(CLOSED_PORT);
      const line = await refused(given(kubeconfig));
      assert.equal(
        line.startsWith(
          `the cluster of ${kubeconfig} at https://127.0.0.1:${String(CLOSED_PORT)} does not answer: `,
        ),
        true,
        line,
      );
      assert.match(line, new RegExp(`127\\.0\\.0\\.1:${String(CLOSED_PORT)}`));
      assert.match(line, /check its address and your access, and run the command again$/);
    });

    it("that takes connections and never answers is given up, and named with its address", async () => {
      const line = await refused(given(kubeconfigOf(TAKEN_PORT)));
      assert.match(line, /does not answer: /);
      assert.match(line, new RegExp(`127\\.0\\.0\\.1:${String(TAKEN_PORT)}`));
    });

    it("whose context does not exist is refused by name", async () => {
      const line = await refused([...given(kubeconfigOf(CLOSED_PORT)), "--context", "elsewhere"]);
      assert.match(line, /\(context elsewhere\) does not answer: .*elsewhere.* does not exist/);
    });

    it("and your own registry that refuses connections is named with its address", async () => {
      const registry = `localhost:${String(CLOSED_PORT)}`;
      assert.equal(
        await refused(["sandbox", "up", "--registry", registry]),
        `the registry ${registry} does not answer at http://${registry}/v2/; check its name, and run the command again`,
      );
    });

    it("is not exchanged for another one while its sandbox runs, which continues with the first", async () => {
      // Links the parts of this machine's sandbox, so that the command does not build them again.
      mkdirSync(sandbox);
      for (const shared of ["parts", "debian", "images.json"]) {
        symlinkSync(join(root, shared), join(sandbox, shared));
      }
      const entry = [process.execPath, "cli/entry.mjs", "sandbox"];
      const own = { ...process.env, SANDBOX_DIR: sandbox };
      const start = async (kubeconfig: string, context: string): Promise<Ran> => {
        const chosen = ["--kubeconfig", kubeconfig, "--context", context];
        return run([...entry, "up", ...chosen, "--registry", registryName()], own);
      };
      const context = await kubectl("config", "current-context");
      const other = join(files, "kubeconfig");
      writeFileSync(other, await kubectl("config", "view", "--raw", "--flatten"), { mode: 0o600 });
      await kubectl("--kubeconfig", other, "config", "rename-context", context, "elsewhere");
      try {
        const first = await start(paths.kubeconfig, context);
        assert.equal(first.code, 0, `${first.stdout}${first.stderr}`);
        const chosen = (): string[] =>
          ["given.kubeconfig", "options.json"].map((file) =>
            readFileSync(join(sandbox, file), "utf8"),
          );
        const was = chosen();
        const { code, stderr, stdout } = await start(other, "elsewhere");
        assert.equal(code, 1, stdout);
        assert.equal(
          oneLine(stderr),
          "the sandbox already runs with other options; stop it with npm run sandbox -- down, then run this command again",
        );
        assert.deepEqual(chosen(), was);
      } finally {
        const { code, stderr } = await run([...entry, "down"], own);
        assert.equal(code, 0, stderr);
      }
    });

    it("needs a registry, too", async () => {
      assert.equal(
        await refused(["sandbox", "up", "--kubeconfig", kubeconfigOf(CLOSED_PORT)]),
        "--kubeconfig needs --registry <name>: your cluster cannot pull images from the sandbox's registry",
      );
    });
  });

  describe("your own cluster, without the sandbox", () => {
    const namespace = `edges-own-${String(process.pid)}`;
    let copy: string;
    let bin: string;
    let builder: Server;

    /**
     * A stand-in for Docker's client, as a shell script. The stand-in answers only the commands
     * that the checks run. Pulumi's provider builds the image itself, with the builder in
     * BUILDX_CONFIG.
     */
    const docker = `#!/bin/sh
case "$*" in
  --version | "buildx version") echo v0 ;;
  "buildx inspect") echo "Status: running" ;;
  *) echo "this stand-in does not know: $*" >&2; exit 64 ;;
esac
`;

    before(async () => {
      // Only root can open the socket of the sandbox's BuildKit. This server forwards connections
      // to this socket, so that BuildKit is a remote builder for the ordinary user.
      builder = createServer((client) => {
        const socket = connect(paths.buildkitSocket);
        client.pipe(socket).pipe(client);
        for (const end of [client, socket]) end.on("error", () => client.destroy());
      });
      await new Promise<void>((resolve) => builder.listen(0, "127.0.0.1", resolve));
    });
    after(() => {
      builder.close();
    });
    beforeEach(async () => {
      copy = copyOfProject();
      await buildService(() => undefined, copy);
      // The namespace and the host differ from the namespace and the host of this machine's stack
      // `local`.
      const config = { hostPattern: "edges-own.{domain}", namespace, replicas: "1" };
      const lines = Object.entries(config).map(
        ([key, value]) => `  services-orders:${key}: "${value}"\n`,
      );
      appendFileSync(join(copy, "Pulumi.local.yaml"), `config:\n${lines.join("")}`);
      bin = join(files, "bin");
      mkdirSync(bin);
      writeFileSync(join(bin, "docker"), docker, { mode: 0o755 });
      mkdirSync(join(home, ".kube"));
      writeFileSync(join(home, ".kube", "config"), await twoContexts(), { mode: 0o600 });
      const plugins = join(home, ".pulumi", "plugins");
      mkdirSync(plugins, { recursive: true });
      for (const plugin of readdirSync(join(paths.pulumiHome, "plugins"))) {
        if (!/^resource-(?:kubernetes|docker-build)-v[\d.]+$/.test(plugin)) continue;
        // Pulumi ignores a plugin's directory that is a symbolic link.
        mkdirSync(join(plugins, plugin));
        const program = plugin.replace(/^resource-(.*)-v.*$/, "pulumi-resource-$1");
        const built = join(paths.pulumiHome, "plugins", plugin, program);
        symlinkSync(built, join(plugins, plugin, program));
      }
      const instances = join(home, "buildx", "instances");
      mkdirSync(instances, { recursive: true });
      const Endpoint = `tcp://127.0.0.1:${String((builder.address() as AddressInfo).port)}`;
      const unset = { Platforms: null, DriverOpts: null, Flags: null, Files: null };
      const Nodes = [{ Name: "there0", Endpoint, ...unset }];
      const remote = { Name: "there", Driver: "remote", Nodes, Dynamic: false };
      writeFileSync(join(instances, "there"), JSON.stringify(remote));
      mkdirSync(join(files, "tmp"));
      await command("chown", [
        "-hR",
        `${String(ORDINARY_USER)}:${String(ORDINARY_USER)}`,
        files,
        copy,
      ]);
    });
    afterEach(async () => {
      rmSync(copy, { force: true, recursive: true });
      await kubectl("delete", "namespace", namespace, "--ignore-not-found");
    });

    /**
     * Returns a kubeconfig with the context `dev`. The current context of the kubeconfig has no
     * cluster.
     */
    async function twoContexts(): Promise<string> {
      const own = JSON.parse(
        await kubectl("config", "view", "--raw", "--flatten", "-o", "json"),
      ) as { contexts: { context: object; name: string }[] };
      const [sandboxes] = own.contexts;
      assert.ok(sandboxes);
      const nowhere = { cluster: "nowhere", user: "none" };
      return JSON.stringify({
        ...own,
        contexts: [
          { context: nowhere, name: "production" },
          { ...sandboxes, name: "dev" },
        ],
        "current-context": "production",
      });
    }

    const asUser = (...args: readonly string[]): Promise<Ran> => {
      const { PATH, SANDBOX_BASE_IMAGE, SANDBOX_POSTGRES_IMAGE } = shell();
      const env = {
        BUILDX_BUILDER: "there",
        BUILDX_CONFIG: join(home, "buildx"),
        HOME: home,
        PATH: `${bin}:${PATH ?? ""}`,
        SANDBOX_BASE_IMAGE,
        SANDBOX_POSTGRES_IMAGE,
        TMPDIR: join(files, "tmp"),
        USER: "ordinary",
      };
      return run(
        [...asOrdinaryUser, process.execPath, join(copy, "cli", "entry.mjs"), ...args],
        env,
        copy,
      );
    };

    it("gets stack local from an ordinary user, and changes nothing before the user has confirmed it", async () => {
      const chosen = ["up", "--context", "dev", "--registry", registryName()];
      const first = await asUser(...chosen);
      assert.equal(first.code, 1, first.stdout);
      assert.match(
        oneLine(first.stderr),
        /^No terminal to confirm on\. Pass --yes to change the cluster of context "dev"/,
      );
      assert.equal(existsSync(join(copy, ".own-cluster")), false);
      assert.equal(await kubectl("get", "namespace", namespace, "--ignore-not-found"), "");

      const { code, stderr, stdout } = await asUser(...chosen, "--yes");
      assert.equal(code, 0, `${stdout}${stderr}`);
      assert.match(stdout, /^Cluster: context "dev" at https:\/\/\S+\. Registry: \S+$/m);
      const forward = new RegExp(
        `^ +kubectl --context 'dev' --namespace ${namespace} port-forward service/services-orders 8080:80$`,
        "m",
      );
      assert.match(stdout, forward);
      assert.deepEqual(readdirSync(home).sort(), [".kube", ".pulumi", "buildx"]);

      // The commands after `up` find the cluster, even if no option names the cluster.
      const status = await asUser("status", "local");
      assert.equal(status.code, 0, status.stderr);
      assert.match(status.stdout, new RegExp(`^Stack local in namespace ${namespace} `));
      assert.match(status.stdout, /^ +pods +1 of 1 ready$/m);

      const down = await asUser("down");
      assert.equal(down.code, 0, `${down.stdout}${down.stderr}`);
      assert.equal(await kubectl("get", "namespace", namespace, "--ignore-not-found"), "");
    });
  });

  for (const value of ["80", "65536", "8080.5", "http", ""]) {
    it(`refuses "${value}" as a port, and says what one is`, async () => {
      const line = await refused(["sandbox", "up", "--ingress-port", value]);
      assert.match(line, /--ingress-port.* A port must be an integer from 1024 to 65535\.$/);
    });
  }

  const filesOfLevel = (directory: string): string[] =>
    existsSync(directory) ? readdirSync(directory) : ["none"];

  for (const hidden of ["/var/services-orders-edges", "/run/services-orders-edges", "/var"]) {
    it(`refuses SANDBOX_DIR=${hidden}, over which it mounts its own`, async () => {
      const was = filesOfLevel(hidden);
      const line = await refused(up, { SANDBOX_DIR: hidden });
      assert.match(
        line,
        new RegExp(
          `^SANDBOX_DIR must not be in /(var|run), got "${hidden}"; choose a directory outside /var, /run, /proc and /sys$`,
        ),
      );
      assert.deepEqual(filesOfLevel(hidden), was);
    });
  }

  it("refuses a second sandbox next to the one that runs, which continues", async () => {
    const was = machineNow();
    const { code, stderr, stdout } = await run(
      [process.execPath, "cli/entry.mjs", ...up],
      environment(),
    );
    assert.equal(code, 1, stdout);
    assert.match(
      oneLine(stderr),
      /^another sandbox runs on this machine \(.*\), and its SANDBOX_DIR is not .*; stop that sandbox first: /,
    );
    assert.deepEqual(machineNow(), was);
    assert.equal(await kubectl("get", "--raw", "/readyz"), "ok");
  });

  describe("before anything was set up", () => {
    const entry = [process.execPath, "cli/entry.mjs"];
    // Returns an environment without SANDBOX_DIR. The sandbox's directory is then below the empty
    // directory `home`.
    const nothing = (): Record<string, string | undefined> =>
      environment({ SANDBOX_DIR: undefined });

    it("the status is that nothing runs, with the command that starts it, and exit code 1", async () => {
      const { code, stderr, stdout } = await run([...entry, "sandbox", "status"], nothing());
      assert.equal(code, 1);
      assert.equal(stderr, "");
      assert.match(
        oneLine(stdout),
        /^FAIL {2}sandbox +not running; start it with: npm run sandbox -- up$/,
      );
      assert.deepEqual(readdirSync(home), []);
    });

    for (const args of [
      ["sandbox", "down"],
      ["down"],
      ["sandbox", "reset"],
      ["sandbox", "reset", "--everything"],
    ]) {
      it(`"${args.join(" ")}" has nothing to do, and makes nothing`, async () => {
        const was = machineNow();
        const { code, stderr } = await run([...entry, ...args], nothing());
        assert.equal(code, 0, stderr);
        assert.equal(stderr, "");
        assert.deepEqual(machineNow(), was);
        assert.deepEqual(readdirSync(home), []);
      });
    }

    it("there is no environment for a shell: one line says what to run", async () => {
      const { code, stderr, stdout } = await run([...entry, "sandbox", "env"], nothing());
      assert.equal(code, 1);
      assert.equal(stdout, "", "a shell would evaluate it");
      assert.match(oneLine(stderr), /npm run sandbox -- up$/);
      assert.deepEqual(readdirSync(home), []);
    });
  });

  describe("the doctor", () => {
    const namespace = "services-orders-review-doctor";
    const person = "doctor-person";
    let state: string;

    /**
     * Runs the doctor with an empty state. Returns the exit code, the result's rows by the name of
     * their check, and the rows with the status `wrong`.
     */
    async function doctor(stack: string, env: Readonly<Record<string, string>> = {}) {
      const started = Date.now();
      const { code, stderr, stdout } = await run(
        [process.execPath, "cli/entry.mjs", "doctor", stack, "--json"],
        { ...process.env, ...shell(), PULUMI_BACKEND_URL: `file://${state}`, ...env },
      );
      const seconds = (Date.now() - started) / 1000;
      console.log(`      doctor in ${seconds.toFixed(1)} s`);
      assert.ok(seconds < 30, String(seconds));
      assert.match(stderr, /^Checking stack .*, at most 30 s \.\.\.\n$/);
      const { rows } = JSON.parse(stdout) as { readonly rows: readonly Row[] };
      const wrong = rows.filter(({ status }) => status === "wrong");
      return { code, rows: new Map(rows.map((row) => [row.check, row])), wrong };
    }

    before(() => {
      state = mkdtempSync(join(tmpdir(), "services-orders-doctor-"));
    });
    after(() => {
      rmSync(state, { force: true, recursive: true });
    });

    it("finds nothing wrong in the sandbox", async () => {
      const { code, rows, wrong } = await doctor("local");
      assert.deepEqual(wrong, []);
      assert.equal(code, 0);
      assert.match(rows.get("kubectl")?.text ?? "", /^v1\.\d+\.\d+, the cluster has v1\./);
      assert.match(rows.get("clock")?.text ?? "", /^agrees/);
    });

    it("names a cluster that does not answer, and asks everything else", async () => {
      const { code, rows, wrong } = await doctor("local", {
        KUBECONFIG: kubeconfigOf(CLOSED_PORT),
      });
      assert.equal(code, 1);
      assert.deepEqual(
        wrong.map(({ check }) => check),
        ["cluster"],
      );
      assert.match(wrong[0]?.text ?? "", new RegExp(`127\\.0\\.0\\.1:${String(CLOSED_PORT)}`));
      assert.equal(rows.get("registry")?.status, "ok");
      assert.equal(rows.get("secrets")?.text, "the cluster does not answer");
    });

    it("asks as the person who runs it, and says what this person may not do or ask", async () => {
      const role = (kind: "ClusterRole" | "Role", rules: object) => [
        { kind, metadata: { name: person, namespace }, rules },
        {
          kind: `${kind}Binding`,
          metadata: { name: person, namespace },
          roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name: person },
          subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: person }],
        },
      ];
      const labelled = labels(identityOf("review", "doctor"), "namespace");
      const volumes = [{ name: "partner", secret: { secretName: "partner" } }];
      const template = {
        metadata: { labels: { app: "doctor" } },
        spec: { containers: [{ image: "none", name: "none" }], volumes },
      };
      const items = [
        { apiVersion: "v1", kind: "Namespace", metadata: { labels: labelled, name: namespace } },
        ...[...role("ClusterRole", readNamespaces), ...role("Role", namespacedRules.preview)].map(
          (object) => ({ apiVersion: "rbac.authorization.k8s.io/v1", ...object }),
        ),
        {
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata: { name: "doctor", namespace },
          spec: { replicas: 0, selector: { matchLabels: { app: "doctor" } }, template },
        },
      ];
      const objects = join(files, "objects.json");
      writeFileSync(objects, JSON.stringify({ apiVersion: "v1", items, kind: "List" }));
      const kubeconfig = join(files, "kubeconfig");
      const admin = JSON.parse(
        await kubectl("config", "view", "--raw", "--flatten", "--output", "json"),
      ) as { readonly users: readonly { readonly user: object }[] };
      const users = admin.users.map((one) => ({ ...one, user: { ...one.user, as: person } }));
      writeFileSync(kubeconfig, JSON.stringify({ ...admin, users }), { mode: 0o600 });
      try {
        await kubectl("apply", "--filename", objects);
        const { code, rows, wrong } = await doctor("review-doctor", { KUBECONFIG: kubeconfig });
        assert.deepEqual(wrong, []);
        assert.equal(code, 0);
        assert.match(
          rows.get("permissions")?.text ?? "",
          /^this role may read the stack, but not read logs \(get pods\/log\), run .*, deploy \(create /,
        );
        assert.equal(rows.get("secrets")?.status, "unknown");
        assert.match(rows.get("secrets")?.text ?? "", /may not ask .*: partner$/);
      } finally {
        await kubectl("delete", "--filename", objects, "--ignore-not-found", "--wait=false");
      }
    });
  });

  describe("a build of the service", () => {
    let copy: string;
    before(() => {
      copy = copyOfProject();
      rmSync(join(copy, "service", "target"), { force: true, recursive: true });
    });
    after(() => {
      rmSync(copy, { force: true, recursive: true });
    });
    const built = (): string | undefined => builtFrom(join(copy, "service", "target", "image"));

    it("that Maven refuses shows Maven's own error with file and line, and leaves no jar", async () => {
      const broken = join(copy, "service", "src", "main", "java", "Broken.java");
      writeFileSync(broken, "class Broken {\n  int value = ;\n}\n");
      const { code, stderr, stdout } = await run(["npm", "run", "build"], process.env, copy);
      rmSync(broken);
      assert.equal(code, 1, stdout);
      assert.match(
        stderr,
        /Maven failed to build the service; nothing was deployed\. Its errors:\n/,
      );
      assert.match(stderr, /^\[ERROR\] .*Broken\.java:\[2,15\] illegal start of expression$/m);
      assert.doesNotMatch(stderr, /^ {4}at /m, "a stack trace");
      assert.equal(built(), undefined);
    });

    it("without Maven says what to install", async () => {
      const { code, stderr } = await run(
        [process.execPath, "cli/entry.mjs", "build"],
        environment({ PATH: programsWithout(join(files, "bin"), "mvn") }),
        copy,
      );
      assert.equal(code, 1);
      assert.match(
        oneLine(stderr),
        /^Maven could not be run \(.*\); install Maven 3\.8 or newer with Java 17$/,
      );
      assert.equal(built(), undefined);
    });
  });

  describe("plain pulumi", () => {
    let copy: string;
    let state: string;
    let env: Record<string, string>;

    before(async () => {
      // Pulumi gets the variables that `sandbox env` prints, and a separate state. So Pulumi cannot
      // reach the real stack.
      const script = 'eval "$(node cli/entry.mjs sandbox env)" && env -0';
      const { code, stderr, stdout } = await run(["sh", "-c", script], process.env);
      assert.equal(code, 0, stderr);
      const variables = stdout.split("\0").filter((line) => line.includes("="));
      env = Object.fromEntries(
        variables.map((line) => [
          line.slice(0, line.indexOf("=")),
          line.slice(line.indexOf("=") + 1),
        ]),
      );
      assert.equal(basename(env["KUBECONFIG"] ?? ""), "admin.kubeconfig");
      state = mkdtempSync(join(tmpdir(), "services-orders-state-"));
      env["PULUMI_BACKEND_URL"] = `file://${state}`;
    });
    after(() => {
      rmSync(state, { force: true, recursive: true });
    });
    beforeEach(async () => {
      copy = copyOfProject();
      rmSync(join(copy, "service", "target"), { force: true, recursive: true });
      rmSync(join(copy, "Pulumi.local.yaml"), { force: true });
      await pulumi("stack", "init", "local");
    });
    afterEach(async () => {
      await pulumi("stack", "rm", "local", "--yes", "--force");
      rmSync(copy, { force: true, recursive: true });
    });

    async function plain(...args: string[]): Promise<Ran> {
      return run(["pulumi", ...args, "--non-interactive"], env, copy);
    }
    async function pulumi(...args: string[]): Promise<void> {
      const { code, stderr } = await plain(...args);
      assert.equal(code, 0, stderr);
    }
    const resources = (): number => {
      const path = join(state, ".pulumi", "stacks", "services-orders", "local.json");
      const { checkpoint } = JSON.parse(readFileSync(path, "utf8")) as {
        checkpoint: { latest?: { resources?: unknown[] } };
      };
      return (checkpoint.latest?.resources ?? []).length;
    };

    it("says what to run when the service was never built", async () => {
      await pulumi(
        "config",
        "set",
        "services-orders:namespace",
        `edges-${String(process.pid)}-none`,
      );
      const { code, stdout } = await plain("preview");
      assert.notEqual(code, 0);
      const said = stdout.split("\n").filter((line) => /^ +error: /.test(line));
      assert.equal(said.length, 1, stdout);
      assert.match(
        said[0] ?? "",
        /ContainerImage "image": service\/target\/image must hold the service's jars, got "nothing"; run "npm run build"$/,
      );
      assert.doesNotMatch(stdout, /^ +at .*:\d+:\d+/m, "a stack trace");
    });

    it("leaves a namespace with the same name that belongs to someone else as it is", async () => {
      // Creates an empty jar for the copy's changed code, so that the update does not stop because
      // of a missing jar. The real stack never runs this code.
      writeFileSync(join(copy, "service", "src", "main", "resources", "not-the-real-one"), "");
      const image = join(copy, "service", "target", "image");
      mkdirSync(image, { recursive: true });
      writeFileSync(join(image, `services-orders-${contentHash(copy)}.jar`), "");
      const namespace = `edges-${String(process.pid)}`;
      await kubectl("create", "namespace", namespace);
      try {
        const now = async (): Promise<string> =>
          kubectl(
            "get",
            "namespace",
            namespace,
            "-o",
            "jsonpath={.metadata.resourceVersion} {.metadata.labels}",
          );
        const was = await now();
        await pulumi("config", "set", "services-orders:namespace", namespace);
        for (const args of [["preview"], ["up", "--yes", "--skip-preview"]]) {
          const { code, stdout } = await plain(...args);
          assert.notEqual(code, 0, stdout);
          const said = stdout.split("\n").filter((line) => /^ +error: /.test(line));
          assert.equal(said.length, 1, stdout);
          assert.match(
            said[0] ?? "",
            /Namespace "edges-\d+" exists and does not belong to this stack: .*Nothing was changed: choose another namespace with the setting "namespace", or delete the existing namespace\.$/,
          );
          assert.doesNotMatch(stdout, /^ +at .*:\d+:\d+/m, "a stack trace");
          assert.equal(await now(), was);
        }
        assert.equal(
          await kubectl("-n", namespace, "get", "deployments,statefulsets,secrets", "-o", "name"),
          "",
        );
        // The state may contain the stack itself, but no other resource.
        assert.ok(resources() <= 1, "it has resources");
      } finally {
        await kubectl("delete", "namespace", namespace);
      }
    });
  });
});
