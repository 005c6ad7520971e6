import {
  Surroundings,
  Mirror,
  fakeGo,
  onlyPrograms,
  sandboxDirectory,
  sha256,
} from "../support/temporary";
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "../../../lib/errors";
import { project } from "../../../lib/project";
import type * as DownloadOrBuild from "../../../sandbox/install/download-or-build";
import {
  executable,
  isInstalled,
  downloadOrBuild,
} from "../../../sandbox/install/download-or-build";
import { type Part } from "../../../sandbox/install/parts";

const makers = "https://dl.example";

/**
 * A part whose publisher provides the same files as Kubernetes: for each file, there is another
 * file that contains only the checksum.
 */
const plain: Part = {
  name: "plain",
  title: "Plain",
  version: "1.2.3",
  files: ["one", "two"],
  downloads: ["one", "two"].map((file) => ({
    url: `${makers}/v1.2.3/${file}`,
    checksums: `${makers}/v1.2.3/${file}.sha256`,
    take: file,
  })),
  // This module must exist, because the code reads the module's files to detect changes.
  builds: [{ module: "coredns", package: ".", output: "one", alsoAs: ["two"] }],
};

/**
 * A part whose publisher provides the same files as most projects: an archive, and one file that
 * contains all checksums of the release.
 */
const archived: Part = {
  name: "archived",
  title: "Archived",
  version: "4.5.6",
  files: ["tool"],
  downloads: [
    {
      url: `${makers}/releases/tool_linux.tar.gz`,
      checksums: `${makers}/releases/checksums.txt`,
      take: { "release/bin/tool-4.5.6": "tool" },
    },
  ],
  builds: [{ module: "coredns", package: ".", output: "tool" }],
};

const script = (says: string) => `#!/bin/sh\necho ${says}\n`;
const runs = (part: Part, file: string) =>
  execFileSync(executable(part, file), { encoding: "utf8" }).trim();
const installed = (part: Part) =>
  existsSync(executable(part)) || existsSync(dirname(executable(part)));

async function refusal(part: Part): Promise<string> {
  try {
    await downloadOrBuild(part, () => undefined);
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error.message;
  }
  return assert.fail("it was obtained");
}

