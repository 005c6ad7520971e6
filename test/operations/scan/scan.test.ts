import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mock } from "node:test";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { scan, scanImage } from "../../../operations/scan/scan";
import { acceptedFindings, type Scanner, sourceScanners } from "../../../operations/scan/scanners";
import { ancestors } from "../../../pipeline/checks/graph";
import { workflowsOf } from "../../../pipeline/checks/shape";
import { Source } from "../../../pipeline/checks/source";
import { inOneProject as pipelines } from "../../../pipeline/pipelines";
import { yaml } from "../../../pipeline/write";

/** A package and its security advisory. Both exist only in the stand-in registry. */
const planted = "planted-for-the-scan-test";
const advisory = {
  id: 1,
  url: "https://github.com/advisories/GHSA-plan-ted0-0001",
  title: "runs any command",
  severity: "critical",
  vulnerable_versions: "<1.0.1",
  cwe: [],
  cvss: { score: 9.8, vectorString: null },
};

let root = "";
let registry: Server;
let reachable = true;
let env: Record<string, string | undefined>;

/** Runs `work`. Returns the printed text, and the error if `work` fails. */
async function said(work: () => Promise<void>): Promise<{ text: string; error: unknown }> {
  const lines: string[] = [];
  const log = mock.method(console, "log", (line: string) => lines.push(line));
  let error: unknown;
  try {
    await work();
  } catch (caught) {
    error = caught;
  } finally {
    log.mock.restore();
  }
  return { error, text: lines.join("\n") };
}

