import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { command } from "../../lib/command";
import { type Report } from "../../lib/progress";
import { createEmpty, paths } from "../layout";
import { goarch } from "./parts";

/**
 * Debian packages with the daemons and tools of the sandbox, and with libraries that a minimal
 * Debian does not have.
 */
const packages = [
  // daemons: etcd, the container runtime, the pod network, the registry
  ...["etcd-server", "containerd", "runc", "libseccomp2"],
  ...["containernetworking-plugins", "docker-registry"],
  // program of the first process (PID 1) in the sandbox and in every pod
  "catatonit",
  // programs for the network, openssl for the certificates, and the libraries of these programs
  ...["iptables", "libip4tc2", "libip6tc2", "libxtables12", "libnftnl11", "libmnl0"],
  "libnfnetlink0",
  ...["conntrack", "libnetfilter-conntrack3", "ipset", "libipset13"],
  ...["iproute2", "libbpf0", "libbpf1", "libelf1", "libbsd0", "libmd0", "libcap2"],
  ...["openssl", "libssl3"],
] as const;

const triplet = goarch === "amd64" ? "x86_64-linux-gnu" : "aarch64-linux-gnu";

const programDirectories = ["usr/sbin", "usr/bin", "sbin", "bin"].map((directory) =>
  join(paths.debian, directory),
);

/** Returns the path of a program in the unpacked packages. */
export function tool(name: string): string {
  const path = programDirectories.map((directory) => join(directory, name)).find(existsSync);
  if (path === undefined) throw new Error(`${name} is not in the unpacked Debian packages`);
  return path;
}

export const cniPlugins = join(paths.debian, "usr", "lib", "cni");

/** Environment variables with which the unpacked programs find each other and their libraries. */
export const toolEnvironment: Readonly<Record<string, string>> = {
  PATH: [...programDirectories, process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"].join(":"),
  LD_LIBRARY_PATH: [`usr/lib/${triplet}`, `lib/${triplet}`]
    .map((directory) => join(paths.debian, directory))
    .join(":"),
  XTABLES_LIBDIR: join(paths.debian, "usr", "lib", triplet, "xtables"),
};

const mark = join(paths.debian, ".complete");

export function toolsAreUnpacked(): boolean {
  return existsSync(mark) && readFileSync(mark, "utf8") === packages.join(" ");
}

/**
 * Downloads the packages, and unpacks them into the sandbox's directory. The packages of the system
 * itself do not change.
 */
export async function unpackTools(report: Report): Promise<void> {
  const staging = `${paths.debian}.new`;
  createEmpty(staging);
  await unpack(await new Apt(goarch, report).download(packages), staging);
  // Normally, the installation scripts of the packages create these links. But the sandbox does not
  // run these scripts.
  for (const program of ["iptables", "ip6tables"]) {
    for (const suffix of ["", "-save", "-restore"]) {
      const link = join(staging, "usr", "sbin", `${program}${suffix}`);
      rmSync(link, { force: true });
      symlinkSync("xtables-nft-multi", link);
    }
  }
  writeFileSync(join(staging, ".complete"), packages.join(" "));
  rmSync(paths.debian, { recursive: true, force: true });
  renameSync(staging, paths.debian);
}

/**
 * Creates the root file system of a base image from packages and their dependencies. The function
 * unpacks the packages without running their installation scripts, so the packages may be for an
 * architecture that this machine does not have.
 */
export async function rootFilesystem(
  names: readonly string[],
  architecture: "amd64" | "arm64",
  directory: string,
  report: Report,
): Promise<void> {
  for (const merged of ["bin", "sbin", "lib", "lib64"]) {
    mkdirSync(join(directory, "usr", merged), { recursive: true });
    symlinkSync(`usr/${merged}`, join(directory, merged));
  }
  await unpack(await new Apt(architecture, report).downloadWithDependencies(names), directory);
}

async function unpack(archives: readonly string[], directory: string): Promise<void> {
  for (const archive of archives) {
    const tar = join(paths.work, "package.tar");
    await command("sh", ["-c", 'exec dpkg-deb --fsys-tarfile "$1" > "$2"', "sh", archive, tar]);
    await command("tar", ["-xf", tar, "--keep-directory-symlink", "-C", directory]);
    rmSync(tar);
  }
}

/**
 * Runs apt with the machine's package sources and keys, but with separate directories for package
 * lists and downloads, so that the lists and downloads of the machine do not change.
 */
class Apt {
  readonly #directory: string;
  readonly #options: readonly string[];
  readonly #report: Report;

  constructor(architecture: string, report: Report) {
    this.#report = report;
    this.#directory = join(paths.work, `apt-${architecture}`);
    for (const needed of ["state/lists/partial", "cache/archives/partial"]) {
      mkdirSync(join(this.#directory, needed), { recursive: true });
    }
    const status = join(this.#directory, "status");
    writeFileSync(status, "");
    this.#options = [
      `Dir::State=${join(this.#directory, "state")}`,
      `Dir::State::status=${status}`,
      `Dir::Cache=${join(this.#directory, "cache")}`,
      `APT::Architecture=${architecture}`,
      `APT::Architectures=${architecture}`,
      "APT::Sandbox::User=root",
      "Acquire::Languages=none",
      "Acquire::Retries=3",
    ].flatMap((option) => ["-o", option]);
  }

  async #run(program: string, args: readonly string[], cwd = this.#directory): Promise<string> {
    return command(program, [...this.#options, ...args], {
      cwd,
      env: { LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
      log: join(paths.logs, "apt.log"),
      onLine: this.#report,
      timeout: 600_000,
    });
  }

  /**
   * Downloads packages, and ignores names that do not exist in this Debian release. Some libraries
   * have a different name in each release.
   */
  async download(names: readonly string[]): Promise<string[]> {
    await this.#run("apt-get", ["update", "-q"]);
    const known = new Set((await this.#run("apt-cache", ["pkgnames"])).split("\n"));
    const directory = join(this.#directory, "packages");
    createEmpty(directory);
    const available = names.filter((name) => known.has(name));
    await this.#run("apt-get", ["download", "-q", ...available], directory);
    return archives(directory);
  }

  async downloadWithDependencies(names: readonly string[]): Promise<string[]> {
    await this.#run("apt-get", ["update", "-q"]);
    await this.#run("apt-get", ["clean"]);
    const install = ["install", "-q", "--yes", "--download-only", "--no-install-recommends"];
    await this.#run("apt-get", [...install, ...names]);
    return archives(join(this.#directory, "cache", "archives"));
  }
}

function archives(directory: string): string[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith(".deb"))
    .sort()
    .map((file) => join(directory, file));
}
