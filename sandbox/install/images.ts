import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "../../lib/command";
import { project } from "../../lib/project";
import { type Report } from "../../lib/progress";
import { UserError } from "../../lib/errors";
import { replaceFile } from "../../lib/replace";
import { type Image, images } from "./image-contexts";
import { createEmpty, paths, registryName, registryUrl } from "../layout";
import { program } from "./download-or-build";

/**
 * Timeout of an image build, in milliseconds. If the pull of the public image takes longer, the
 * sandbox builds its own image from Debian packages.
 */
const PULL_TIMEOUT_MS = 300_000;

export type ImageName = keyof typeof images;

interface Made {
  readonly ref: string;
  readonly fingerprint: string;
}

function known(): Partial<Record<ImageName, Made>> {
  return existsSync(paths.images)
    ? (JSON.parse(readFileSync(paths.images, "utf8")) as Partial<Record<ImageName, Made>>)
    : {};
}

/**
 * Returns the reference of an image that the sandbox has pushed to its registry, in the form
 * `repository@sha256:...`.
 */
export function imageRef(name: ImageName): string {
  const made = known()[name];
  if (made === undefined) {
    throw new UserError(`the sandbox has no image "${name}" yet; run: npm run sandbox -- up`);
  }
  return made.ref;
}

function fingerprint(image: Image): string {
  const entrypoint = readFileSync(join(project, "sandbox", "postgres", "docker-entrypoint.sh"));
  const decides = [
    image.repository,
    image.version,
    image.official?.() ?? "",
    image.architectures.join(),
    registryName(),
  ];
  return createHash("sha256").update(decides.join("\n")).update(entrypoint).digest("hex");
}

async function isInRegistry(ref: string): Promise<boolean> {
  const [repository = "", digest = ""] = ref.split("@");
  const path = repository.split("/").slice(1).join("/");
  const answer = await fetch(`${registryUrl()}/v2/${path}/manifests/${digest}`, {
    method: "HEAD",
    headers: {
      accept: "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json",
    },
    signal: AbortSignal.timeout(10_000),
  }).catch(() => undefined);
  // This request sends no credentials, so a registry that requires a login answers with status 401.
  // In this case, the sandbox assumes that the image exists. Unlike this request, BuildKit and the
  // node send credentials.
  return answer?.ok === true || answer?.status === 401;
}

/**
 * Pushes the images in `wanted` that are missing in the registry or out of date.
 *
 * @returns the duration in milliseconds; 0 if no image was missing
 */
export async function makeMissingImages(
  wanted: readonly ImageName[],
  report: Report,
): Promise<number> {
  const started = Date.now();
  const made = known();
  const missing: ImageName[] = [];
  for (const name of wanted) {
    const one = made[name];
    if (one?.fingerprint !== fingerprint(images[name]) || !(await isInRegistry(one.ref))) {
      missing.push(name);
    }
  }
  for (const name of missing) {
    const { title } = images[name];
    const how = await makeImage(name, (detail) => {
      report(`${title}: ${detail}`);
    });
    console.log(`      ${title}: ${how}`);
  }
  return missing.length === 0 ? 0 : Date.now() - started;
}

/**
 * Pushes an image to the registry. If there is a public image and BuildKit can pull the public
 * image, the function pushes the public image. Otherwise, the function pushes an image that the
 * sandbox builds itself.
 *
 * @returns a text that says which image this function has pushed
 */
async function makeImage(name: ImageName, report: Report): Promise<string> {
  const image: Image = images[name];
  const directory = join(paths.work, `image-${name}`);
  createEmpty(directory);
  let how = "built";
  let ref: string | undefined;
  if (image.official !== undefined) {
    const official = image.official();
    const [repository = ""] = official.split("@");
    report(`pulling ${repository}`);
    writeFileSync(join(directory, "Dockerfile"), `FROM ${official}\n`);
    try {
      ref = await build(image, directory, report);
      how = `public image ${repository}`;
    } catch (error) {
      const cause =
        /(lookup \S+|dial tcp|no such host|TLS handshake|timeout|denied|not found|ran out of time)/i.exec(
          String(error),
        );
      how = `built from Debian packages (BuildKit could not pull the public image${cause === null ? "" : `: ${cause[0]}`})`;
    }
  }
  if (ref === undefined) {
    await image.context(directory, report);
    ref = await build(image, directory, report);
  }
  rmSync(directory, { recursive: true, force: true });
  const made = { ...known(), [name]: { ref, fingerprint: fingerprint(image) } };
  replaceFile(paths.images, `${JSON.stringify(made, undefined, 2)}\n`);
  return how;
}

async function build(image: Image, directory: string, report: Report): Promise<string> {
  const metadata = join(paths.work, "metadata.json");
  const repository = `${registryName()}/${image.repository}`;
  await command(
    program("buildkit", "buildctl"),
    [
      `--addr=unix://${paths.buildkitSocket}`,
      ...["build", "--progress=plain", "--frontend=dockerfile.v0"],
      ...[`--local=context=${directory}`, `--local=dockerfile=${directory}`],
      `--opt=platform=${image.architectures.map((architecture) => `linux/${architecture}`).join(",")}`,
      `--output=type=image,name=${repository}:sandbox,push=true,oci-mediatypes=true`,
      `--metadata-file=${metadata}`,
    ],
    { timeout: PULL_TIMEOUT_MS, onLine: report, log: join(paths.logs, "images.log") },
  );
  const written = JSON.parse(readFileSync(metadata, "utf8")) as { "containerimage.digest": string };
  return `${repository}@${written["containerimage.digest"]}`;
}
