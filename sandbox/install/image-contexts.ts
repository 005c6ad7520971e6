import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "../../lib/command";
import { project } from "../../lib/project";
import { type Report } from "../../lib/progress";
import { UserError } from "../../lib/errors";
import { rootFilesystem, tool } from "./debian";
import { program } from "./download-or-build";
import { cutJre, jrePackages } from "./jre";
import { goarch, versions } from "./parts";

type Architecture = typeof goarch;

/** An image that the sandbox builds and pushes to its registry. */
export interface Image {
  readonly title: string;
  /** Repository of the image in the registry. */
  readonly repository: string;
  readonly architectures: readonly Architecture[];
  /**
   * Returns the reference of a public image. If BuildKit can pull this image, the sandbox uses the
   * public image, and does not build its own image. Undefined if the sandbox always builds its own
   * image.
   */
  readonly official?: () => string;
  /**
   * Version of the image's content. If the version changes, the sandbox builds the image again.
   */
  readonly version: string;
  /** Writes the build context: a Dockerfile, and the files that the Dockerfile copies. */
  readonly context: (directory: string, report: Report) => Promise<void>;
}

function single(path: () => string, name: string, entrypoint: readonly string[]): Image["context"] {
  return async (directory) => {
    copyFileSync(path(), join(directory, name));
    chmodSync(join(directory, name), 0o755);
    const dockerfile = `FROM scratch\nCOPY ${name} /${name}\nUSER 65534:65534\nENTRYPOINT ${JSON.stringify(entrypoint)}\n`;
    writeFileSync(join(directory, "Dockerfile"), dockerfile);
    return Promise.resolve();
  };
}

/**
 * Returns a function that creates the build context of a base image from Debian packages. The
 * sandbox does not run the installation scripts of the packages. Instead, `finish` makes the
 * necessary changes in the root file system.
 */
function debianBase(
  packages: readonly string[],
  architectures: readonly Architecture[],
  finish: (root: string, architecture: Architecture, report: Report) => Promise<void> | void,
  dockerfile: string,
): Image["context"] {
  return async (directory, report) => {
    for (const architecture of architectures) {
      const root = join(directory, `root-${architecture}`);
      await rootFilesystem(packages, architecture, root, report);
      const documentation = ["doc", "info", "locale", "man"].map((name) => `usr/share/${name}`);
      for (const unneeded of [...documentation, "var/cache"]) {
        rmSync(join(root, unneeded), { recursive: true, force: true });
      }
      mkdirSync(join(root, "tmp"));
      chmodSync(join(root, "tmp"), 0o1777);
      mkdirSync(join(root, "etc"), { recursive: true });
      const sources = "passwd: files\ngroup: files\nhosts: files dns\n";
      writeFileSync(join(root, "etc", "nsswitch.conf"), sources);
      await finish(root, architecture, report);
      report(`packing for ${architecture}`);
      // tar writes the files in a fixed order and with fixed dates, so that the same packages
      // result in the same image.
      await command("tar", [
        ...["-C", root, "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"],
        ...["-cf", join(directory, `root-${architecture}.tar`), "."],
      ]);
      rmSync(root, { recursive: true, force: true });
    }
    writeFileSync(
      join(directory, "Dockerfile"),
      `FROM scratch\nARG TARGETARCH\nADD root-$TARGETARCH.tar /\nENV PATH=/usr/local/bin:/usr/sbin:/usr/bin LANG=C.UTF-8\n${dockerfile}`,
    );
  };
}

const POSTGRES = "15";

/**
 * The images of the sandbox's own pods, the base image of the service, and the image of the
 * database.
 */
export const images = {
  pause: {
    title: "pause image",
    repository: "sandbox/pause",
    architectures: [goarch],
    version: "catatonit",
    context: single(() => tool("catatonit"), "catatonit", ["/catatonit", "-P"]),
  },
  coredns: {
    title: "CoreDNS image",
    repository: "sandbox/coredns",
    architectures: [goarch],
    version: versions.coredns,
    context: single(() => program("coredns"), "coredns", ["/coredns"]),
  },
  "metrics-server": {
    title: "metrics-server image",
    repository: "sandbox/metrics-server",
    architectures: [goarch],
    version: versions.metricsServer,
    context: single(() => program("metrics-server"), "metrics-server", ["/metrics-server"]),
  },
  jre: {
    title: "JRE base image",
    repository: "sandbox/jre",
    architectures: ["amd64", "arm64"],
    official: () => {
      const dockerfile = readFileSync(join(project, "service", "Dockerfile"), "utf8");
      const image = /^FROM (\S+@sha256:[0-9a-f]{64}) AS base$/m.exec(dockerfile)?.[1];
      if (image === undefined) {
        throw new UserError(
          'service/Dockerfile must have a line "FROM <image>@sha256:<digest> AS base"; put this line back',
        );
      }
      return image;
    },
    version: "openjdk-17 2",
    context: debianBase(jrePackages, ["amd64", "arm64"], cutJre, ""),
  },
  postgres: {
    title: "PostgreSQL image",
    repository: "sandbox/postgres",
    architectures: [goarch],
    version: `postgresql-${POSTGRES} 2`,
    context: async (directory, report) => {
      copyFileSync(
        join(project, "sandbox", "postgres", "docker-entrypoint.sh"),
        join(directory, "docker-entrypoint.sh"),
      );
      await debianBase(
        [`postgresql-${POSTGRES}`, "coreutils", "dash", "tzdata"],
        [goarch],
        (root) => {
          for (const unneeded of ["usr/share/perl", `usr/lib/postgresql/${POSTGRES}/lib/bitcode`]) {
            rmSync(join(root, unneeded), { recursive: true, force: true });
          }
          // initdb fails if its user has no name, so each UID that a pod may use needs a name.
          const users = Object.entries({ root: "0", postgres: "999", orders: "10001" });
          const passwd = users.map(([name, id]) => `${name}:x:${id}:${id}::/:/bin/sh\n`);
          const group = users.map(([name, id]) => `${name}:x:${id}:\n`);
          writeFileSync(join(root, "etc", "passwd"), passwd.join(""));
          writeFileSync(join(root, "etc", "group"), group.join(""));
        },
        `ENV PATH=/usr/lib/postgresql/${POSTGRES}/bin:/usr/local/bin:/usr/sbin:/usr/bin PGDATA=/var/lib/postgresql/data
COPY --chmod=755 docker-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
EXPOSE 5432
USER 999:999
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
`,
      )(directory, report);
    },
  },
} as const satisfies Record<string, Image>;
