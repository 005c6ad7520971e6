import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { mock } from "node:test";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { removeDeadLocks } from "../../../operations/pulumi/locks";
import { rememberStarted } from "../../../operations/pulumi/started-processes";

describe("the locks of a stack", () => {
  it("go when their owner was killed on this machine, and stay when it lives or is elsewhere", async () => {
    const directory = mkdtempSync(join(tmpdir(), "services-orders-locks-"));
    const log = mock.method(console, "log", () => undefined);
    try {
      const backend = `file://${directory}`;
      writeFileSync(join(directory, "Pulumi.yaml"), "name: services-orders\n");
      const locks = join(directory, ".pulumi/locks/organization/services-orders/review-a");
      const workspace = { cwd: directory, env: { PULUMI_BACKEND_URL: backend } };
      await removeDeadLocks("review-a", workspace);
      mkdirSync(locks, { recursive: true });
      // No process has this id, because the id is greater than Linux's largest process id.
      const pid = 4_194_305;
      const owners = {
        dead: { hostname: hostname(), pid },
        elsewhere: { hostname: "another-machine", pid },
        lives: { hostname: hostname(), pid: process.pid },
      };
      for (const [name, owner] of Object.entries(owners)) {
        writeFileSync(join(locks, `${name}.json`), JSON.stringify(owner));
      }
      await removeDeadLocks("review-a", workspace);
      assert.deepEqual(readdirSync(locks).sort(), ["elsewhere.json", "lives.json"]);
      assert.equal(log.mock.callCount(), 1);
    } finally {
      log.mock.restore();
      rmSync(directory, { recursive: true });
    }
  });

  describe("in S3", () => {
    let directory: string;
    const variables = ["CALLS", "LOCKS", "PATH", "PULUMI_HOME"] as const;
    const before = Object.fromEntries(variables.map((name) => [name, process.env[name]]));
    /**
     * A stand-in for the AWS CLI. The stand-in uses files instead of S3 objects, and records its
     * calls.
     */
    const aws = `#!/bin/sh
echo "$*" >> "$CALLS"
case "$2" in
  cp) cp -R "$LOCKS/." "$4" ;;
  rm) while [ $# -gt 0 ]; do if [ "$1" = --include ]; then rm -f "$LOCKS/$2"; fi; shift; done ;;
esac
`;
    const backendUrl = "s3://bucket/environments?region=eu-west-1";
    const args = ["up", "--stack", "review-a", "--yes"];
    const workspace = () => ({ cwd: directory, env: { PULUMI_BACKEND_URL: backendUrl } });
    const lock = (name: string, pid: number, host = hostname(), at = Date.now()): void => {
      const timestamp = new Date(at).toISOString();
      const text = JSON.stringify({ hostname: host, pid, timestamp });
      writeFileSync(join(directory, "locks", `${name}.json`), text);
    };

    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), "services-orders-locks-"));
      mkdirSync(join(directory, "locks"));
      writeFileSync(join(directory, "Pulumi.yaml"), "name: services-orders\n");
      writeFileSync(join(directory, "aws"), aws, { mode: 0o755 });
      process.env["CALLS"] = join(directory, "calls");
      process.env["LOCKS"] = join(directory, "locks");
      process.env["PATH"] = `${directory}:${before["PATH"] ?? ""}`;
      process.env["PULUMI_HOME"] = directory;
      mock.method(console, "log", () => undefined);
    });
    afterEach(() => {
      mock.restoreAll();
      for (const name of variables) {
        const value = before[name];
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
      rmSync(directory, { recursive: true });
    });

    /** Starts a process in place of an update, kills the process, and returns its id. */
    async function killed(given = args): Promise<number> {
      const child = execa("sleep", ["60"], { reject: false });
      const pid = child.pid ?? 0;
      const forget = rememberStarted(pid, given, backendUrl);
      child.kill("SIGKILL");
      forget((await child).signal === "SIGKILL" ? "SIGKILL" : null);
      return pid;
    }

    it("go when a record proves that their owner was killed on this machine", async () => {
      const pid = await killed();
      lock("dead", pid);
      lock("of-another-machine", pid, "another-machine");
      lock("of-another-time", pid, hostname(), Date.now() - 3_600_000);
      lock("lives", process.pid);
      await removeDeadLocks("review-a", workspace());
      const left = readdirSync(join(directory, "locks")).sort();
      assert.deepEqual(left, ["lives.json", "of-another-machine.json", "of-another-time.json"]);
      const place = "s3://bucket/environments/.pulumi/locks/organization/services-orders/review-a/";
      const calls = readFileSync(join(directory, "calls"), "utf8").split("\n");
      const options = "--recursive --only-show-errors --region eu-west-1";
      assert.match(calls[0] ?? "", new RegExp(`^s3 cp ${place} \\S+ ${options}$`));
      const removal = `s3 rm ${place} --exclude * --include dead.json ${options}`;
      assert.ok(calls.includes(removal), calls.join("\n"));
      // The record of the killed update no longer exists, so this call does not start the AWS CLI.
      await removeDeadLocks("review-a", workspace());
      const asked = readFileSync(join(directory, "calls"), "utf8").split("\n");
      assert.deepEqual(asked, calls);
    });

    it("are asked for again when AWS did not answer", async () => {
      const pid = await killed();
      lock("dead", pid);
      writeFileSync(join(directory, "aws"), "#!/bin/sh\necho 'Access Denied' >&2; exit 254\n");
      await removeDeadLocks("review-a", workspace());
      writeFileSync(join(directory, "aws"), aws);
      await removeDeadLocks("review-a", workspace());
      assert.deepEqual(readdirSync(join(directory, "locks")), []);
    });

    it("are not asked for when no update was killed", async () => {
      const child = execa("sleep", ["0"]);
      const forget = rememberStarted(child.pid ?? 0, args, backendUrl);
      await child;
      forget(null);
      const runsStill = rememberStarted(process.pid, args, backendUrl);
      // The next two updates write no record for this stack in S3: the first update changes another
      // stack, and the state of the second update is in local files.
      await killed(["up", "--stack", "review-b"]);
      rememberStarted(4_194_305, args, "file:///state");
      lock("of-somebody", 4_194_305);
      await removeDeadLocks("review-a", workspace());
      runsStill(null);
      assert.deepEqual(readdirSync(join(directory, "locks")), ["of-somebody.json"]);
      assert.equal(existsSync(join(directory, "calls")), false);
    });
  });
});
