import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mock } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { preview, type PreviewOptions } from "../../../operations/preview/command";

const fixtures = join(import.meta.dirname, "recorded");

describe("npm run preview", function () {
  this.timeout(30_000);
  let directory: string;
  let exitCode: typeof process.exitCode;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "services-orders-preview-"));
    exitCode = process.exitCode;
  });
  afterEach(() => {
    process.exitCode = exitCode;
    rmSync(directory, { recursive: true });
  });

  /**
   * Creates a stand-in for Pulumi. If the arguments begin with a key of `answers`, the stand-in
   * runs the shell command of this key. The stand-in records its calls.
   */
  function pulumi(answers: Readonly<Record<string, string>>): void {
    const cases = Object.entries(answers).map(([start, does]) => `"${start}"*) ${does};;\n`);
    const call = 'echo "$RELEASE_BRANCH $RELEASE_IMAGE_REF $*" >> "$CALLS"';
    const script = `#!/bin/sh\n${call}\ncase "$*" in\n${cases.join("")}esac\n`;
    writeFileSync(join(directory, "pulumi"), script, { mode: 0o755 });
  }
  const show = (name: string): string =>
    `for last; do if [ "$take" = 1 ]; then cp ${join(fixtures, `${name}.jsonl`)} "$last"; fi; ` +
    'take=0; if [ "$last" = --event-log ]; then take=1; fi; done';
  const run = async (
    stack: string,
    env: Readonly<Record<string, string>> = {},
    options: PreviewOptions = {},
  ): Promise<void> =>
    preview(
      stack,
      { format: "json", output: join(directory, "summary.json"), ...options },
      {
        cwd: directory,
        env: {
          CALLS: join(directory, "calls"),
          PATH: `${directory}:${process.env["PATH"] ?? ""}`,
          PULUMI_BACKEND_URL: "s3://state.example",
          RELEASE_BRANCH: "",
          RELEASE_IMAGE_REF: "",
          ...env,
        },
      },
    );
  const calls = (): string => readFileSync(join(directory, "calls"), "utf8");

  it("gives up when the state does not answer, and ends the engine", async () => {
    pulumi({ "": `echo $$ >> ${join(directory, "running")}; exec sleep 60` });
    await assert.rejects(
      run("staging"),
      /^Error: The state backend at s3:\/\/state\.example cannot be read/,
    );
    await sleep(500);
    for (const pid of readFileSync(join(directory, "running"), "utf8").trim().split("\n")) {
      assert.throws(() => process.kill(Number(pid), 0), /ESRCH/);
    }
  }).timeout(60_000);

  it("asks no state that the engine has read, and names one that it could not", async () => {
    pulumi({ preview: `echo "Previewing update (staging):"; sleep 2; ${show("nothing")}` });
    await run("staging");
    assert.doesNotMatch(calls(), /stack ls/);
    pulumi({ "": "echo 'error: access denied' >&2; exit 255" });
    await assert.rejects(run("staging"), /state\.example cannot be read: access denied/);
  });

  it("does not take production's release for an old one when the state does not say", async () => {
    pulumi({ "": "echo 'error: access denied' >&2; exit 255" });
    await assert.rejects(run("prod"), /cannot be read: access denied/);
    assert.doesNotMatch(calls(), /preview/);
  });

  it("says what main's deploy will do to staging, no matter which branch is checked out", async () => {
    pulumi({ preview: show("nothing"), "stack ls": "echo '[]'" });
    await run("staging");
    assert.match(calls(), /^main {2}preview /m);
    await run("staging", { RELEASE_BRANCH: "other" });
    assert.match(calls(), /^other {2}preview /m);
    await run("review-a");
    assert.match(calls(), /^ {2}preview .*--stack review-a/m);
  });

  it("finds no conflict where a deploy takes back what someone has changed", async () => {
    const force = 'echo "force $PULUMI_K8S_ENABLE_PATCH_FORCE" >> "$CALLS"';
    pulumi({ preview: `${force}; ${show("nothing")}`, "stack ls": "echo '[]'" });
    await run("review-a");
    assert.match(calls(), /^force true$/m);
    rmSync(join(directory, "calls"));
    await run("staging");
    assert.match(calls(), /^force $/m);
  });

  it("writes no comment without GitHub's token, says so, and fails for it in CI alone", async () => {
    pulumi({ preview: show("nothing"), "stack ls": "echo '[]'" });
    const names = ["CI", "GITHUB_TOKEN", "PULL_REQUEST"];
    const before = names.map((name) => [name, process.env[name]] as const);
    const said = mock.method(process.stderr, "write", () => true);
    try {
      Object.assign(process.env, { CI: "", GITHUB_TOKEN: "", PULL_REQUEST: "7" });
      await run("review-a", {}, { comment: true });
      const lines = said.mock.calls.map((call) => String(call.arguments[0]));
      assert.ok(lines.includes("no comment, because GITHUB_TOKEN is not set\n"), lines.join(""));
      process.env["CI"] = "true";
      await assert.rejects(run("review-a", {}, { comment: true }), /set .*GITHUB_TOKEN/);
    } finally {
      said.mock.restore();
      for (const [name, value] of before) {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
    }
  });

  it("shows what was promoted for production, and of a production that is not made yet how to make it", async () => {
    const release = { branch: "main", commit: "c".repeat(40), imageRef: "image" };
    const tags = JSON.stringify({ promoted: JSON.stringify(release) });
    pulumi({ preview: show("nothing"), "stack ls": "echo '[]'", "stack tag": `echo '${tags}'` });
    await run("prod");
    assert.match(calls(), /^main image preview /m);

    const missing = "echo \"error: no stack named 'prod' found\" >&2; exit 255";
    pulumi({ preview: missing, "stack ls": "echo '[]'", "stack tag": missing });
    writeFileSync(join(directory, "Pulumi.prod.yaml"), "");
    await assert.rejects(run("prod"), /pulumi stack init prod --no-select, and commit/);
  });
});
