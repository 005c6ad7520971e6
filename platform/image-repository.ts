import * as ecr from "@pulumi/aws/ecr";
import * as pulumi from "@pulumi/pulumi";

export interface ImageRepositoryArgs {
  /** Name of the repository in the account's registry. */
  readonly repository: string;

  /**
   * Days from the first push of an image until ECR deletes the image. ECR keeps two kinds of images
   * longer: releases, and the last image that each stack has run.
   *
   * @default 90
   */
  readonly buildDays?: number;

  /**
   * AWS account of production, if production has a separate account. This account may pull images,
   * but must not push images.
   *
   * @default - none
   */
  readonly productionAccountId?: string | undefined;
}

/**
 * Maximum number of releases that ECR keeps, no matter how old the releases are. The same number
 * limits the images with a tag `deployed-*`. This number is far above the number of stacks, and far
 * above the number of releases to which people may want to roll back.
 */
const kept = 1000;

/**
 * An ECR repository. Tags are immutable, except `build-*` and `deployed-*`: a repeated build pushes
 * the same `build-*` tag again, and each deploy moves the stack's `deployed-*` tag to the image
 * that the stack now runs. ECR scans every pushed image.
 */
export class ImageRepository extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  /** Address of the repository for pushes and pulls, without a tag. */
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
 * Returns the lifecycle policy. ECR applies only the first rule that matches an image's tags.
 * Releases and deployed images also keep their `build-*` tag, so without the first two rules, the
 * last rule would delete such images. ECR counts the days from the first push of the image. If the
 * image gets another tag later, the count does not start again. There is no rule for untagged
 * images, because such a rule would delete the parts of an image for several platforms, which have
 * no tags.
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
 * Returns a policy that lets production's account pull images. The principal is the account and not
 * one of its roles, because AWS refuses a policy with a role that does not exist yet. IAM policies
 * in production's account control which of its roles may pull.
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
