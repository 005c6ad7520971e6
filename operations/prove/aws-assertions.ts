import { branchRoles, mainBranch, roleName } from "../../components/conventions/ci-roles";
import { type Assertion, differs, equal, open, proven } from "./assertions";

/** A registry's response to the push of a manifest. */
export interface Push {
  readonly body: string;
  readonly status: number;
}

export interface SeenAws {
  /**
   * Responses to pushes to a temporary repository with the settings of the service's repository.
   */
  readonly pushes: {
    /** Response to a push without a login. */
    readonly anonymous: Push;
    /** Response to a push of a new tag with a login. */
    readonly first: Push;
    /** Response to a push of another image with the tag of `first`. */
    readonly moved: Push;
    /**
     * Response to a push of another image with an existing tag. One of `filters` matches this tag.
     */
    readonly excluded: Push;
  };
  /**
   * Patterns of the tags that may move to another image. In the service's repository, all other
   * tags are immutable.
   */
  readonly filters: readonly string[];
  readonly mutability: string;
  /** Roles that this job can assume with its token. Undefined outside of a CircleCI job. */
  readonly roles: readonly string[] | undefined;
  /** Claim `vcs-ref` of the job's token. */
  readonly ref: string;
}

const isPushed = ({ body, status }: Push) =>
  status === 201 ? proven : differs(`${String(status)}: ${body.slice(0, 200)}`);

/**
 * The assumptions about AWS. The assumptions must also be true for the stand-in for ECR that the
 * tests use (test/operations/support/ecr-stand-in.ts).
 */
export const awsAssertions: readonly Assertion<SeenAws>[] = [
  {
    check: ({ filters, mutability }) =>
      equal(
        [mutability, ...[...filters].sort()],
        ["IMMUTABLE_WITH_EXCLUSION", "build-*", "deployed-*"],
      ),
    id: "ecr-settings",
    says: "the tags of the repository are immutable, except build-* and deployed-*",
  },
  {
    check: ({ pushes }) => equal(pushes.anonymous.status, 401),
    id: "ecr-login",
    says: "ECR refuses a push without a login",
  },
  {
    check: ({ pushes }) => isPushed(pushes.first),
    id: "ecr-push",
    says: "ECR accepts the push of a new tag with a login",
  },
  {
    check: ({ pushes: { first, moved } }) => {
      if (first.status !== 201) return open("the first push must succeed");
      return moved.status === 400 && moved.body.includes("immutable")
        ? proven
        : differs(`${String(moved.status)}: ${moved.body.slice(0, 200)}`);
    },
    id: "ecr-immutable",
    says: "ECR refuses to move an immutable tag",
  },
  {
    check: ({ pushes }) => isPushed(pushes.excluded),
    id: "ecr-excluded",
    says: "ECR moves a tag that a filter excludes from the immutable tags",
  },
  {
    check: ({ ref, roles }) => {
      if (roles === undefined || ref === `refs/heads/${mainBranch}`) {
        return open("run the command in a CircleCI job of a branch, without a context");
      }
      return equal([...roles].sort(), branchRoles.map(roleName).sort());
    },
    id: "trust-branch",
    says: "the token of a branch may assume only the roles for previews and review stacks",
  },
];
