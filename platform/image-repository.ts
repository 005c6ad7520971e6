import * as ecr from "@pulumi/aws/ecr";
import * as pulumi from "@pulumi/pulumi";

export interface ImageRepositoryArgs {
  /** Name of the repository in the account's registry. */
  readonly repository: string;

  /**
   * Days after which an image is removed that no stack runs and that was never released.
   *
   * @default 90
   */
  readonly buildDays?: number;

  /**
   * AWS account of production, if production has a separate account. That account may only pull
   * images.
   *
   * @default - none
   */
  readonly productionAccountId?: string | undefined;
}

/**
 * Number of releases, and of images that a stack runs or ran last, to keep, no matter how old they
 * are: far more than a rollback needs, and far more than there are stacks.
 */
const kept = 1000;

/**
 * An ECR repository. Tags are immutable, except `build-*` and `deployed-*`: a repeated build pushes
 * the same tag again, and each deploy moves its stack's tag to the image that the stack runs. ECR
 * scans every pushed image.
 */
export class ImageRepository extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  /** The repository to push to and pull from, without a tag. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: ImageRepositoryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("services:aws:ImageRepository", name, args, opts);
    const { buildDays = 90, productionAccountId, repository } = args;
    const made = new ecr.Repository(
      name,
      {
        imageScanningConfiguration: { scanOnPush: true },
        imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters: ["build-*", "deployed-*"].map((filter) => ({
          filter,
          filterType: "WILDCARD",
        })),
        name: repository,
      },
      { parent: this },
    );
    new ecr.LifecyclePolicy(
      name,
      { policy: JSON.stringify(lifecycle(buildDays)), repository: made.name },
      { parent: this },
    );
    if (productionAccountId !== undefined) {
      new ecr.RepositoryPolicy(
        name,
        { policy: JSON.stringify(pullsFrom(productionAccountId)), repository: made.name },
        { parent: this },
      );
    }
    this.arn = made.arn;
    this.url = made.repositoryUrl;
    this.registerOutputs({ arn: this.arn, url: this.url });
  }
}

/**
 * Returns the lifecycle policy. ECR applies only the first rule that matches an image's tags. A
 * release and an image that a stack runs keep their `build-*` tag, so without the first two rules,
 * the last rule would remove them. ECR counts days from the first push, and a new tag does not
 * change this time. There is no rule for untagged images, because the parts of an image for several
 * platforms have no tags.
 */
export function lifecycle(buildDays: number) {
  const keep = (tagPattern: string) => ({
    countNumber: kept,
    countType: "imageCountMoreThan",
    tagPatternList: [tagPattern],
    tagStatus: "tagged",
  });
  return {
    rules: [
      {
        action: { type: "expire" },
        description: `Keeps ${String(kept)} releases, and deletes older ones`,
        rulePriority: 1,
        selection: keep("release-*"),
      },
      {
        action: { type: "expire" },
        description: `Keeps ${String(kept)} images that a stack runs or ran last`,
        rulePriority: 2,
        selection: keep("deployed-*"),
      },
      {
        action: { type: "expire" },
        description: `Deletes other builds after ${String(buildDays)} days`,
        rulePriority: 3,
        selection: {
          countNumber: buildDays,
          countType: "sinceImagePushed",
          countUnit: "days",
          tagPatternList: ["build-*"],
          tagStatus: "tagged",
        },
      },
    ],
  };
}

const pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

/**
 * Returns a policy that lets production's account pull images. The policy names the account and not
 * its roles, because AWS refuses a policy that names a role which does not exist yet. Production's
 * account decides which of its roles may pull.
 */
function pullsFrom(account: string) {
  return {
    Statement: [
      {
        Action: pull,
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Sid: "PullByProduction",
      },
    ],
    Version: "2012-10-17",
  };
}
