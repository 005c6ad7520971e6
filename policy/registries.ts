import { environments } from "../environments";
import { type Outside, settingsFrom } from "../settings";
import { type Known, repositoryOf } from "./rules/images";

/**
 * The registries and repositories that a stack's settings name: `registries`, the repository of its
 * image, and that of the review database, if the stack has one.
 *
 * If the settings are wrong, no registry is known, and the message says what is wrong.
 */
export function knownRegistries(outside: Omit<Outside, "git">): Known {
  try {
    // The result does not depend on git, so the pack does not wait for it.
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
