import { environments } from "../environments";
import { type Outside, settingsFrom } from "../settings";
import { type Known, repositoryOf } from "./rules/images";

/**
 * The registries and repositories that a stack's settings name: `registries`, the repository of its
 * image, and that of the throw-away database where a stack has one.
 *
 * What is not known when settings are wrong is not allowed: the fault says what is wrong.
 */
export function knownRegistries(outside: Omit<Outside, "git">): Known {
  try {
    // What git would tell decides nothing here, and a pack need not wait for it.
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
