import { existsSync, readFileSync } from "node:fs";
import { versions } from "../install/parts";

/** Operating systems for which this project has install hints. */
const systems = { debian: "Debian", ubuntu: "Ubuntu", fedora: "Fedora", macos: "macOS" } as const;
export type System = keyof typeof systems;

type Hint = Readonly<Record<System, string>>;

const pulumiScript = `curl -fsSL https://get.pulumi.com | sh -s -- --version ${versions.pulumi}`;
const kubectlPage = "see https://kubernetes.io/docs/tasks/tools/install-kubectl-linux/";
const dockerPage = (distribution: string): string =>
  `see https://docs.docker.com/engine/install/${distribution}/`;
/** On Linux, only root and the members of the group `docker` may use Docker's daemon. */
const startDaemon = 'sudo systemctl start docker, and add your user to the group "docker"';

/** What to run, or which page to read, to install each program. */
const hints = {
  buildx: {
    debian: dockerPage("debian"),
    fedora: dockerPage("fedora"),
    macos: "start Docker Desktop, which contains buildx",
    ubuntu: "sudo apt-get install docker-buildx",
  },
  daemon: {
    debian: startDaemon,
    fedora: startDaemon,
    macos: "start Docker Desktop",
    ubuntu: startDaemon,
  },
  docker: {
    debian: dockerPage("debian"),
    fedora: dockerPage("fedora"),
    macos: "brew install --cask docker-desktop",
    ubuntu: "sudo apt-get install docker.io docker-buildx",
  },
  jdk: {
    debian: "sudo apt-get install default-jdk",
    fedora: "sudo dnf install java-21-openjdk-devel",
    macos: "brew install --cask temurin@17",
    ubuntu: "sudo apt-get install openjdk-17-jdk",
  },
  kubectl: {
    debian: kubectlPage,
    fedora: kubectlPage,
    macos: "brew install kubectl",
    ubuntu: "sudo snap install kubectl --classic",
  },
  maven: {
    debian: "sudo apt-get install maven",
    fedora: "sudo dnf install maven",
    macos: "brew install maven",
    ubuntu: "sudo apt-get install maven",
  },
  pulumi: {
    debian: pulumiScript,
    fedora: pulumiScript,
    macos: "brew install pulumi/tap/pulumi",
    ubuntu: pulumiScript,
  },
} satisfies Readonly<Record<string, Hint>>;

/** A program, a plugin or a daemon that may be missing on a machine. */
type Installable = keyof typeof hints;

/**
 * Returns which of the {@link systems} a machine has. If the field `ID_LIKE` of a distribution
 * contains one of these systems, the function returns this system. Undefined for any other system.
 *
 * @param release content of /etc/os-release, empty if this file does not exist
 */
export function systemOf(platform: NodeJS.Platform, release: string): System | undefined {
  if (platform === "darwin") return "macos";
  const field = (name: string): string =>
    new RegExp(`^${name}="?([^"\\n]*)"?$`, "m").exec(release)?.[1] ?? "";
  const names = [field("ID"), ...field("ID_LIKE").split(" ")];
  return names.find((name): name is System => name !== "macos" && name in systems);
}

const osRelease = "/etc/os-release";

/** Returns the system of this machine. */
export function thisSystem(): System | undefined {
  const release = existsSync(osRelease) ? readFileSync(osRelease, "utf8") : "";
  return systemOf(process.platform, release);
}

/**
 * Returns how to install a program on a system. If `system` is undefined, returns how to install
 * the program on each of the {@link systems}.
 */
export function installWith(what: Installable, system: System | undefined): string {
  const hint: Hint = hints[what];
  if (system !== undefined) return hint[system];
  return Object.entries(systems)
    .map(([name, title]) => `${title}: ${hint[name as System]}`)
    .join("; ");
}
