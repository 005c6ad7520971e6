import { readFileSync } from "node:fs";
import { join } from "node:path";
import { executorImages } from "../config/circleci";
import { UserError } from "../lib/errors";
import { project } from "../lib/project";
import { replaceFile } from "../lib/replace";

/** File with the images of the CircleCI jobs. */
const file = "config/circleci.ts";

/**
 * Function that returns the image with a tag, in the form `repository@sha256:...`. Undefined if the
 * registry does not have the tag.
 */
type Resolve = (repository: string, tag: string) => Promise<string | undefined>;

/**
 * `npm run pipeline -- pin`: writes the digest of each executor's image into config/circleci.ts, in
 * the form `name:version@sha256:...`. If an image already has a digest, the command replaces this
 * digest with the current digest of the tag.
 *
 * @throws UserError if a registry does not answer, if a registry does not have the tag, or if the
 * file does not contain the image. In all these cases, the function does not change the file.
 */
export async function pin(
  resolve: Resolve,
  root = project,
  images: Readonly<Record<string, string>> = executorImages,
): Promise<void> {
  let text = readFileSync(join(root, file), "utf8");
  for (const image of Object.values(images)) {
    const [tagged = ""] = image.split("@");
    const pinned = `${tagged}@${await digestOf(tagged, resolve)}`;
    const before = text;
    text = text.replaceAll(`"${image}"`, `"${pinned}"`);
    if (before === text && image !== pinned)
      throw new UserError(
        `${file} does not contain "${image}": add the digest yourself: ${pinned}`,
      );
    console.log(image === pinned ? `${pinned} is up to date` : pinned);
  }
  replaceFile(join(root, file), text);
  console.log(`Wrote ${file}. Now run npm run pipeline, and commit the files.`);
}

async function digestOf(tagged: string, resolve: Resolve): Promise<string> {
  const colon = tagged.lastIndexOf(":");
  const [repository, tag] = [withRegistry(tagged.slice(0, colon)), tagged.slice(colon + 1)];
  const found = await resolve(repository, tag);
  if (found === undefined)
    throw new UserError(`The registry does not have ${repository}:${tag}. Nothing was changed.`);
  return found.slice(found.indexOf("@") + 1);
}

/**
 * Returns the full name of a repository. The full name starts with the registry. As in Docker, the
 * default registry is Docker Hub.
 */
function withRegistry(repository: string): string {
  const [first = ""] = repository.split("/");
  return repository.includes("/") && /[.:]|^localhost$/.test(first)
    ? repository
    : `docker.io/${repository.includes("/") ? "" : "library/"}${repository}`;
}