/** Adds a program to the PATH of the scans. */
function program(name: string, script: string): void {
  const file = join(root, "bin", name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

const npmAudit = sourceScanners.filter(({ title }) => title.startsWith("npm"));
const dockerfile = sourceScanners.filter(({ title }) => title.startsWith("Dockerfile"));

describe("the scans", () => {
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "services-orders-scan-"));
    mkdirSync(join(root, "bin"));
    mkdirSync(join(root, "reports"));
    const dependencies = { [planted]: "1.0.0" };
    writeFileSync(
      join(root, "package.json"),
      JSON.stringify({ name: "x", version: "1.0.0", dependencies }),
    );
    writeFileSync(
      join(root, "package-lock.json"),
      JSON.stringify({
        name: "x",
        version: "1.0.0",
        lockfileVersion: 3,
        packages: {
          "": { name: "x", version: "1.0.0", dependencies },
          [`node_modules/${planted}`]: { version: "1.0.0" },
        },
      }),
    );
    reachable = true;
    registry = createServer((request, response) => {
      response.statusCode = reachable ? 200 : 405;
      response.setHeader("content-type", "application/json");
      const versions = Object.fromEntries(
        ["1.0.0", "1.0.1"].map((version) => [version, { name: planted, version, dist: {} }]),
      );
      const answer =
        request.method === "POST"
          ? { [planted]: [advisory] }
          : { name: planted, "dist-tags": { latest: "1.0.1" }, versions };
      request.resume().on("end", () => response.end(reachable ? JSON.stringify(answer) : ""));
    });
    await new Promise<void>((done) => registry.listen(0, "127.0.0.1", done));
    const { port } = registry.address() as AddressInfo;
    env = {
      HOME: root,
      PATH: [join(root, "bin"), process.env["PATH"]].join(delimiter),
      npm_config_registry: `http://127.0.0.1:${String(port)}/`,
      npm_config_cache: join(root, "cache"),
    };
  });

  afterEach(() => {
    registry.close();
    registry.closeAllConnections();
    rmSync(root, { force: true, recursive: true });
  });

  it("stop at a dependency with a known vulnerability", async () => {
    const { error, text } = await said(() => scan(npmAudit, { env, root }));
    assert.match(text, new RegExp(`critical: ${planted}: runs any command`));
    assert.match(String(error), /scan failed: npm packages/);
  }).timeout(60_000);

  it("pass when the dependency is fixed", async () => {
    const lock = join(root, "package-lock.json");
    writeFileSync(
      lock,
      JSON.stringify({
        name: "x",
        version: "1.0.0",
        lockfileVersion: 3,
        packages: {
          "": { name: "x", version: "1.0.0", dependencies: { [planted]: "1.0.1" } },
          [`node_modules/${planted}`]: { version: "1.0.1" },
        },
      }),
    );
    writeFileSync(
      join(root, "package.json"),
      JSON.stringify({ name: "x", version: "1.0.0", dependencies: { [planted]: "1.0.1" } }),
    );
    const { error, text } = await said(() => scan(npmAudit, { env, root }));
    assert.equal(error, undefined);
    assert.equal(text, "npm packages (npm audit): clean");
  }).timeout(60_000);

  it("pass a finding that is accepted, until its acceptance ends", async () => {
    const accept = (until: string) => {
      writeFileSync(
        join(root, ".trivyignore.yaml"),
        `vulnerabilities:\n  - id: GHSA-plan-ted0-0001\n    statement: not reachable\n    expired_at: ${until}\n`,
      );
    };
    accept("2999-01-01");
    assert.equal((await said(() => scan(npmAudit, { env, root }))).error, undefined);
    accept("2001-01-01");
    assert.match(String((await said(() => scan(npmAudit, { env, root }))).error), /scan failed/);
    assert.equal(acceptedFindings(root, new Date("2000-01-01")).size, 1);
  }).timeout(60_000);

  it("without their database are skipped on a person's machine, and fail in CI", async () => {
    reachable = false;
    const here = await said(() => scan(npmAudit, { env, root }));
    assert.equal(here.error, undefined);
    assert.match(here.text, /^npm packages \(npm audit\): skipped, because 405/);
    const inCi = await said(() => scan(npmAudit, { env: { ...env, CI: "true" }, root }));
    assert.match(inCi.text, /FAILED, because 405/);
    assert.match(String(inCi.error), /could not run/);
  }).timeout(60_000);

  it("tell a finding of Trivy from a database that it could not fetch", async () => {
    program("trivy", "echo 'AVD-DS-0002 (HIGH): runs as root'; exit 10");
    const found = await said(() => scan(dockerfile, { env, root }));
    assert.match(found.text, /Dockerfile \(Trivy\): FOUND\nAVD-DS-0002/);
    assert.match(String(found.error), /scan failed: Dockerfile/);

    program("trivy", "echo 'FATAL failed to download vulnerability DB' >&2; exit 1");
    const missing = await said(() => scan(dockerfile, { env, root }));
    assert.match(missing.text, /skipped, because FATAL failed to download vulnerability DB/);
    assert.equal(missing.error, undefined);

    program("trivy", "exit 0");
    assert.equal((await said(() => scan(dockerfile, { env, root }))).error, undefined);
  });

  it("give Trivy the file with accepted findings, when there is one: it looks for another", async () => {
    program("trivy", 'echo "$@" >> seen');
    const seen = () => readFileSync(join(root, "seen"), "utf8").trim().split("\n");
    await said(() => scan(dockerfile, { env, root }));
    assert.doesNotMatch(seen().at(-1) ?? "", /ignorefile/);
    writeFileSync(join(root, ".trivyignore.yaml"), "misconfigurations: []\n");
    for (const scanner of sourceScanners.filter(({ command: [name] }) => name === "trivy")) {
      await said(() => scan([scanner], { env, root }));
      assert.match(seen().at(-1) ?? "", / --ignorefile \.trivyignore\.yaml$/);
    }
    const imageRef = `registry.example.com/orders@sha256:${"a".repeat(64)}`;
    await said(() => scanImage(imageRef, { env, root }));
    assert.match(seen().at(-1) ?? "", /^image .* --ignorefile \.trivyignore\.yaml$/);
  });

  it("all run, also after one has found something", async () => {
    program("first", "exit 3");
    program("second", "exit 0");
    const own: readonly Scanner[] = [
      { command: ["first"], findings: [3], title: "First" },
      { command: ["second"], title: "Second" },
      { command: ["third-that-is-nowhere"], title: "Third" },
    ];
    const { error, text } = await said(() => scan(own, { env, root }));
    assert.match(text, /First: FOUND/);
    assert.match(text, /Second: clean/);
    assert.match(text, /Third: skipped, because program "third-that-is-nowhere" is not installed/);
    assert.match(String(error), /scan failed: First\./);
  });

  it("of the image look at what was pushed, by its digest", async () => {
    const imageRef = `registry.example.com/orders@sha256:${"a".repeat(64)}`;
    program("trivy", 'echo "$@" >> seen');
    await assert.rejects(scanImage(undefined, { env, root }), /no image to scan: /);
    writeFileSync(join(root, "reports", "image.json"), JSON.stringify({ imageRef }));
    program("trivy", `case "$*" in *${imageRef}) exit 10 ;; esac`);
    const { error } = await said(() => scanImage(undefined, { env, root }));
    assert.match(String(error), /scan failed: Image/);
  });

  it("come before everything that deploys", () => {
    const config = pipelines["config.yml"];
    assert.ok(config);
    for (const { jobs } of workflowsOf(new Source("config.yml", yaml(config)))) {
      const deploying = jobs.filter(({ name }) => name.startsWith("deploy-"));
      assert.notEqual(deploying.length, 0);
      for (const place of deploying) {
        const before = [...ancestors(place, jobs, (ends) => ends.join() === "success")];
        assert.ok(before.includes("scan"), place.name);
        assert.ok(
          before.some((name) => name.startsWith("scan-image-")),
          place.name,
        );
      }
    }
  });
});