describe("obtaining a part", () => {
  let surroundings: Surroundings;
  let mirror: Mirror;
  let files: string;
  let machine: string;

  beforeEach(async () => {
    surroundings = new Surroundings();
    files = mkdtempSync(join(tmpdir(), "obtain-"));
    machine = onlyPrograms(join(files, "machine"), "tar", "gzip");
    mirror = new Mirror();
    surroundings.set("SANDBOX_DOWNLOAD_MIRROR", await mirror.open());
    surroundings.set("PATH", machine);
  });
  afterEach(async () => {
    surroundings.restore();
    await mirror.close();
    rmSync(files, { force: true, recursive: true });
    rmSync(sandboxDirectory, { force: true, recursive: true });
  });

  function publish(part: Part): void {
    for (const { checksums, take, url } of part.downloads ?? []) {
      if (typeof take !== "string") continue;
      mirror.put(url, script(`official ${take}`));
      mirror.put(checksums, sha256(script(`official ${take}`)));
    }
  }

  /** Returns an archive that contains the file of {@link archived}. */
  function archive(says: string): Buffer {
    const release = mkdtempSync(join(files, "release-"));
    mkdirSync(join(release, "release", "bin"), { recursive: true });
    writeFileSync(join(release, "release", "bin", "tool-4.5.6"), script(says), { mode: 0o644 });
    execFileSync("tar", ["-czf", join(release, "a.tar.gz"), "-C", release, "release"]);
    return readFileSync(join(release, "a.tar.gz"));
  }

  function withGo(version = "go1.26.0"): string {
    const directory = join(files, "go-bin");
    fakeGo(directory, version);
    surroundings.set("PATH", `${directory}:${machine}:/bin`);
    return join(directory, "calls");
  }

  describe("from its publisher", () => {
    it("installs every file, executable, and says that it is the official download", async () => {
      publish(plain);
      const reported: string[] = [];
      const how = await downloadOrBuild(plain, (detail) => reported.push(detail));
      assert.equal(how, "official download, checksum verified");
      assert.deepEqual(reported, ["downloading one", "downloading two"]);
      assert.equal(runs(plain, "one"), "official one");
      assert.equal(runs(plain, "two"), "official two");
      assert.deepEqual(readdirSync(dirname(executable(plain))).sort(), [".complete", "one", "two"]);
    });

    it("takes the named file out of an archive that is one of several in a list of checksums", async () => {
      const official = archive("official tool");
      mirror.put(`${makers}/releases/tool_linux.tar.gz`, official);
      mirror.put(
        `${makers}/releases/checksums.txt`,
        [
          `${sha256("another")}  tool_darwin.tar.gz`,
          `${sha256("a third")}  not-tool_linux.tar.gz`,
          `${sha256(official)}  ./tool_linux.tar.gz`,
          `${sha256("a fourth")}  tool_linux.tar.gz.sbom`,
          "",
        ].join("\n"),
      );
      assert.equal(
        await downloadOrBuild(archived, () => undefined),
        "official download, checksum verified",
      );
      assert.equal(runs(archived, "tool"), "official tool");
      assert.equal(statSync(executable(archived)).mode & 0o777, 0o755);
      assert.deepEqual(readdirSync(join(sandboxDirectory, "work")), [], "leaves something behind");
    });

    it("asks only the mirror for a file when there is a mirror", async () => {
      publish(plain);
      await downloadOrBuild(plain, () => undefined);
      assert.deepEqual(mirror.asked, [
        "dl.example/v1.2.3/one.sha256",
        "dl.example/v1.2.3/one",
        "dl.example/v1.2.3/two.sha256",
        "dl.example/v1.2.3/two",
      ]);
    });

    for (const part of [plain, archived]) {
      it(`refuses a file of ${part.title} with another checksum, in one line with its address, and builds nothing instead`, async () => {
        const [download] = part.downloads ?? [];
        const url = download?.url ?? "";
        const calls = withGo();
        const damaged = part === plain ? script("damaged") : archive("damaged");
        mirror.put(url, damaged);
        mirror.put(
          download?.checksums ?? "",
          `${sha256("official")}  ${url.split("/").pop() ?? ""}\n`,
        );
        const message = await refusal(part);
        assert.equal(
          message,
          `${url} has the SHA-256 ${sha256(damaged)}, but its publisher gives ${sha256("official")}: the file was damaged or ` +
            "replaced during the download; run the command again. If it fails again, ask your network administrator",
        );
        assert.equal(installed(part), false);
        assert.equal(isInstalled(part), false);
        assert.equal(existsSync(calls), false, "Go was called");
      });
    }

    it("keeps the part that is there when the download of its successor is damaged", async () => {
      publish(plain);
      await downloadOrBuild(plain, () => undefined);
      const changed: Part = { ...plain, title: "Plain, changed" };
      mirror.put(`${makers}/v1.2.3/two`, script("damaged"));
      assert.match(await refusal(changed), /^https:\/\/dl\.example\/v1\.2\.3\/two has the SHA-256/);
      assert.equal(isInstalled(plain), true);
      assert.equal(runs(plain, "two"), "official two");
    });
  });

  describe("that its publisher's site does not have", () => {
    it("names part, reason and remedy in one line when there is no Go", async () => {
      assert.equal(
        await refusal(plain),
        "the sandbox cannot download Plain 1.2.3 (dl.example: answered 404), and cannot build it without Go; " +
          "install Go 1.26 or newer, or make the official download reachable, and run the command again",
      );
      assert.equal(installed(plain), false);
    });

    it("names the reason when no server answers, and installs nothing", async () => {
      await mirror.close();
      const message = await refusal(plain);
      assert.match(
        message,
        /^the sandbox cannot download Plain 1\.2\.3 \(dl\.example: .*ECONNREFUSED.*\), and cannot build it without Go; install Go/,
      );
      assert.equal(message.includes("\n"), false);
      assert.equal(installed(plain), false);
      mirror = new Mirror();
      await mirror.open();
    });

    it("names the list of checksums when the file is not in it", async () => {
      mirror.put(`${makers}/releases/checksums.txt`, `${sha256("x")}  other.tar.gz\n`);
      assert.match(
        await refusal(archived),
        /\(checksums\.txt has no SHA-256 for tool_linux\.tar\.gz\)/,
      );
      assert.deepEqual(mirror.asked, ["dl.example/releases/checksums.txt"]);
    });

    it("does not tell a person to reach a download that does not exist", async () => {
      const { downloads, ...built } = plain;
      assert.ok(downloads);
      const message = await refusal(built);
      assert.match(message, /\(the publisher offers no binary with a checksum\)/);
      assert.match(message, /install Go 1\.26 or newer, and run the command again$/);
    });

    it("names the Go that is too old, and builds nothing with it", async () => {
      const calls = withGo("go1.25.7");
      const message = await refusal(plain);
      assert.match(
        message,
        /^the sandbox cannot download Plain 1\.2\.3 \(dl\.example: answered 404\), and cannot build it with go1\.25\.7; install Go 1\.26/,
      );
      assert.equal(readFileSync(calls, "utf8"), "env GOVERSION\n");
      assert.equal(installed(plain), false);
    });

    it("is built instead, says why, and leaves the repository's modules as they are", async () => {
      withGo();
      const module = join(project, "sandbox", "modules", "coredns");
      const before = readFileSync(join(module, "go.mod"), "utf8");
      const files = readdirSync(module).sort();
      assert.equal(
        await downloadOrBuild(plain, () => undefined),
        "built from Go modules (dl.example: answered 404)",
      );
      assert.equal(runs(plain, "one"), "built");
      assert.equal(runs(plain, "two"), "built");
      assert.equal(isInstalled(plain), true);
      assert.equal(readFileSync(join(module, "go.mod"), "utf8"), before);
      assert.deepEqual(readdirSync(module).sort(), files);
    });

    it("is built as a whole when only some of its files can be downloaded", async () => {
      withGo();
      mirror.put(`${makers}/v1.2.3/one`, script("official one"));
      mirror.put(`${makers}/v1.2.3/one.sha256`, sha256(script("official one")));
      const nameOfOther: Part = {
        ...plain,
        builds: [{ module: "coredns", package: ".", output: "both", alsoAs: ["one", "two"] }],
      };
      assert.match(await downloadOrBuild(nameOfOther, () => undefined), /^built from/);
      assert.equal(runs(nameOfOther, "one"), "built");
      assert.equal(runs(nameOfOther, "two"), "built");
    });
  });

  describe("that was cut short", () => {
    it("takes neither a directory without the mark nor a half-filled one for the part", async () => {
      publish(plain);
      const half = dirname(executable(plain));
      const staging = join(sandboxDirectory, "work", "plain.new");
      for (const directory of [half, staging]) {
        mkdirSync(directory, { recursive: true });
        writeFileSync(join(directory, "one"), script("half"), { mode: 0o755 });
        writeFileSync(join(directory, "two"), script("half"), { mode: 0o755 });
        writeFileSync(join(directory, "left-over"), "");
      }
      assert.equal(isInstalled(plain), false);
      await downloadOrBuild(plain, () => undefined);
      assert.equal(isInstalled(plain), true);
      assert.equal(runs(plain, "one"), "official one");
      assert.deepEqual(readdirSync(half).sort(), [".complete", "one", "two"]);
      assert.equal(existsSync(staging), false);
    });

    it("is missing after a kill during a download, and the next command downloads it", async () => {
      publish(plain);
      mirror.put(`${makers}/v1.2.3/two`, Mirror.half);
      const code = `
        const { downloadOrBuild } = await import(${JSON.stringify(join(project, "sandbox/install/download-or-build.ts"))});
        await downloadOrBuild(${JSON.stringify(plain)}, (detail) => console.log(detail));`;
      const child = spawn(
        process.execPath,
        ["--import", "tsx", "--input-type=module", "-e", code],
        {
          cwd: project,
          stdio: ["ignore", "pipe", "inherit"],
        },
      );
      let said = "";
      for await (const chunk of child.stdout) {
        said += String(chunk);
        if (said.includes("downloading two")) break;
      }
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
      assert.equal(existsSync(join(sandboxDirectory, "work", "plain.new", "one")), true);
      assert.equal(isInstalled(plain), false);
      assert.equal(installed(plain), false);
      publish(plain);
      await downloadOrBuild(plain, () => undefined);
      assert.equal(isInstalled(plain), true);
      assert.equal(runs(plain, "two"), "official two");
    });
  });

  describe("that is there", () => {
    it("is not needed a second time", async () => {
      publish(plain);
      assert.equal(isInstalled(plain), false);
      await downloadOrBuild(plain, () => undefined);
      assert.equal(isInstalled(plain), true);
    });

    it("is needed again when its entry in the table changes", async () => {
      publish(plain);
      await downloadOrBuild(plain, () => undefined);
      const [build] = plain.builds;
      assert.ok(build);
      const changes: Partial<Part>[] = [
        { version: "1.2.4" },
        { builds: [{ ...build, set: { "main.version": "2" } }] },
        { builds: [build, { ...build, module: "traefik" }] },
        { downloads: [] },
      ];
      for (const change of changes) {
        assert.equal(isInstalled({ ...plain, ...change }), false, JSON.stringify(change));
      }
      assert.equal(isInstalled({ ...plain }), true);
    });

    it("is needed again when a go.mod of it changes, and only then", async () => {
      // The test changes a copy of the Go modules, because a running sandbox depends on the Go
      // modules in the repository.
      for (const room of ["lib", "sandbox"]) {
        cpSync(join(project, room), join(files, room), { recursive: true });
      }
      symlinkSync(join(project, "node_modules"), join(files, "node_modules"));
      const copy = (await import(
        pathToFileURL(join(files, "sandbox", "install", "download-or-build.ts")).href
      )) as typeof DownloadOrBuild;
      publish(plain);
      await copy.downloadOrBuild(plain, () => undefined);
      const module = (name: string) => join(files, "sandbox", "modules", name, "go.mod");
      const own = readFileSync(module("coredns"), "utf8");
      assert.equal(copy.isInstalled(plain), true);
      writeFileSync(module("traefik"), `${readFileSync(module("traefik"), "utf8")}\n// changed\n`);
      assert.equal(copy.isInstalled(plain), true, "another part's module");
      writeFileSync(module("coredns"), `${own}\n// changed\n`);
      assert.equal(copy.isInstalled(plain), false);
      writeFileSync(module("coredns"), own);
      assert.equal(copy.isInstalled(plain), true);
    });
  });
});
