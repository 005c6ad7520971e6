import assert from "node:assert/strict";
import { lifecycle } from "../../platform/image-repository";
import { type EcrImage, type LifecyclePolicy, expired } from "./ecr-lifecycle";

/** Simulates a repository of ECR day by day. */
class Repository {
  readonly images = new Map<string, EcrImage>();
  readonly lost: string[] = [];
  readonly running = new Map<string, string>();
  today = 0;

  constructor(readonly policy: LifecyclePolicy) {}

  /** Pushes an image for two platforms. Does nothing if the repository already has this image. */
  push(digest: string): void {
    if (this.find(digest) !== undefined) return;
    const at = { pushed: this.today };
    this.images.set(digest, { ...at, digest, tags: new Set([`build-${digest}`]) });
    for (const part of ["amd64", "arm64"]) {
      const name = `${digest}-${part}`;
      this.images.set(name, { ...at, digest: name, partOf: digest, tags: new Set() });
    }
  }

  /**
   * Simulates a deploy: pushes the image, and moves the stack's tag to the image. The image may be
   * an old image.
   */
  deploy(stack: string, digest: string): void {
    this.push(digest);
    this.find(this.running.get(stack) ?? "")?.tags.delete(`deployed-${stack}`);
    this.find(digest)?.tags.add(`deployed-${stack}`);
    this.running.set(stack, digest);
  }

  promote(stack: string, digest: string): void {
    this.find(digest)?.tags.add(`release-${digest}`);
    this.running.set(stack, digest);
  }

  find(digest: string): EcrImage | undefined {
    return this.images.get(digest);
  }

  endDay(): void {
    const gone = expired([...this.images.values()], this.policy, this.today);
    for (const { digest } of gone) this.images.delete(digest);
    for (const [stack, digest] of this.running) {
      for (const needed of [digest, `${digest}-amd64`, `${digest}-arm64`]) {
        if (this.find(needed) === undefined) {
          this.lost.push(`day ${String(this.today)}: ${stack} runs ${needed}`);
        }
      }
    }
    this.today += 1;
  }
}

/**
 * Simulates a year of staging and production: daily deploys to staging with weekly promotions, then
 * 200 days without new code, then deploys and promotions again, with one rollback.
 */
function yearOfReleases(policy: LifecyclePolicy): Repository {
  const repository = new Repository(policy);
  while (repository.today < 365) {
    const { today } = repository;
    const idle = today >= 100 && today < 300;
    if (!idle) {
      repository.deploy("staging", `code-${String(today)}`);
      if (today % 7 === 0) repository.promote("prod", `code-${String(today)}`);
    }
    // The rollback goes back to the release of day 7.
    if (today === 340) repository.promote("prod", "code-7");
    repository.endDay();
  }
  return repository;
}

/**
 * Simulates a year of review stacks, with two new branches each day. One branch has no new Java
 * code, so its stack runs the image of main from day 0. The other branch has new code, and its
 * stack gets a second deploy of the same code after 25 days. The simulation removes both stacks 39
 * days after their first deploy.
 */
function yearOfReviews(policy: LifecyclePolicy): Repository {
  const repository = new Repository(policy);
  while (repository.today < 365) {
    const { today } = repository;
    const name = String(today);
    repository.deploy(`review-same-${name}`, "code-of-main");
    repository.deploy(`review-new-${name}`, `code-${name}`);
    repository.push(`never-deployed-${name}`);
    const again = String(today - 25);
    if (today >= 25) repository.deploy(`review-new-${again}`, `code-${again}`);
    for (const kind of ["same", "new"]) {
      repository.running.delete(`review-${kind}-${String(today - 39)}`);
    }
    repository.endDay();
  }
  return repository;
}

const withoutTags = (days: number): LifecyclePolicy => ({
  rules: lifecycle(days).rules.filter(
    ({ selection }) => !selection.tagPatternList.includes("deployed-*"),
  ),
});

describe("a year of the lifecycle policy", () => {
  it("deletes no image that staging or production runs, nor one to roll back to", () => {
    const repository = yearOfReleases(lifecycle(90));
    assert.deepEqual(repository.lost, []);
    assert.ok(repository.find("code-1") === undefined, "an old build that nothing runs");
    assert.ok(repository.find("code-7") !== undefined);
  });

  it("deletes no image that a review stack runs, and the builds that were never deployed", () => {
    const repository = yearOfReviews(lifecycle(30));
    assert.deepEqual(repository.lost, []);
    assert.ok(repository.find("never-deployed-300") === undefined);
    assert.ok(repository.find("never-deployed-350") !== undefined);
  });

  it("would lose images without the tag that each deploy moves", () => {
    assert.match(yearOfReleases(withoutTags(90)).lost[0] ?? "", /^day 190: staging runs code-99$/);
    assert.match(yearOfReviews(withoutTags(30)).lost[0] ?? "", /^day 31: review-.*/);
  });
});

describe("the evaluator of lifecycle policies", () => {
  const rule = (rulePriority: number, pattern: string, countType: string, countNumber: number) => ({
    rulePriority,
    selection: { countNumber, countType, tagPatternList: [pattern], tagStatus: "tagged" },
  });
  const image = (digest: string, pushed: number, ...tags: string[]): EcrImage => ({
    ...{ digest, pushed, tags: new Set(tags) },
  });

  // Example A of lifecycle_policy_examples.html, "Filtering on multiple rules".
  it("gives AWS's own example the outcome that AWS documents", () => {
    const images = [
      image("A", 0, "beta-1", "prod-1"),
      image("B", 1, "beta-2", "prod-2"),
      image("C", 2, "beta-3"),
    ];
    const prod = rule(1, "prod*", "imageCountMoreThan", 1);
    const beta = rule(2, "beta*", "imageCountMoreThan", 1);
    const gone = expired(images, { rules: [prod, beta] }, 10).map(({ digest }) => digest);
    assert.deepEqual(gone, ["A"]);
  });

  it("keeps a part of a manifest list as long as the list", () => {
    const list = image("list", 0, "keep");
    const part = { ...image("part", 0, "build-1"), partOf: "list" };
    const rules = [rule(1, "build-*", "sinceImagePushed", 1)];
    assert.deepEqual(expired([list, part], { rules }, 10), []);
    assert.deepEqual(expired([part], { rules }, 10), [part]);
  });
});
