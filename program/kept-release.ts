import * as pulumi from "@pulumi/pulumi";
import { service } from "../config/service";
import { environments } from "../environments";
import type { Settings } from "../settings";
import type { ReadLastRelease } from "./last-release";

/** The command that chooses an image for a stack that does not build one. */
const chooseBy = { chosen: "npm run canary -- start BRANCH", promoted: "npm run promote" };

/**
 * Returns the settings with the release that the stack keeps. Production and its canary run the
 * release that a command has chosen, not the code that is checked out.
 *
 * @throws pulumi.RunError if no command has chosen a release yet.
 */
export async function withKeptRelease(
  settings: Settings,
  readLast: ReadLastRelease,
): Promise<Settings> {
  const { environment, imageRef, stack } = settings;
  const { canaryOf, image } = environments[environment];
  if (imageRef !== undefined || image === "built") return settings;
  const last = await readLast(stack);
  if (last === undefined) {
    throw new pulumi.RunError(
      `Stack "${stack}" runs no image yet: choose one with "${chooseBy[image]}", or set ${service}:imageRef.`,
    );
  }
  const { branch, commit, reason, replicas } = last;
  return {
    ...settings,
    imageRef: last.imageRef,
    release: { branch, commit },
    releaseReason: settings.releaseReason ?? reason,
    // A canary's number of pods follows from its percentage of the requests, not from a setting.
    ...(canaryOf === undefined ? {} : { replicas }),
  };
}
