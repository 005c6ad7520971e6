import * as pulumi from "@pulumi/pulumi";

/** The release of a stack's last update. */
export interface LastRelease {
  readonly branch: string;
  readonly commit: string;
  readonly imageRef: string;
  readonly reason: string | undefined;
  readonly replicas: number;
}

/** Reads {@link LastRelease}. Tests pass their own function. */
export type ReadLastRelease = (stack: string) => Promise<LastRelease | undefined>;

/**
 * Returns the release in the outputs of this stack's last update. Production runs this release
 * until a person promotes another release, no matter which code is checked out.
 *
 * @returns undefined if no update has deployed an image to the stack.
 */
export const readLastRelease: ReadLastRelease = async (stack) => {
  const organization = pulumi.getOrganization();
  const name = `${organization}/${pulumi.getProject()}/${stack}`;
  const last = new pulumi.StackReference("last-update", { name });
  const value = async (output: string) => (await last.getOutputDetails(output)).value as unknown;
  const [branch, commit, imageRef, reason, replicas] = await Promise.all(
    ["branch", "commit", "imageRef", "releaseReason", "replicas"].map(value),
  );
  if (typeof imageRef !== "string") return undefined;
  return {
    branch: typeof branch === "string" ? branch : "unknown",
    commit: typeof commit === "string" ? commit : "unknown",
    imageRef,
    reason: typeof reason === "string" ? reason : undefined,
    replicas: typeof replicas === "number" ? replicas : 1,
  };
};
