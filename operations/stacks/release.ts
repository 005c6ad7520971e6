import { type Engine, variables } from "../pulumi/engine";
import type { Tags } from "../pulumi/stacks";

/** What a stack is told to run: as the program's environment variables name it. */
export interface Release {
  readonly branch: string;
  readonly commit: string;
  readonly imageRef: string;
  readonly reason?: string;
  readonly replicas?: number;
}

/** Tag of `prod` that holds what was promoted and is not deployed yet. */
export const promotedTag = "promoted";

export function releaseEnv(release: Release): Readonly<Record<string, string>> {
  const { branch, commit, imageRef, reason, replicas } = release;
  return {
    RELEASE_BRANCH: branch,
    RELEASE_COMMIT: commit,
    RELEASE_IMAGE_REF: imageRef,
    ...(reason === undefined ? {} : { RELEASE_REASON: reason }),
    ...(replicas === undefined ? {} : { RELEASE_REPLICAS: String(replicas) }),
  };
}

/** The release that a stack's tag names; undefined where nothing is promoted. */
export function promoted(tags: Tags): Release | undefined {
  const text = tags[promotedTag];
  return text === undefined ? undefined : (JSON.parse(text) as Release);
}

/** Whether this release is what the engine is told to run. */
export function isTold(engine: Engine, release: Release): boolean {
  const told = variables(engine);
  return Object.entries(releaseEnv(release)).every(([name, value]) => told[name] === value);
}

/** Whether the shell or the CI job says by itself what is to run. */
export function isGiven(engine: Engine): boolean {
  return (variables(engine)["RELEASE_IMAGE_REF"] ?? "") !== "";
}
