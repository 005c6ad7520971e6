import { createHash } from "node:crypto";
import { join } from "node:path";
import * as dockerBuild from "@pulumi/docker-build";
import * as pulumi from "@pulumi/pulumi";
import { service } from "../../config/service";
import { builtFrom, contentHash, contextDirectory } from "../conventions/content-hash";
import { assertValid } from "../conventions/expected-error";
import { check, each, elements, imageRef } from "../conventions/validation";

/** Platforms for which BuildKit can build the image. */
export type Platform = "linux/amd64" | "linux/arm64";

const platforms: readonly Platform[] = ["linux/amd64", "linux/arm64"];

export interface ContainerImageArgs {
  /**
   * Repository to which the build pushes the image, without a tag. If you do not have permission to
   * push, the build fails in its last step.
   */
  readonly repository: string;

  /**
   * Image that replaces the Dockerfile's stage `base`, in the form `repository@sha256:...`. Set
   * this arg on a machine that cannot connect to the registry of the Dockerfile's base image.
   *
   * @default - the Dockerfile's base image
   */
  readonly baseImageRef?: string | undefined;

  /**
   * Name of the buildx builder. The builder's driver must be `docker-container`, `kubernetes` or
   * `remote`: the `docker` driver cannot push an image for several platforms.
   *
   * @default - the current builder of buildx
   * @see https://docs.docker.com/build/builders/drivers/
   */
  readonly builder?: string | undefined;

  /**
   * Platforms of the image. Nodes with other platforms cannot run the image.
   *
   * @default - the builder's platform
   */
  readonly platforms?: readonly Platform[] | undefined;

  /**
   * Directory of the repository, relative to the program's working directory. The Pulumi state
   * contains this path. On another machine, an absolute path would be different and cause an
   * update.
   *
   * @default "."
   */
  readonly root?: string;
}

const dockerfile = "service/Dockerfile";

/**
 * The service's image. BuildKit builds the image from the output of `npm run build` and pushes the
 * image to the repository.
 *
 * A preview builds nothing. The same code, base image and platforms result in the same digest, so a
 * rebuild does not restart pods.
 *
 * @throws pulumi.ResourceError if the jars are missing, or if Maven did not build the jars from the
 * current code.
 */
export class ContainerImage extends pulumi.ComponentResource {
  /**
   * Image reference in the form `repository@sha256:...`. If the image changes, this reference is
   * unknown during a preview.
   */
  readonly ref: pulumi.Output<string>;
  readonly nodes: { readonly image: dockerBuild.Image };

  constructor(name: string, args: ContainerImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:image:ContainerImage", name, args, opts);
    const { root = "." } = args;
    const hash = contentHash(root);
    validate(this, name, args, root, hash);
    const image = createImage(this, name, args, root, hash);
    this.nodes = { image };
    // This code does not use the resource's own `ref`, because that reference also contains the
    // tag.
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
  const built = builtFrom(join(root, contextDirectory));
  assertValid(parent, "ContainerImage", name, [
    check(/^[a-z0-9][a-z0-9.-]*(?::[0-9]+)?(?:\/[a-z0-9._-]+)+$/.test(repository), {
      arg: "repository",
      got: repository,
      rule: "be a registry and a path without tag or digest",
      fix: `write it as "registry/${service}"`,
    }),
    imageRef("baseImageRef", baseImageRef),
    ...each(elements("platforms", wanted), (platform) => platforms.includes(platform), {
      rule: `be ${platforms.join(" or ")}`,
      fix: "remove it",
    }),
    check(built !== undefined, {
      arg: contextDirectory,
      got: "nothing",
      rule: "hold the service's jars",
      fix: 'run "npm run build"',
    }),
    check(built === undefined || built === hash, {
      arg: contextDirectory,
      got: `content hash ${String(built).slice(0, 7)}`,
      rule: `be built from the current code (content hash ${hash.slice(0, 7)})`,
      fix: 'run "npm run build"',
    }),
  ]);
}

/** Returns the tag: `build-` and a hash of the content hash, the base image and the platforms. */
function imageTag(args: ContainerImageArgs, hash: string): string {
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
      // The creation time is part of an image. With a fixed time, the digest depends only on the
      // content. (A provenance attestation would also change the digest, but the provider creates
      // no attestation.)
      buildArgs: { SOURCE_DATE_EPOCH: "0" },
      // By default, the provider would build the image in every preview.
      buildOnPreview: false,
      // The build does not export a cache: the last stage of the Dockerfile only copies jars, and
      // the export of a cache would make the build slower.
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
    // Pulumi does not delete the image, because the nodes of another stack may still pull the same
    // digest from the registry.
    { parent, retainOnDelete: true },
  );
}
