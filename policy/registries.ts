import { environments } from "../environments";
import { type Outside, settingsFrom } from "../settings";
import { type Known, repositoryOf } from "./rules/images";

/**
 * Returns the registries and repositories in a stack's settings: `registries`, the repository of
 * the stack's image and, if the stack has an ephemeral database, the repository of the database's
 * image.
 *
 * If the settings are wrong, this function returns the reason, and the messages of the rule
 * `image-registry` show this reason.
 */
export function knownRegistries(outside: Omit<Outside, "git">): Known {
  try {
    // The registries do not depend on the branch or the commit, so this function does not run git.
    const git = { branch: "unknown", commit: "unknown" };
    const settings = settingsFrom({ ...outside, git });
    const { databaseImageRef, imageRef, imageRepository, environment, registries } = settings;
    const own = imageRepository ?? imageRef;
    const database = environments[environment].data === "own" ? databaseImageRef : undefined;
    const named = [own, database].filter((name) => name !== undefined).map(repositoryOf);
    return [...new Set([...registries, ...named])];
  } catch (error) {
    const { message } = error as Error;
    return { fault: message.replace(":\n- ", ": ").replaceAll("\n- ", "; ") };
  }
}
