/** An image of a repository. A new tag does not change `pushed`. */
export interface EcrImage {
  readonly digest: string;
  /** Number of the day on which someone first pushed the image. */
  readonly pushed: number;
  readonly tags: Set<string>;
  /** Digest of a manifest list that contains this image. */
  readonly partOf?: string;
}

/** A lifecycle policy of ECR, with only the fields that this project uses. */
export interface LifecyclePolicy {
  readonly rules: readonly {
    readonly rulePriority: number;
    readonly selection: {
      readonly countNumber: number;
      readonly countType: string;
      readonly tagPatternList: readonly string[];
      readonly tagStatus: string;
    };
  }[];
}

/**
 * Returns the images that ECR expires on a day. The pages that end with `.html` are in
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/.
 *
 * Rules, and where each rule comes from (LifecyclePolicies.html, lifecycle_policy_parameters.html):
 * - "A lifecycle policy rule with a priority of 1 is applied first".
 * - "An image is expired by exactly one or zero rules."
 * - "An image that matches the tagging requirements of a higher priority rule cannot be expired by
 *   a rule with a lower priority."
 * - "If you specify multiple tags, only the images with all specified tags are selected."
 * - imageCountMoreThan: "images are sorted from youngest to oldest based on pushed_at_time and then
 *   all images greater than the specified count are expired".
 * - sinceImagePushed: "all images whose pushed_at_time is older than the specified number of days
 *   based on countNumber are expired".
 * - An image that a manifest list contains expires only after the list. Someone has observed this
 *   order in AWS: https://github.com/DefangLabs/pulumi-defang/pull/466.
 * - A new tag does not change `pushed_at_time`:
 *   https://github.com/aws/containers-roadmap/issues/2746.
 *
 * This function supports only the tagStatus `tagged`, and the two count types above. For a rule
 * with another tagStatus or count type, the function throws an error. The function omits prefixes,
 * archives, and the 24 hours that ECR may need to delete an image.
 */
export function expired(
  images: readonly EcrImage[],
  { rules }: LifecyclePolicy,
  today: number,
): readonly EcrImage[] {
  const digests = new Set(images.map(({ digest }) => digest));
  const claimed = new Set<EcrImage>();
  const gone: EcrImage[] = [];
  for (const { selection } of [...rules].sort((a, b) => a.rulePriority - b.rulePriority)) {
    const { countNumber, countType, tagPatternList, tagStatus } = selection;
    if (tagStatus !== "tagged") throw new Error(`tagStatus ${tagStatus} is left out`);
    const patterns = tagPatternList.map(matcher);
    const matching = images
      .filter(({ tags }) => patterns.every((matches) => [...tags].some(matches)))
      .sort((a, b) => b.pushed - a.pushed);
    const old = (() => {
      if (countType === "imageCountMoreThan") return matching.slice(countNumber);
      if (countType !== "sinceImagePushed") throw new Error(`${countType} is left out`);
      return matching.filter(({ pushed }) => today - pushed > countNumber);
    })();
    gone.push(...old.filter((image) => !claimed.has(image)));
    for (const image of matching) claimed.add(image);
  }
  return gone.filter(({ partOf }) => partOf === undefined || !digests.has(partOf));
}

function matcher(pattern: string): (tag: string) => boolean {
  const form = new RegExp(`^${pattern.replace(/[.]/g, "\\.").replace(/\*/g, ".*")}$`);
  return (tag) => form.test(tag);
}
