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
import { unlock } from "../../../operations/locks/unlock";
import { change } from "../../../operations/pulumi/run-pulumi";
import { createStack, removeStack } from "../../../operations/pulumi/stacks";

/**
 * A stand-in for the AWS CLI. The stand-in uses a directory as the bucket, and records its calls.
 */
const aws = `#!/bin/sh
echo "aws $*" >> "$CALLS"
key="$BUCKET/\${3#s3://bucket/}"
case "$*" in
  "s3 cp - "*) key="$BUCKET/\${4#s3://bucket/}"; mkdir -p "$(dirname "$key")"; cat > "$key" ;;
  "s3 cp "*) cp -R "$key." "$4" ;;
  "s3 rm "*" --recursive"*)
    while [ $# -gt 0 ]; do if [ "$1" = --include ]; then rm -f "$key$2"; fi; shift; done ;;
  "s3 rm "*) rm -f "$key" ;;
esac
`;
const denied = "#!/bin/sh\necho first >&2; echo 'An error occurred (AccessDenied)' >&2; exit 1\n";

/**
 * A stand-in for Pulumi that uses locks in the same way as Pulumi does. The stand-in writes its
 * process id into its lock file, and fails if the folder of the locks already contains a JSON file.
 * If KILLED is set, the stand-in kills itself with SIGKILL.
 */
const pulumi = `#!/bin/sh
locks="$BUCKET/environments/.pulumi/locks/organization/services-orders/staging"
mkdir -p "$locks"
echo "pulumi $1 $2" >> "$CALLS"
if ls "$locks"/*.json > /dev/null 2>&1; then
  echo "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es)" >&2
  exit 255
fi
cp -R "$locks/circleci" "$SEEN" 2> /dev/null
printf '{"pid":%s,"username":"root","hostname":"%s","timestamp":"%s"}' \\
  $$ "$(hostname)" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" > "$locks/$$.json"
if [ -n "$KILLED" ]; then kill -9 $$; fi
rm "$locks/$$.json"
`;

const group = "gh/acme/orders/staging";

/** Returns the environment variables that CircleCI and the pipelines set in a job. */
function job(id: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    CIRCLECI: "true",
    CIRCLE_BUILD_URL: `https://circleci.com/gh/acme/orders/${id}`,
    CIRCLE_OIDC_TOKEN_V2: token(false),
    CIRCLE_WORKFLOW_JOB_ID: id,
    SERIAL_GROUP: group,
    ...more,
  };
}

function token(sshRerun: boolean): string {
  const claims = JSON.stringify({ "oidc.circleci.com/ssh-rerun": sshRerun });
  return `e30.${Buffer.from(claims).toString("base64url")}.signature`;
}

