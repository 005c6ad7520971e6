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
import { paths } from "../layout";
import { goarch } from "./parts";

/** Daemons and tools that exist as Debian packages, and libraries that a minimal system lacks. */
const packages = [
  // daemons: the cluster's store, its container runtime, its pod network, the registry
  ...[
    "etcd-server",
    "containerd",
    "runc",
    "libseccomp2",
    "containernetworking-plugins",
    "docker-registry",
  ],
  // first process of the sandbox, and of every pod
  "catatonit",
  // what kube-proxy calls
  ...[
    "iptables",
    "libip4tc2",
    "libip6tc2",
    "libxtables12",
    "libnftnl11",
    "libmnl0",
    "libnfnetlink0",
  ],
  ...["conntrack", "libnetfilter-conntrack3", "ipset", "libipset13"],
  ...["iproute2", "libbpf0", "libbpf1", "libelf1", "libbsd0", "libmd0", "libcap2"],
  ...["openssl", "libssl3"],
] as const;

const triplet = goarch === "amd64" ? "x86_64-linux-gnu" : "aarch64-linux-gnu";

/** Path of a program of an unpacked package. */
export function tool(name: string): string {
  for (const directory of ["usr/sbin", "usr/bin", "sbin", "bin"]) {
    const path = join(paths.debian, directory, name);
    if (existsSync(path)) {
      return path;
    }
  }
  throw new Error(`${name} is not in the unpacked Debian packages`);
}

export const cniPlugins = join(paths.debian, "usr", "lib", "cni");

/** The variables with which the unpacked programs find each other and their libraries. */
export const toolEnvironment: Readonly<Record<string, string>> = {
  PATH: [
    ...["usr/sbin", "usr/bin", "sbin", "bin"].map((directory) => join(paths.debian, directory)),
    process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin",
  ].join(":"),
  LD_LIBRARY_PATH: [`usr/lib/${triplet}`, `lib/${triplet}`]
    .map((directory) => join(paths.debian, directory))
    .join(":"),
  XTABLES_LIBDIR: join(paths.debian, "usr", "lib", triplet, "xtables"),
};

const mark = join(paths.debian, ".complete");

export function toolsAreUnpacked(): boolean {
  return existsSync(mark) && readFileSync(mark, "utf8") === packages.join(" ");
}

/** Unpacks the packages into the sandbox's directory. Nothing is installed into the system. */
export async function unpackTools(report: Report): Promise<void> {
  const staging = `${paths.debian}.new`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  const apt = new Apt(goarch);
  await apt.update(report);
  const available = await apt.available(packages);
  const archives = await apt.download(available, report);
  await unpack(archives, staging);
  // Debian sets this link when the package is installed.
  for (const program of [
    "iptables",
    "iptables-save",
    "iptables-restore",
    "ip6tables",
    "ip6tables-save",
    "ip6tables-restore",
  ]) {
    rmSync(join(staging, "usr", "sbin", program), { force: true });
    symlinkSync("xtables-nft-multi", join(staging, "usr", "sbin", program));
  }
  writeFileSync(join(staging, ".complete"), packages.join(" "));
  rmSync(paths.debian, { recursive: true, force: true });
  renameSync(staging, paths.debian);
}

/**
 * Makes a root file system from packages and their dependencies, as in a base image. Packages are
 * unpacked and their scripts do not run, so it also works for other architectures than the
 * machine's.
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
  const apt = new Apt(architecture);
  await apt.update(report);
  await unpack(await apt.downloadWithDependencies(names, report), directory);
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
 * apt with the machine's sources and keys, but with its own lists and archives: the machine's stay
 * unchanged.
 */
class Apt {
  readonly #directory: string;
  readonly #options: readonly string[];

  constructor(architecture: string) {
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

  async #run(
    program: string,
    args: readonly string[],
    report?: Report,
    cwd?: string,
  ): Promise<string> {
    return command(program, [...this.#options, ...args], {
      log: join(paths.logs, "apt.log"),
      timeout: 600_000,
      env: { LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
      ...(report === undefined ? {} : { onLine: report }),
      ...(cwd === undefined ? {} : { cwd }),
    });
  }

  async update(report: Report): Promise<void> {
    await this.#run("apt-get", ["update", "-q"], report);
  }

  /**
   * The packages in `names` that this Debian release has: some libraries are renamed between
   * releases.
   */
  async available(names: readonly string[]): Promise<string[]> {
    const known = new Set((await this.#run("apt-cache", ["pkgnames"])).split("\n"));
    return names.filter((name) => known.has(name));
  }

  async download(names: readonly string[], report: Report): Promise<string[]> {
    const directory = join(this.#directory, "packages");
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory);
    await this.#run("apt-get", ["download", "-q", ...names], report, directory);
    return archives(directory);
  }

  async downloadWithDependencies(names: readonly string[], report: Report): Promise<string[]> {
    const directory = join(this.#directory, "cache", "archives");
    await this.#run("apt-get", ["clean"]);
    await this.#run(
      "apt-get",
      ["install", "-q", "--yes", "--download-only", "--no-install-recommends", ...names],
      report,
    );
    return archives(directory);
  }
}

function archives(directory: string): string[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith(".deb"))
    .sort()
    .map((file) => join(directory, file));
}
