import * as ecr from "@pulumi/aws/ecr";
import * as pulumi from "@pulumi/pulumi";

export interface ImageRepositoryArgs {
  /** Name of the repository in the account's registry. */
  readonly repository: string;

  /**
   * Days after which an image that was built but never released is removed. After that, a stack
   * that still runs the image cannot start a pod on a new node.
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

/** Number of releases to keep, no matter how old they are: far more than a rollback needs. */
const releasesKept = 1000;

/**
 * An ECR repository. Tags are immutable, except `build-*`: a repeated build pushes the same tag
 * again. ECR scans every pushed image.
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
        imageTagMutabilityExclusionFilters: [{ filter: "build-*", filterType: "WILDCARD" }],
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
 * release keeps its `build-*` tag, so without the first rule, the second rule would remove the
 * release. There is no rule for untagged images, because the parts of an image for several
 * platforms have no tags.
 */
function lifecycle(buildDays: number) {
  return {
    rules: [
      {
        action: { type: "expire" },
        description: `Keeps ${String(releasesKept)} releases, and deletes older ones`,
        rulePriority: 1,
        selection: {
          countNumber: releasesKept,
          countType: "imageCountMoreThan",
          tagPatternList: ["release-*"],
          tagStatus: "tagged",
        },
      },
      {
        action: { type: "expire" },
        description: `Deletes builds after ${String(buildDays)} days, except released ones`,
        rulePriority: 2,
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
