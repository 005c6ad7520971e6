import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { command } from "../command";
import { type Report, UserError } from "../progress";
import { rootFilesystem, tool } from "./debian";
import { paths, registryName } from "./layout";
import { executable } from "./obtain";
import { goarch, parts, versions } from "./parts";

type Architecture = typeof goarch;

/** An image that the sandbox makes and pushes to its registry. */
interface Image {
  readonly title: string;
  /** Repository in the registry. */
  readonly repository: string;
  readonly architectures: readonly Architecture[];
  /** Public image that this one stands in for, tried first. */
  readonly official?: () => string;
  /** What decides the content of a stand-in. */
  readonly version: string;
  /** Fills a build context: a Dockerfile and what it copies. */
  readonly context: (directory: string, report: Report) => Promise<void>;
}

const project = join(import.meta.dirname, "..", "..");

/** A public image is pulled within this time, or a stand-in is made. */
const PULL_TIMEOUT_MS = 300_000;

function single(path: () => string, name: string, entrypoint: readonly string[]): Image["context"] {
  return async (directory) => {
    copyFileSync(path(), join(directory, name));
    chmodSync(join(directory, name), 0o755);
    const dockerfile = `FROM scratch\nCOPY ${name} /${name}\nUSER 65534:65534\nENTRYPOINT ${JSON.stringify(entrypoint)}\n`;
    writeFileSync(join(directory, "Dockerfile"), dockerfile);
    return Promise.resolve();
  };
}

function fromPart(name: string): () => string {
  return () => {
    const part = parts.find((candidate) => candidate.name === name);
    if (part === undefined) {
      throw new Error(`no part is called ${name}`);
    }
    return executable(part);
  };
}

