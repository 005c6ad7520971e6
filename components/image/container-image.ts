import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as dockerBuild from "@pulumi/docker-build";
import * as pulumi from "@pulumi/pulumi";
import { contentHash } from "../conventions/content-hash";
import { assertValid, check, imageRef } from "../conventions/validation";

/** What an image can be built for. */
export type Platform = "linux/amd64" | "linux/arm64";

export const platforms: readonly Platform[] = ["linux/amd64", "linux/arm64"];

export interface ContainerImageArgs {
  /**
   * Repository the image is pushed to, without a tag. Without the right to push there, the build
   * fails at its end.
   */
  readonly repository: string;

  /**
   * Image that takes the place of the Dockerfile's stage `base`, by digest.
   * For machines that cannot reach the registry of the Dockerfile's own base image.
   *
   * @default - the Dockerfile's own base image
   */
  readonly baseImageRef?: string | undefined;

  /**
   * Name of the buildx builder. Its driver must be `docker-container`, `kubernetes` or `remote`:
   * the plain `docker` driver cannot push several platforms.
   *
   * @default - the builder that buildx uses by itself
   */
  readonly builder?: string | undefined;

  /**
   * Platforms the image is built for. A node of another platform cannot start its pods.
   *
   * @default - the builder's own platform
   */
  readonly platforms?: readonly Platform[] | undefined;

  /**
   * Directory of the repository, seen from where the program runs. Keep it relative: the state
   * holds it, and an absolute one makes an update out of each change of machine.
   *
   * @default "."
   */
  readonly root?: string;
}

/** What Maven built and the Dockerfile copies, relative to the repository. */
const contextDirectory = "service/target/image";
const dockerfile = "service/Dockerfile";
/** File beside the jars with the hash of the code that they were built from. */
const hashFile = "content-hash";

/**
 * The service's image, built by BuildKit from what `npm run build` made, pushed, and named by digest.
 *
 * Nothing is built in previews. The same code, base image and platforms give the same digest, so
 * building again restarts no pod.
 *
 * @throws pulumi.ResourceError when the jars are missing or were built from other code.
 */
export class ContainerImage extends pulumi.ComponentResource {
  /** `repository@sha256:...`; unknown in a preview in which the image changes. */
  readonly ref: pulumi.Output<string>;
  readonly nodes: { readonly image: dockerBuild.Image };

  constructor(name: string, args: ContainerImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:image:ContainerImage", name, args, opts);
    const { root = "." } = args;
    const hash = contentHash(root);
    validate(this, name, args, root, hash);
    const image = createImage(this, name, args, root, hash);
    this.nodes = { image };
    // Not the resource's own `ref`: that contains the tag.
    this.ref = pulumi.interpolate`${args.repository}@${image.digest}`;
    this.registerOutputs({ ref: this.ref });
  }
}

function validate(
  parent: pulumi.Resource,
  name: string,
  args: ContainerImageArgs,
  root: string,
  hash: string,
): void {
  const { baseImageRef, platforms: wanted = [], repository } = args;
  const file = join(root, contextDirectory, hashFile);
  const built = existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
  const jar = join(root, contextDirectory, "services-orders.jar");
  assertValid(parent, "ContainerImage", name, [
    check(/^[a-z0-9][a-z0-9.-]*(?::[0-9]+)?(?:\/[a-z0-9._-]+)+$/.test(repository), {
      arg: "repository",
      got: repository,
      rule: "be a registry and a path without tag or digest",
      fix: 'write it as "registry/services-orders"',
    }),
    imageRef("baseImageRef", baseImageRef),
    check(
      wanted.every((platform) => platforms.includes(platform)),
      {
        arg: "platforms",
        got: wanted,
        rule: `hold only ${platforms.join(" and ")}`,
        fix: "remove the others",
      },
    ),
    check(built !== undefined && existsSync(jar), {
      arg: contextDirectory,
      got: "nothing",
      rule: "hold the service's jars",
      fix: 'run "npm run build"',
    }),
    check(built === undefined || built === hash, {
      arg: contextDirectory,
      got: `content hash ${String(built).slice(0, 7)}`,
      rule: `be built from the code that is here (content hash ${hash.slice(0, 7)})`,
      fix: 'run "npm run build"',
    }),
  ]);
}

/** The tag changes with everything that goes into the image, and with nothing else. */
export function imageTag(args: ContainerImageArgs, hash: string): string {
  const parts = [hash, args.baseImageRef ?? "", ...[...(args.platforms ?? [])].sort()];
  return `build-${createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 40)}`;
}

function createImage(
  parent: pulumi.Resource,
  name: string,
  args: ContainerImageArgs,
  root: string,
  hash: string,
): dockerBuild.Image {
  const { baseImageRef, builder, platforms: wanted, repository } = args;
  return new dockerBuild.Image(
    name,
    {
      ...(builder === undefined ? {} : { builder: { name: builder } }),
      // Creation times are part of an image: a fixed one makes the same content the same digest.
      // (The provider already leaves the provenance attestation out, which would differ each time.)
      buildArgs: { SOURCE_DATE_EPOCH: "0" },
      // The provider's default builds the image in every preview.
      buildOnPreview: false,
      // No cache is exported: the last stage only copies jars, and moving a cache costs more.
      context: {
        location: join(root, contextDirectory),
        ...(baseImageRef === undefined
          ? {}
          : { named: { base: { location: `docker-image://${baseImageRef}` } } }),
      },
      dockerfile: { location: join(root, dockerfile) },
      ...(wanted === undefined ? {} : { platforms: [...wanted] }),
      push: true,
      tags: [`${repository}:${imageTag(args, hash)}`],
    },
    // Deleting removes the digest from the registry, also one that another stack runs.
    { parent, retainOnDelete: true },
  );
}
