import { organization, projectId, settings, user } from "./platform";

/** The job that a token is about. */
export interface TokenOf {
  /** Names of the contexts. @default [] */
  readonly contexts?: readonly string[];
  /** @default the service's own project */
  readonly projectId?: string;
  /** Full name of the branch or tag, such as `refs/heads/main`. */
  readonly ref: string;
  /** @default false */
  readonly rerunWithSsh?: boolean;
  /** Id of the actor. */
  readonly user?: string;
}

/**
 * Returns the claims of a job's token, version 2 (CircleCI's docs: OIDC tokens). A rerun with SSH is
 * a claim, too, but IAM cannot compare it.
 */
export function claimsOf(job: TokenOf): Readonly<Record<string, string>> {
  const {
    contexts = [],
    projectId: id = projectId,
    ref,
    rerunWithSsh = false,
    user: by = user,
  } = job;
  const origin = settings.circleci.vcsOrigin;
  const claim = (name: string) => `oidc.circleci.com/${name}`;
  return {
    aud: organization,
    [claim("context-ids")]: JSON.stringify(contexts),
    [claim("project-id")]: id,
    [claim("ssh-rerun")]: String(rerunWithSsh),
    [claim("vcs-origin")]: origin,
    [claim("vcs-ref")]: ref,
    sub: `org/${organization}/project/${id}/user/${by}/vcs-origin/${origin}/vcs-ref/${ref}`,
  };
}