/** A base image of Debian packages; `finish` does what their installation scripts would have done. */
function debianBase(
  packages: readonly string[],
  architectures: readonly Architecture[],
  finish: (root: string, architecture: Architecture) => void,
  dockerfile: string,
): Image["context"] {
  return async (directory, report) => {
    for (const architecture of architectures) {
      const root = join(directory, `root-${architecture}`);
      await rootFilesystem(packages, architecture, root, report);
      for (const unneeded of ["usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "var/cache"]) {
        rmSync(join(root, unneeded), { recursive: true, force: true });
      }
      mkdirSync(join(root, "tmp"));
      chmodSync(join(root, "tmp"), 0o1777);
      mkdirSync(join(root, "etc"), { recursive: true });
      writeFileSync(join(root, "etc", "nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files dns\n");
      finish(root, architecture);
      report(`packing for ${architecture}`);
      // Sorted and dated alike, so that the same packages give the same image.
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

const images = {
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
    context: single(fromPart("coredns"), "coredns", ["/coredns"]),
  },
  "metrics-server": {
    title: "metrics-server image",
    repository: "sandbox/metrics-server",
    architectures: [goarch],
    version: versions.metricsServer,
    context: single(fromPart("metrics-server"), "metrics-server", ["/metrics-server"]),
  },
  jre: {
    title: "JRE base image",
    repository: "sandbox/jre",
    architectures: ["amd64", "arm64"],
    official: () => {
      const dockerfile = readFileSync(join(project, "service", "Dockerfile"), "utf8");
      const image = /^FROM (\S+@sha256:[0-9a-f]{64}) AS base$/m.exec(dockerfile)?.[1];
      if (image === undefined) {
        throw new UserError('service/Dockerfile must have a line "FROM <image>@sha256:<digest> AS base"; put it back');
      }
      return image;
    },
    version: "openjdk-17 1",
    context: debianBase(
      ["openjdk-17-jre-headless", "libc6", "tzdata"],
      ["amd64", "arm64"],
      (root, architecture) => {
        symlinkSync(`../lib/jvm/java-17-openjdk-${architecture}/bin/java`, join(root, "usr", "bin", "java"));
      },
      "",
    ),
  },
  postgres: {
    title: "PostgreSQL image",
    repository: "sandbox/postgres",
    architectures: [goarch],
    version: `postgresql-${POSTGRES} 2`,
    context: async (directory, report) => {
      copyFileSync(join(import.meta.dirname, "postgres", "docker-entrypoint.sh"), join(directory, "docker-entrypoint.sh"));
      await debianBase(
        [`postgresql-${POSTGRES}`, "coreutils", "dash", "tzdata"],
        [goarch],
        (root) => {
          for (const unneeded of ["usr/share/perl", `usr/lib/postgresql/${POSTGRES}/lib/bitcode`]) {
            rmSync(join(root, unneeded), { recursive: true, force: true });
          }
          // initdb wants a name for the user it runs as, whatever number a pod gives it.
          const users = ["root:x:0:0::/:/bin/sh", "postgres:x:999:999::/:/bin/sh", "orders:x:10001:10001::/:/bin/sh"];
          writeFileSync(join(root, "etc", "passwd"), `${users.join("\n")}\n`);
          writeFileSync(join(root, "etc", "group"), "root:x:0:\npostgres:x:999:\norders:x:10001:\n");
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

export type ImageName = keyof typeof images;

interface Made {
  readonly ref: string;
  readonly fingerprint: string;
}

function known(): Partial<Record<ImageName, Made>> {
  return existsSync(paths.images) ? (JSON.parse(readFileSync(paths.images, "utf8")) as Partial<Record<ImageName, Made>>) : {};
}

/** `repository@sha256:...` of an image that the sandbox has made. */
export function imageRef(name: ImageName): string {
  const made = known()[name];
  if (made === undefined) {
    throw new UserError(`the sandbox has no image "${name}" yet; run: npm run sandbox -- up`);
  }
  return made.ref;
}

function fingerprint(image: Image): string {
  const entrypoint = readFileSync(join(import.meta.dirname, "postgres", "docker-entrypoint.sh"));
  const decides = [image.repository, image.version, image.official?.() ?? "", image.architectures.join(), registryName()];
  return createHash("sha256").update(decides.join("\n")).update(entrypoint).digest("hex");
}

async function isInRegistry(ref: string): Promise<boolean> {
  const [repository = "", digest = ""] = ref.split("@");
  const host = registryName().split("/")[0] ?? "";
  const path = repository.slice(host.length + 1);
  const scheme = host.startsWith("localhost:") ? "http" : "https";
  const answer = await fetch(`${scheme}://${host}/v2/${path}/manifests/${digest}`, {
    method: "HEAD",
    headers: { accept: "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json" },
    signal: AbortSignal.timeout(10_000),
  }).catch(() => undefined);
  // A registry that wants a login has what was pushed to it; BuildKit and the node have the login, we do not.
  return answer?.ok === true || answer?.status === 401;
}

/** The images that have to be made, of those wanted. */
export async function missingImages(wanted: readonly ImageName[]): Promise<ImageName[]> {
  const made = known();
  const missing: ImageName[] = [];
  for (const name of wanted) {
    const one = made[name];
    if (one?.fingerprint !== fingerprint(images[name]) || !(await isInRegistry(one.ref))) {
      missing.push(name);
    }
  }
  return missing;
}

export const imageTitle = (name: ImageName): string => images[name].title;

/** Makes an image and pushes it: the public one where it can be pulled, else a stand-in of Debian's packages. */
export async function makeImage(name: ImageName, buildctl: string, report: Report): Promise<string> {
  const image: Image = images[name];
  const directory = join(paths.work, `image-${name}`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  let how = "made";
  let ref: string | undefined;
  if (image.official !== undefined) {
    const official = image.official();
    report(`pulling ${official.split("@")[0] ?? ""}`);
    writeFileSync(join(directory, "Dockerfile"), `FROM ${official}\n`);
    try {
      ref = await build(image, directory, buildctl, report, PULL_TIMEOUT_MS);
      how = `public image ${official.split("@")[0] ?? ""}`;
    } catch (error) {
      const cause = /(lookup \S+|dial tcp|no such host|TLS handshake|timeout|denied|not found|ran out of time)/i.exec(String(error));
      how = `stand-in of Debian's packages (the public image cannot be pulled${cause === null ? "" : `: ${cause[0]}`})`;
    }
  }
  if (ref === undefined) {
    await image.context(directory, report);
    ref = await build(image, directory, buildctl, report, PULL_TIMEOUT_MS);
  }
  rmSync(directory, { recursive: true, force: true });
  const made = { ...known(), [name]: { ref, fingerprint: fingerprint(image) } };
  writeFileSync(`${paths.images}.new`, `${JSON.stringify(made, undefined, 2)}\n`);
  renameSync(`${paths.images}.new`, paths.images);
  return how;
}

async function build(image: Image, directory: string, buildctl: string, report: Report, timeout: number): Promise<string> {
  const metadata = join(paths.work, "metadata.json");
  const repository = `${registryName()}/${image.repository}`;
  await command(
    buildctl,
    [
      `--addr=unix://${paths.buildkitSocket}`,
      ...["build", "--progress=plain", "--frontend=dockerfile.v0"],
      ...[`--local=context=${directory}`, `--local=dockerfile=${directory}`],
      `--opt=platform=${image.architectures.map((architecture) => `linux/${architecture}`).join(",")}`,
      `--output=type=image,name=${repository}:sandbox,push=true,oci-mediatypes=true`,
      `--metadata-file=${metadata}`,
    ],
    { timeout, onLine: report, log: join(paths.logs, "images.log") },
  );
  const written = JSON.parse(readFileSync(metadata, "utf8")) as { "containerimage.digest": string };
  return `${repository}@${written["containerimage.digest"]}`;
}
