import * as pulumi from "@pulumi/pulumi";
import { service } from "../config/service";
import { environments } from "../environments";
import type { Settings } from "../settings";
import type { ReadLastRelease } from "./last-release";

/** Commands that choose an image for a stack that does not build an image. */
const chooseBy = { chosen: "npm run canary -- start BRANCH", promoted: "npm run promote" };

/**
 * Returns the settings. If the stack does not build its image, and the settings contain no image,
 * the returned settings contain the release of the stack's last update. Production and its canary
 * run the release that a command has chosen, not the code that is checked out.
 *
 * @throws pulumi.RunError if a stack does not build its image, has no image in its settings, and
 * has no earlier release.
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
    // The number of a canary's pods depends on its percentage of the requests, so this number
    // belongs to the release. For production, the number of pods is a setting.
    ...(canaryOf === undefined ? {} : { replicas }),
  };
}
