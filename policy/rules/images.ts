import { service } from "../../config/service";
import { imageRefForm } from "../../components/conventions/validation";
import { at, unknown } from "./declared";
import { containers } from "./pods";
import type { Rule } from "./rule";

/**
 * After a review, someone can move a tag to another image. A digest always identifies the same
 * image.
 */
export const imageDigest: Rule = {
  name: "image-digest",
  description: "Every container runs an image by its digest",
  check: (object) =>
    containers(object)
      .map(({ path, value }) => ({ got: at(value, "image"), path: `${path}.image` }))
      .filter(({ got }) => got !== unknown && !imageRefForm.test(String(got)))
      .map((place) => ({
        ...place,
        must: "be repository@sha256:<64 hex digits>",
        todo: "take the digest that the registry shows for the tag",
      })),
};

/**
 * Returns the repository of an image reference: without tag and digest, and with the default
 * registry if the reference contains no registry.
 */
export function repositoryOf(imageRef: string): string {
  const bare = (imageRef.split("@")[0] ?? "").replace(/:[^:/]*$/, "");
  const [first = "", ...rest] = bare.split("/");
  if (rest.length === 0) return `docker.io/library/${bare}`;
  return /[.:]|^localhost$/.test(first) ? bare : `docker.io/${bare}`;
}

/** The registries and repositories that a stack may use, or the reason why they are unknown. */
export type Known = readonly string[] | { readonly fault: string };

/**
 * Every image must come from one of the registries or repositories in `known`, or from a repository
 * below one of them.
 */
export function imageRegistry(known: Known): Rule {
  return {
    name: "image-registry",
    description: "Every image comes from a registry that the stack knows",
    check(object) {
      const images = containers(object)
        .map(({ path, value }) => ({ got: at(value, "image"), path: `${path}.image` }))
        .filter(({ got }) => got !== unknown && got !== undefined);
      if (images.length === 0) return [];
      if ("fault" in known) {
        const todo = `fix the stack's settings: ${known.fault}`;
        return images.map((image) => ({ ...image, must: "come from a known registry", todo }));
      }
      return images
        .filter(({ got }) => {
          const repository = `${repositoryOf(String(got))}/`;
          return !known.some((origin) => repository.startsWith(`${origin}/`));
        })
        .map((image) => ({
          ...image,
          must: `come from ${known.join(" or ")}`,
          todo: `use an image from there, or add the registry of this image to ${service}:registries`,
        }));
    },
  };
}