describe("the locks of CircleCI jobs", () => {
  let directory: string;
  let locks: string;
  let told: string[];
  let errors: string;
  const variables = ["PATH", "PULUMI_HOME"] as const;
  const before = Object.fromEntries(variables.map((name) => [name, process.env[name]]));

  const workspace = (env: Readonly<Record<string, string>>) => ({
    cwd: directory,
    env: {
      BUCKET: join(directory, "bucket"),
      CALLS: join(directory, "calls"),
      PULUMI_BACKEND_URL: "s3://bucket/environments?region=eu-west-1",
      SEEN: join(directory, "seen"),
      ...env,
    },
    lockWait: { patienceMs: 0 },
  });
  const update = async (env: Readonly<Record<string, string>>): Promise<void> =>
    change("up", "staging", workspace(env));
  /**
   * Runs an update that kills itself. The lock of the update and the record of the job remain in
   * the bucket.
   */
  const killed = async (env: Readonly<Record<string, string>>): Promise<void> => {
    await assert.rejects(update({ ...env, KILLED: "1" }), /pulumi up failed/);
    assert.equal(left().length, 1);
  };
  const jsonIn = (place: string): readonly string[] =>
    existsSync(place) ? readdirSync(place).filter((name) => name.endsWith(".json")) : [];
  const left = (): readonly string[] => jsonIn(locks);
  const records = (): readonly string[] => jsonIn(join(locks, "circleci"));
  const calls = (): readonly string[] =>
    readFileSync(join(directory, "calls"), "utf8").trim().split("\n");
  const asked = (): readonly string[] => calls().filter((call) => call.startsWith("aws "));
  const isLocked = async (env: Readonly<Record<string, string>>): Promise<void> => {
    await assert.rejects(update(env), /currently locked/);
    assert.equal(left().length, 1);
    assert.deepEqual(told, []);
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-jobs-"));
    locks = join(
      directory,
      "bucket/environments/.pulumi/locks/organization/services-orders/staging",
    );
    mkdirSync(locks, { recursive: true });
    writeFileSync(join(directory, "Pulumi.yaml"), "name: services-orders\n");
    writeFileSync(join(directory, "aws"), aws, { mode: 0o755 });
    writeFileSync(join(directory, "pulumi"), pulumi, { mode: 0o755 });
    process.env["PATH"] = `${directory}:${before["PATH"] ?? ""}`;
    process.env["PULUMI_HOME"] = directory;
    told = [];
    errors = "";
    mock.method(console, "log", (line: string) => told.push(line));
    mock.method(console, "warn", (line: string) => (errors += `${line}\n`));
    mock.method(process.stderr, "write", (text: string) => {
      errors += text;
      return true;
    });
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

  it("have a record before Pulumi takes the lock, with Pulumi's process, and none afterwards", async () => {
    await update(job("1"));
    const [name = "", ...more] = readdirSync(join(directory, "seen"));
    assert.deepEqual(more, []);
    const { at, ...record } = JSON.parse(
      readFileSync(join(directory, "seen", name), "utf8"),
    ) as Record<string, unknown>;
    assert.equal(typeof at, "number");
    const { CIRCLE_BUILD_URL: url, SERIAL_GROUP: serialGroup } = job("1");
    assert.deepEqual(
      { ...record, pid: 0 },
      { hostname: hostname(), job: { id: "1", serialGroup, url }, pid: 0 },
    );
    assert.deepEqual([left(), records()], [[], []]);
    // An update may start the AWS CLI at most twice, because each start is slow.
    assert.deepEqual(
      calls().map((call) => call.split(" ", 3).join(" ")),
      ["aws s3 cp", "pulumi up --stack", "aws s3 rm"],
    );
  });

  it("are taken over from an ended job of the same serial group, without a pause", async () => {
    await killed(job("1"));
    assert.equal(records().length, 1);
    await update(job("2"));
    assert.deepEqual([left(), records()], [[], []]);
    assert.equal(told.length, 1);
    assert.match(
      told[0] ?? "",
      /^An earlier CircleCI job .* left its lock .*https:\/\/circleci\.com\/gh\/acme\/orders\/1\)/,
    );
  });

  it("are taken over from the creation and the removal of a stack, and by them", async () => {
    const create = async (env: Readonly<Record<string, string>>): Promise<void> =>
      createStack("staging", undefined, workspace(env));
    const remove = async (env: Readonly<Record<string, string>>): Promise<void> =>
      removeStack("staging", workspace(env));
    await assert.rejects(create({ ...job("1"), KILLED: "1" }), /stack init/);
    await create(job("2"));
    await assert.rejects(remove({ ...job("3"), KILLED: "1" }), /stack rm/);
    await remove(job("4"));
    assert.deepEqual([left(), records()], [[], []]);
    assert.equal(told.length, 2);
  });

  it("stay with the very same job, which may update in another step or on another machine", async () => {
    await killed(job("1"));
    await isLocked(job("1"));
  });

  it("stay with a job of another group", async () => {
    await killed(job("1"));
    await isLocked(job("2", { SERIAL_GROUP: "gh/acme/orders/sweep-reviews" }));
  });

  it("stay with a laptop", async () => {
    await killed({ CIRCLECI: "" });
    assert.deepEqual(records(), []);
    await isLocked(job("2"));
  });

  it("stay when another process, another machine or another time is in the record", async () => {
    for (const change of [
      { pid: 4_194_305 },
      { hostname: "another-machine" },
      { timestamp: new Date(Date.now() - 60_000).toISOString() },
      { timestamp: new Date(Date.now() + 3_600_000).toISOString() },
    ]) {
      await killed(job("1"));
      const [name = ""] = left();
      const owner = JSON.parse(readFileSync(join(locks, name), "utf8")) as object;
      writeFileSync(join(locks, name), JSON.stringify({ ...owner, ...change }));
      await isLocked(job("2"));
      // The second update has removed the first job's record, because the first job has ended.
      assert.deepEqual(records(), []);
      rmSync(join(locks, name));
    }
  });

  it("are taken over by no laptop, no job without a group, and no job that was rerun with SSH", async () => {
    await killed(job("1"));
    const count = asked().length;
    for (const env of [
      job("2", { CIRCLECI: "" }),
      job("2", { SERIAL_GROUP: "" }),
      job("2", { CIRCLE_WORKFLOW_JOB_ID: "" }),
      job("2", { CIRCLE_OIDC_TOKEN_V2: token(true) }),
      job("2", { CIRCLE_OIDC_TOKEN_V2: "" }),
    ]) {
      await isLocked(env);
    }
    // These updates must not call the AWS CLI, because each call takes time.
    assert.equal(asked().length, count);
  });

  it("let an update through that may not write its record, with a warning of one line", async () => {
    writeFileSync(join(directory, "aws"), denied);
    await update(job("1"));
    assert.match(errors, /^warning: .* cannot be recorded .*s3:PutObject.*\(AccessDenied\)\n$/);
  });

  it("stay when they cannot be read, with a warning of one line", async () => {
    await killed(job("1"));
    writeFileSync(join(directory, "aws"), denied);
    errors = "";
    await isLocked(job("2"));
    assert.match(
      errors,
      /^warning: .*\nwarning: .* no lock is taken over.*s3:GetObject.*\(AccessDenied\)\n$/,
    );
  });

  it("are shown by unlock with their job, and go with their record", async () => {
    await killed(job("1"));
    await unlock("staging", { yes: true }, workspace({}));
    assert.match(told[0] ?? "", /: CircleCI job https:\/\/circleci\.com\/gh\/acme\/orders\/1$/);
    assert.deepEqual([left(), records()], [[], []]);
  });
});
